"""The test switch LIBRA_FAIL: faults that a deployment tool must survive, made on request.

Never set in production. Each kind is a real fault of the process, not a pretended one.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class FailureKind(Enum):
    """How the process misbehaves."""

    CRASH_AT_START = "crash-at-start"
    CRASH_AFTER = "crash-after"
    NEVER_READY = "never-ready"
    SLOW_START = "slow-start"
    READY_FILE = "ready-file"
    ERRORS = "errors"
    IGNORE_STOP = "ignore-stop"
    DROP_AT_STOP = "drop-at-stop"


NUMERIC = {FailureKind.CRASH_AFTER, FailureKind.SLOW_START, FailureKind.ERRORS}
PLAIN = {
    FailureKind.CRASH_AT_START,
    FailureKind.NEVER_READY,
    FailureKind.IGNORE_STOP,
    FailureKind.DROP_AT_STOP,
}


class FailureSwitchError(Exception):
    """LIBRA_FAIL holds something else than a known fault."""


@dataclass(frozen=True, slots=True)
class FailureSwitch:
    """One fault; `number` is seconds, or for `errors` the share of requests from 0 to 1."""

    kind: FailureKind
    number: float = 0.0
    path: Path | None = None


def parse_failure(text: str) -> FailureSwitch | None:
    """Return the fault asked for, None for an empty text; raises FailureSwitchError."""
    if not text:
        return None
    word, separator, argument = text.partition(":")
    try:
        kind = FailureKind(word)
    except ValueError as error:
        known = ", ".join(kind.value for kind in FailureKind)
        raise FailureSwitchError(f"{word!r} is not one of {known}") from error
    if kind in PLAIN:
        if separator:
            raise FailureSwitchError(f"{word} takes no argument")
        return FailureSwitch(kind=kind)
    if kind in NUMERIC:
        return FailureSwitch(kind=kind, number=_parse_number(word, argument))
    if not argument:
        raise FailureSwitchError(f"{word} needs a path: {word}:/tmp/ready")
    return FailureSwitch(kind=kind, path=Path(argument))


def _parse_number(word: str, argument: str) -> float:
    try:
        number = float(argument)
    except ValueError as error:
        raise FailureSwitchError(f"{word} needs a number: {word}:3") from error
    if number < 0:
        raise FailureSwitchError(f"{word} needs a number that is not negative")
    return number
