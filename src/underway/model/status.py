"""What an app is doing now, beside what it should do: the value behind `underway status`."""

from dataclasses import dataclass
from enum import StrEnum

from underway.model.names import (
    NO_RELEASE,
    AppName,
    ContainerName,
    Generation,
    HostName,
    ReleaseNumber,
    ServiceName,
)
from underway.model.release import Limit, Release, RunRecord
from underway.model.snapshot import ContainerStatus, Health
from underway.model.spec import Strategy
from underway.model.testing import Proof


class TrafficState(StrEnum):
    """What one edge does with one replica.

    LIVE gets requests; DRAIN finishes what it has; STANDBY stands ready on the side that is not
    live; DOWN fails the edge's own check; NONE is unknown to this edge.
    """

    LIVE = "live"
    DRAIN = "drain"
    STANDBY = "standby"
    DOWN = "down"
    NONE = "none"


class DriftKind(StrEnum):
    """How what runs differs from what the current release says."""

    HOST_UNREACHABLE = "host-unreachable"
    HOST_BEHIND = "host-behind"
    REPLICA_MISSING = "replica-missing"
    REPLICA_SURPLUS = "replica-surplus"
    REPLICA_NOT_READY = "replica-not-ready"
    GENERATION_OLD = "generation-old"
    EDGE_MISSING = "edge-missing"
    TRAFFIC_DIFFERS = "traffic-differs"
    VALUES_MISSING = "values-missing"
    RUN_UNFINISHED = "run-unfinished"
    LEFTOVER = "leftover"


class ReplicaStanding(StrEnum):
    """A replica's place in what is under way.

    CURRENT is of what the app runs; NEW of what a run is bringing; REPLACED is on its way out,
    STOPPING already told to stop; LEFT_OVER is of something else while nobody works on the app.
    """

    CURRENT = "current"
    NEW = "new"
    REPLACED = "being replaced"
    STOPPING = "stopping"
    LEFT_OVER = "left over"


class ReleaseStanding(StrEnum):
    """What became of a release.

    SHIPPED was never deployed, UNFINISHED is of a run that did not end, FAILED never served.
    """

    CURRENT = "current"
    RAN = "ran"
    SHIPPED = "shipped"
    UNFINISHED = "not finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ReleaseStatus:
    """A recorded release: what became of it, the hosts that run it, releases of the same tag.

    `names` are all tags that mean it.
    """

    release: Release
    standing: ReleaseStanding
    hosts: tuple[HostName, ...] = ()
    namesakes: tuple[ReleaseNumber, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether the app runs it."""
        return self.standing is ReleaseStanding.CURRENT


@dataclass(frozen=True, slots=True)
class ReleaseDetail:
    """A recorded release, and the runs that brought it or left it serving, oldest first."""

    status: ReleaseStatus
    runs: tuple[RunRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplicaTraffic:
    """What `edge` does with a replica."""

    edge: HostName
    state: TrafficState


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """One replica. `started_at` is RFC 3339 or ""."""

    name: ContainerName
    host: HostName
    status: ContainerStatus
    health: Health
    release: ReleaseNumber
    standing: ReplicaStanding
    started_at: str = ""
    restart_count: int = 0
    traffic: tuple[ReplicaTraffic, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether it is of the generation that the app runs."""
        return self.standing is ReplicaStanding.CURRENT


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service: `wished` and `ready` count replicas of the release's generation.

    `is_stopped`: on purpose. `instead_of` is the number that its release says, where it was scaled
    to another one, else 0.
    """

    name: ServiceName
    strategy: Strategy
    wished: int
    ready: int
    generation: Generation
    image: str = ""
    replicas: tuple[ReplicaStatus, ...] = ()
    is_stopped: bool = False
    instead_of: int = 0


@dataclass(frozen=True, slots=True, order=True)
class ServiceUrl:
    """Where users reach a service."""

    service: ServiceName
    url: str


@dataclass(frozen=True, slots=True)
class LockStatus:
    """Who holds the app's lock on a host. `since` is RFC 3339."""

    holder: str
    since: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One host. `reason` tells why it could not be reached, "" if it answered.

    `release` is the release its ledger calls current, 0 where it holds none.
    """

    name: HostName
    url: str
    is_reachable: bool
    reason: str = ""
    engine_version: str = ""
    release: ReleaseNumber = NO_RELEASE
    lock: LockStatus | None = None


@dataclass(frozen=True, slots=True)
class EdgeStatus:
    """The proxy on one edge. `version` is "" where none runs.

    `is_outdated`: an older Underway made it, and the next deploy renews it.
    """

    host: HostName
    version: str
    http_port: int = 0
    names: tuple[str, ...] = ()
    is_outdated: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """One difference: what (`subject`), why it is one, and the command that ends it."""

    kind: DriftKind
    subject: str
    explanation: str
    remedy: str


@dataclass(frozen=True, slots=True)
class StatusReport:
    """An app at one moment, all tuples sorted by name.

    `release` is the current one (0 before the first deploy), `tag` the name people use for it,
    `taken_at` seconds since the epoch, `tests` what is known of the current release's, `limit` the
    hosts that it stands on alone, on purpose.
    """

    app: AppName
    release: ReleaseNumber
    tag: str
    hosts: tuple[HostStatus, ...]
    services: tuple[ServiceStatus, ...] = ()
    edges: tuple[EdgeStatus, ...] = ()
    drift: tuple[Drift, ...] = ()
    taken_at: float = 0.0
    environment: str = ""
    tests: Proof = Proof.NONE
    limit: Limit | None = None

    @property
    def exit_code(self) -> int:
        """0 as the release says, 6 where a host did not answer, 11 where something is left."""
        if any(not host.is_reachable for host in self.hosts):
            return 6
        return 11 if self.drift else 0
