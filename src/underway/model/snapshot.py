"""What was observed on the hosts at one moment. What could not be observed is a value."""

from dataclasses import dataclass
from enum import StrEnum

from underway.model.image import ImageState
from underway.model.names import (
    EDGE_REVISION,
    LABEL_ADDRESS,
    LABEL_APP,
    LABEL_COMPOSE_CONFIG,
    LABEL_COMPOSE_ONCE,
    LABEL_COMPOSE_PROJECT,
    LABEL_GENERATION,
    LABEL_PORT,
    LABEL_RELEASE,
    LABEL_REPLICA,
    LABEL_REVISION,
    LABEL_ROLE,
    LABEL_SERVICE,
    AppName,
    ContainerName,
    Generation,
    HostName,
    ServiceName,
)
from underway.model.release import LedgerState
from underway.model.traffic import EdgeState


class ContainerStatus(StrEnum):
    """The Engine API's container states."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    REMOVING = "removing"
    EXITED = "exited"
    DEAD = "dead"


class Health(StrEnum):
    """The Engine API's health states."""

    NONE = "none"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Role(StrEnum):
    """What a container of ours is for."""

    REPLICA = "replica"
    BEFORE = "before"
    FILES = "files"
    ANCHOR = "anchor"
    LOCK = "lock"
    EDGE = "edge"
    PROBE = "probe"
    TEST = "test"
    SIDECAR = "sidecar"
    WATCHDOG = "watchdog"
    RESTORE = "restore"
    RUN = "run"
    LEASH = "leash"


@dataclass(frozen=True, slots=True)
class ContainerState:
    """One container on a host, ours or not.

    `published` are (address, host port) pairs held on the host; `addresses` are
    (network, address) pairs; `volumes` the physical volumes it mounts, `read_volumes` those of
    them that it cannot write. `restart` is its restart policy (`always`, `on-failure:3`) and
    `reference` the name that its image was asked by, where it was inspected.
    """

    id: str
    name: ContainerName
    image_id: str
    status: ContainerStatus
    labels: tuple[tuple[str, str], ...] = ()
    health: Health = Health.NONE
    exit_code: int = 0
    restart_count: int = 0
    started_at: str = ""
    published: tuple[tuple[str, int], ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()
    volumes: tuple[str, ...] = ()
    read_volumes: tuple[str, ...] = ()
    restart: str = ""
    reference: str = ""

    def label(self, name: str) -> str:
        """The label's value, or ""."""
        for key, value in self.labels:
            if key == name:
                return value
        return ""

    @property
    def has_ended(self) -> bool:
        """Whether it does not run and will not by itself."""
        return self.status in {
            ContainerStatus.CREATED,
            ContainerStatus.EXITED,
            ContainerStatus.DEAD,
        }

    @property
    def project(self) -> str:
        """The Compose project that it stands for a service of, made by Compose; or ""."""
        if self.label(LABEL_ROLE) or not self.label(LABEL_COMPOSE_CONFIG):
            return ""
        is_once = self.label(LABEL_COMPOSE_ONCE).lower() == "true"
        return "" if is_once else self.label(LABEL_COMPOSE_PROJECT)

    @property
    def app(self) -> AppName:
        """The app it belongs to, or ""."""
        return AppName(self.label(LABEL_APP))

    @property
    def service(self) -> ServiceName:
        """The service it belongs to, or ""."""
        return ServiceName(self.label(LABEL_SERVICE))

    @property
    def generation(self) -> Generation:
        """The generation it belongs to, or ""."""
        return Generation(self.label(LABEL_GENERATION))

    @property
    def replica(self) -> int:
        """Its number in its generation, or 0."""
        return int(self.label(LABEL_REPLICA) or 0)

    @property
    def release(self) -> int:
        """The release that created it, or 0."""
        return int(self.label(LABEL_RELEASE) or 0)

    @property
    def revision(self) -> int:
        """Of a proxy: which revision of the edge it was made as, or 0."""
        return int(self.label(LABEL_REVISION) or 0)

    @property
    def role(self) -> str:
        """What it is for (see `Role`), or "" for a foreign one."""
        return self.label(LABEL_ROLE)

    @property
    def address(self) -> str:
        """Where edges reach it: the address the planner chose."""
        return self.label(LABEL_ADDRESS)

    @property
    def port(self) -> int:
        """Where edges reach it: the port the planner chose."""
        return int(self.label(LABEL_PORT) or 0)


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What an engine says of itself."""

    version: str
    api_version: str
    os: str = "linux"
    architecture: str = ""
    is_rootless: bool = False
    has_userns: bool = False
    has_live_restore: bool = False
    uses_containerd_store: bool = False
    clock: str = ""
    root_dir: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class NetworkState:
    """A network on a host."""

    name: str
    subnets: tuple[str, ...]
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeState:
    """A volume on a host."""

    name: str
    driver: str = "local"
    labels: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HostState:
    """One host that answered. All tuples are sorted by name."""

    name: HostName
    facts: EngineFacts
    containers: tuple[ContainerState, ...] = ()
    images: tuple[ImageState, ...] = ()
    networks: tuple[NetworkState, ...] = ()
    volumes: tuple[VolumeState, ...] = ()
    ledger: LedgerState | None = None
    vault: tuple[int, ...] = ()
    edge: EdgeState | None = None

    @property
    def has_old_proxy(self) -> bool:
        """Whether a proxy runs that an older Underway made: the next deploy renews it."""
        proxy = self.container(self.edge.container) if self.edge else None
        return proxy is not None and proxy.revision < EDGE_REVISION

    def container(self, name: str) -> ContainerState | None:
        """The container called `name`, or None."""
        for container in self.containers:
            if container.name == name:
                return container
        return None


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A host that could not be asked: never an absence. `hint` is what to do about it, or ""."""

    name: HostName
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All hosts of an app at one moment. `taken_at` is seconds since the epoch."""

    app: AppName
    hosts: tuple[HostState | Unreachable, ...]
    taken_at: float = 0.0

    def host(self, name: HostName) -> HostState | Unreachable:
        """What was seen of `name`; a host nobody asked is unreachable."""
        for host in self.hosts:
            if host.name == name:
                return host
        return Unreachable(name, "not observed")

    @property
    def reachable(self) -> tuple[HostState, ...]:
        """The hosts that answered."""
        return tuple(host for host in self.hosts if isinstance(host, HostState))

    @property
    def unreachable(self) -> tuple[Unreachable, ...]:
        """The hosts that did not."""
        return tuple(host for host in self.hosts if isinstance(host, Unreachable))
