"""What is known of a run, for whoever shall find out what went wrong: values, none sensitive."""

from collections.abc import Callable
from dataclasses import dataclass

from underway.model.names import ContainerName, HostName
from underway.model.plan import Plan
from underway.model.release import RunRecord
from underway.model.snapshot import EngineFacts
from underway.model.status import ReleaseDetail, StatusReport


@dataclass(frozen=True, slots=True)
class ContainerEvidence:
    """One container: what its engine says of it, as JSON, and its last lines."""

    host: HostName
    name: ContainerName
    inspection: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one run.

    Attributes:
        run: its record, as the hosts hold it.
        events: what it told, as JSON lines; only the machine that ran it knows them.
        release: the release it was for, None where no host holds it.
        plan: what would bring the hosts to that release now.
        left_out: what is not here, and why.
        redact: hides every sensitive value in a text; whatever is added goes through it.
    """

    run: RunRecord
    history: tuple[RunRecord, ...]
    status: StatusReport
    engines: tuple[tuple[HostName, EngineFacts], ...]
    events: tuple[str, ...] = ()
    release: ReleaseDetail | None = None
    plan: Plan | None = None
    containers: tuple[ContainerEvidence, ...] = ()
    left_out: tuple[str, ...] = ()
    redact: Callable[[str], str] = str
