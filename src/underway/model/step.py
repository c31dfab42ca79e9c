"""Steps: one external effect each, on one host, with its cause; and gates, which wait and judge.

Steps refer to names the planner chose, never to ids, so that a dead client's work can be
recognised. Every step is idempotent: applied to a host where its effect stands, it does nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

from underway.model.container import ContainerRequest
from underway.model.image import ImageIdentity
from underway.model.names import AppName, ContainerName, HostName, ReleaseNumber, ServiceName
from underway.model.release import Adjustment, Binding, Limit
from underway.model.spec import FileSpec, NetworkSpec, VolumeSpec
from underway.model.traffic import Upstream


class Verdict(StrEnum):
    """What a gate decides."""

    PASSED = "passed"
    FAILED = "failed"
    TOLERATED = "tolerated"


class AwaitedState(StrEnum):
    """What a container gate waits for.

    READY: HEALTHCHECK says healthy, or without one the container runs `monitor_s` without a
    restart. COMPLETED: it exited with 0. ENDED: it does not run any more, whatever came of it;
    one that runs longer than the gate waits is ended.
    """

    READY = "ready"
    COMPLETED = "completed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, order=True)
class ReplicaRef:
    """A replica by host and name."""

    host: HostName
    container: ContainerName


@dataclass(frozen=True, slots=True)
class PullImage:
    """Pull by digest from the registry, and verify what arrived."""

    host: HostName
    image: ImageIdentity
    cause: str


@dataclass(frozen=True, slots=True)
class SendImage:
    """Send over the engine connection from the engine that has it, and verify what arrived."""

    host: HostName
    image: ImageIdentity
    cause: str


@dataclass(frozen=True, slots=True)
class CreateNetwork:
    """Create a network with the subnet the planner chose."""

    host: HostName
    network: NetworkSpec
    cause: str


@dataclass(frozen=True, slots=True)
class RemoveNetwork:
    """Remove a network by its physical name."""

    host: HostName
    network: str
    cause: str


@dataclass(frozen=True, slots=True)
class CreateVolume:
    """Create a volume under its physical name."""

    host: HostName
    volume: VolumeSpec
    cause: str


@dataclass(frozen=True, slots=True)
class RemoveVolume:
    """Remove a volume by its physical name."""

    host: HostName
    volume: str
    cause: str


@dataclass(frozen=True, slots=True)
class RemoveProxy:
    """Remove the proxy with its files, unless another app has come behind it meanwhile."""

    host: HostName
    container: ContainerName
    volume: str
    cause: str


@dataclass(frozen=True, slots=True)
class RenewProxy:
    """Give a proxy the name of the one before, once it has taken over from it.

    From then on the former one takes nothing new. It ends what it has under a name that tells so.
    """

    host: HostName
    container: ContainerName
    successor: ContainerName
    cause: str


@dataclass(frozen=True, slots=True)
class WriteFiles:
    """Fill a volume with secret files, through a container that never starts.

    `image` is any image present on the host; `volume` is made if it is missing.
    """

    host: HostName
    volume: str
    image: str
    files: tuple[FileSpec, ...]
    labels: tuple[tuple[str, str], ...]
    cause: str


@dataclass(frozen=True, slots=True)
class WriteVault:
    """Write a release's sensitive values into the host's vault."""

    host: HostName
    release: ReleaseNumber
    cause: str


@dataclass(frozen=True, slots=True)
class RecordRelease:
    """Write a release's record into the host's ledger."""

    host: HostName
    release: ReleaseNumber
    cause: str


@dataclass(frozen=True, slots=True)
class SetCurrent:
    """Write into the host's ledger which release the app runs, bindings and adjustments."""

    host: HostName
    release: ReleaseNumber
    bindings: tuple[Binding, ...]
    cause: str
    adjustments: tuple[Adjustment, ...] = ()
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class CreateContainer:
    """Create a container; one of the same name and labels is kept."""

    host: HostName
    container: ContainerRequest
    cause: str


@dataclass(frozen=True, slots=True)
class StartContainer:
    """Start a container."""

    host: HostName
    container: ContainerName
    cause: str


@dataclass(frozen=True, slots=True)
class StopContainer:
    """Rename to `retired`, send the stop signal, wait at most `grace_s`, then kill.

    The new name tells every later run that this one is on its way out, and frees the old one.
    `grace_s` None is what the container itself was made with: its service may be gone.
    """

    host: HostName
    container: ContainerName
    retired: ContainerName
    grace_s: float | None
    cause: str


@dataclass(frozen=True, slots=True)
class RenameContainer:
    """Give a container another name; one that bears it already is left alone."""

    host: HostName
    container: ContainerName
    name: ContainerName
    cause: str


@dataclass(frozen=True, slots=True)
class SetRestart:
    """Change when the engine starts a container by itself (`no`, `always`, `on-failure:3`)."""

    host: HostName
    container: ContainerName
    restart: str
    cause: str


@dataclass(frozen=True, slots=True)
class RemoveContainer:
    """Remove a container and its anonymous volumes."""

    host: HostName
    container: ContainerName
    cause: str


@dataclass(frozen=True, slots=True)
class RemoveImage:
    """Remove an image that nothing needs any more."""

    host: HostName
    image: str
    cause: str


@dataclass(frozen=True, slots=True)
class SetUpstream:
    """Make one edge know exactly these servers of a service, in files and at run time."""

    host: HostName
    upstream: Upstream
    cause: str


@dataclass(frozen=True, slots=True)
class RemoveUpstream:
    """Make one edge forget a service; `service` "" forgets the whole app."""

    host: HostName
    app: AppName
    service: ServiceName
    cause: str


@dataclass(frozen=True, slots=True)
class AwaitContainer:
    """Gate: a container is ready, has completed, or has ended.

    `service` counts against the plan's tolerance of failed replicas.
    """

    host: HostName
    container: ContainerName
    service: ServiceName
    until: AwaitedState
    timeout_s: float
    monitor_s: float
    cause: str


@dataclass(frozen=True, slots=True)
class AwaitServers:
    """Gate: this edge's own check of these servers has passed."""

    host: HostName
    app: AppName
    service: ServiceName
    servers: tuple[ReplicaRef, ...]
    timeout_s: float
    cause: str


@dataclass(frozen=True, slots=True)
class ConfirmUpstream:
    """Gate: read back from the running proxy, it serves exactly what it was told."""

    host: HostName
    upstream: Upstream
    timeout_s: float
    cause: str


@dataclass(frozen=True, slots=True)
class AwaitDrained:
    """Gate: these servers have only tunnels left on this edge, or `timeout_s` is over.

    Passes either way; what was cut is reported.
    """

    host: HostName
    app: AppName
    service: ServiceName
    servers: tuple[ContainerName, ...]
    timeout_s: float
    cause: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Gate: watch a replica for `monitor_s`; one that restarts, exits or turns unhealthy fails."""

    host: HostName
    container: ContainerName
    service: ServiceName
    monitor_s: float
    cause: str


Gate = AwaitContainer | AwaitServers | ConfirmUpstream | AwaitDrained | Watch

Step = (
    PullImage
    | SendImage
    | CreateNetwork
    | RemoveNetwork
    | CreateVolume
    | RemoveVolume
    | RemoveProxy
    | RenewProxy
    | WriteFiles
    | WriteVault
    | RecordRelease
    | SetCurrent
    | CreateContainer
    | StartContainer
    | StopContainer
    | RenameContainer
    | SetRestart
    | RemoveContainer
    | RemoveImage
    | SetUpstream
    | RemoveUpstream
    | Gate
)
