"""What happens in a run: one closed union of events with one envelope.

Terminal progress, plain lines, JSON lines and the ledger are folds of it. No event carries a
sensitive value.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from underway.model.names import NO_RELEASE, AppName, HostName, ReleaseNumber, ServiceName

EVENT_VERSION: Final = 1
BUILD: Final = "build"
"""The source of what a build says."""


class Outcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    NOTHING_TO_DO = "nothing-to-do"
    REFUSED = "refused"
    UNDONE = "undone"
    NOT_UNDONE = "not-undone"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class Level(StrEnum):
    """How much a note matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A command began. `arguments` are redacted by construction: names and numbers only."""

    command: str
    app: AppName
    release: ReleaseNumber = NO_RELEASE


@dataclass(frozen=True, slots=True)
class PlanMade:
    """A plan is about to be applied."""

    goal: str
    stages: tuple[str, ...]
    steps: int
    interrupts: tuple[ServiceName, ...] = ()


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage began. `index` counts from 1."""

    index: int
    title: str
    steps: int


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage ended on every host."""

    index: int
    title: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step began. `step` is its number in the plan, `kind` its class, `subject` its object."""

    step: int
    kind: str
    subject: str
    cause: str


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Bytes of a pull, seconds of a wait. `total` 0 means unknown."""

    step: int
    done: float
    total: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended. `verdict` is "" for one that is not a gate."""

    step: int
    kind: str
    subject: str
    duration_s: float
    verdict: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step failed; `detail` holds a container's last lines."""

    step: int
    kind: str
    subject: str
    code: str
    message: str
    hint: str = ""
    detail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UndoStarted:
    """The run goes back to an older release."""

    release: ReleaseNumber
    cause: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth saying."""

    level: Level
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """A line a program or container wrote while we waited for it (a build, `before`)."""

    source: str
    line: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A command ended."""

    outcome: Outcome
    exit_code: int
    release: ReleaseNumber
    duration_s: float
    text: str = ""


Body = (
    RunStarted
    | PlanMade
    | StageStarted
    | StageFinished
    | StepStarted
    | StepProgress
    | StepFinished
    | StepFailed
    | UndoStarted
    | Note
    | Output
    | RunFinished
)


@dataclass(frozen=True, slots=True)
class Event:
    """The envelope. `time` is seconds since the epoch, `sequence` counts from 1 in a run."""

    run: str
    sequence: int
    time: float
    actor: str
    body: Body
    host: HostName | None = None
    version: int = EVENT_VERSION
