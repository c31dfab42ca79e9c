"""What running a suite takes: an engine, values, and who is told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from underway.image.testing.redaction import Redactor
from underway.kernel.telling import Voice
from underway.model.sensitive import SensitiveValues
from underway.ports import Clock, Engine
from underway.ports.output import LogLine


class LogKeeper(Protocol):
    """Keeps what the containers of tests write, in a directory that the user is told."""

    @property
    def directory(self) -> str:
        """The directory, or "" where nothing is kept."""

    def line(self, suite: str, service: str, line: LogLine) -> None:
        """Keep one line; never raises."""

    def document(self, suite: str, name: str, text: str) -> None:
        """Keep a whole file; never raises."""


@dataclass(frozen=True, slots=True)
class Means:
    """`redact` hides the values in what is written; `is_stopped` ends a wait early."""

    engine: Engine
    values: SensitiveValues
    redact: Redactor
    keep: LogKeeper
    clock: Clock
    voice: Voice
    is_stopped: Callable[[], bool]
