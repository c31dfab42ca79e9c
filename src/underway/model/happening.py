"""What happened to an app on its hosts, as engines and records tell it: values."""

from dataclasses import dataclass
from typing import Final

from underway.model.names import ContainerName, HostName, ServiceName
from underway.model.release import RunRecord

_NO_SERVICE: Final = ServiceName("")


@dataclass(frozen=True, slots=True)
class ContainerEvent:
    """An engine's word on one of the app's containers. `time_s` is seconds since the epoch.

    Attributes:
        action: the Engine API's: `start`, `die`, `oom`, `health_status`, ...
        detail: what it came to: an exit code, a signal, a state of health, a former name.
        role: what the container is for.
        by: who runs the command that it belongs to, of a lock.
    """

    time_s: float
    container: ContainerName
    action: str
    detail: str = ""
    service: ServiceName = _NO_SERVICE
    role: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: to a container on `host`, or a run's beginning or end."""

    time_s: float
    host: HostName | None = None
    event: ContainerEvent | None = None
    run: RunRecord | None = None
    is_end: bool = False
