"""What may be wrong with an app's history on a host, and what a command does about it. Values."""

from dataclasses import dataclass
from enum import StrEnum


class Stance(StrEnum):
    """What becomes of a doubtful history.

    REFUSE: the command ends before it changes anything. TELL: a warning, for commands that only
    look. ACCEPT: somebody said that the history which is there is the right one.
    """

    REFUSE = "refuse"
    TELL = "tell"
    ACCEPT = "accept"


class DoubtKind(StrEnum):
    """Why a history is not believed; the value is the error's code."""

    CONFLICT = "record-conflict"
    KEYLESS = "signing-key-missing"
    MISSIGNED = "record-missigned"
    UNKNOWN = "history-unknown"
    UNSIGNED = "record-unsigned"


@dataclass(frozen=True, slots=True)
class Doubt:
    """One reason; `sequence` is the record's number, 0 for the history as a whole."""

    kind: DoubtKind
    sequence: int = 0
    what: str = ""
