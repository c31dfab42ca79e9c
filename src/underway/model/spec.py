"""What the team wishes: the typed form of a Compose file with its `x-underway`.

Sensitive values never stand here: a place that needs one holds its `SensitiveName`, and the
values travel apart (see `underway.model.sensitive`). Everything is sorted by name, so that equal
files give equal specifications.
"""

from dataclasses import dataclass
from enum import StrEnum

from underway.model.names import (
    AppName,
    HostName,
    NetworkName,
    SensitiveName,
    ServiceName,
    VolumeName,
)
from underway.model.remark import Remark


@dataclass(frozen=True, slots=True, order=True)
class EnvVar:
    """One variable of a container: a public `value`, or the name of a `sensitive` one."""

    name: str
    value: str = ""
    sensitive: SensitiveName | None = None


class MountKind(StrEnum):
    """What stands behind a mount."""

    VOLUME = "volume"
    BIND = "bind"
    TMPFS = "tmpfs"


@dataclass(frozen=True, slots=True, order=True)
class Mount:
    """A mount of a container.

    `source` is the Compose volume's name (VOLUME; "" for an anonymous one), a path on the host
    (BIND), or "" (TMPFS). `options` is canonical JSON of the Engine API's VolumeOptions,
    BindOptions or TmpfsOptions, or "".
    """

    kind: MountKind
    source: str
    target: str
    read_only: bool = False
    options: str = ""


@dataclass(frozen=True, slots=True, order=True)
class FileSpec:
    """A secret, config or small read-only bind that travels with the release.

    `content` names its bytes among the sensitive values. `mode` is the numeric file mode.
    """

    content: SensitiveName
    target: str
    uid: int = 0
    gid: int = 0
    mode: int = 0o444
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class HealthSpec:
    """A container's HEALTHCHECK as the Engine API takes it; `test` is () where the image decides.

    `test == ("NONE",)` disables the image's own.
    """

    test: tuple[str, ...] = ()
    interval_s: float = 0.0
    timeout_s: float = 0.0
    retries: int = 0
    start_period_s: float = 0.0
    start_interval_s: float = 0.0


@dataclass(frozen=True, slots=True, order=True)
class PortSpec:
    """A published port; `host_port` 0 lets the engine choose, a `last_host_port` up to that one.

    `host_address` "" means the default: loopback on one host, the private address on a fleet.
    """

    container_port: int
    host_port: int = 0
    protocol: str = "tcp"
    host_address: str = ""
    is_public: bool = False
    last_host_port: int = 0

    @property
    def fixed_port(self) -> int:
        """The port of a host that it must have, 0 where there is a choice."""
        return 0 if self.last_host_port else self.host_port

    @property
    def host_ports(self) -> range:
        """The ports of a host that it may take; none where the engine chooses among all."""
        return range(self.host_port, (self.last_host_port or self.host_port) + bool(self.host_port))


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """How the edge asks a replica whether it can serve: HTTP GET `path`, or TCP if "" ."""

    path: str = ""
    interval_s: float = 1.0
    timeout_s: float = 2.0
    rise: int = 1
    fall: int = 3


@dataclass(frozen=True, slots=True)
class ProxySpec:
    """How users reach a service through the edge.

    `port` is the container's. `drain_s` bounds how long a retiring replica may finish what it
    has, upgraded connections included. `deploy_timeout_s` bounds the wait for a new replica.
    """

    hosts: tuple[str, ...]
    port: int
    path: str = "/"
    probe: ProbeSpec = ProbeSpec()
    drain_s: float = 30.0
    deploy_timeout_s: float = 60.0
    response_timeout_s: float = 60.0
    tunnel_timeout_s: float = 3600.0


class Strategy(StrEnum):
    """How one generation is replaced by another."""

    ROLLING = "rolling"
    BLUE_GREEN = "blue-green"
    RECREATE = "recreate"


class FailureAction(StrEnum):
    """What a failed batch leads to (Compose's `update_config.failure_action`)."""

    ROLLBACK = "rollback"
    PAUSE = "pause"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class UpdateSpec:
    """Compose's `update_config`. `parallelism` 0 means all at once.

    `monitor_s` is how long a replica without HEALTHCHECK must run without a restart; where the
    file itself gives `monitor` (`is_monitored`), every new replica is also watched that long:
    a batch after it took traffic, a generation that takes over as a whole before it does.
    """

    parallelism: int = 1
    delay_s: float = 0.0
    monitor_s: float = 5.0
    is_monitored: bool = False
    failure_action: FailureAction = FailureAction.ROLLBACK
    max_failure_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class BeforeSpec:
    """A command run once, from the new image, before any replica of the new release starts."""

    command: tuple[str, ...]
    timeout_s: float = 600.0
    undo: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Attachment:
    """A service's place in a network. `aliases` beside the service's own name."""

    network: NetworkName
    aliases: tuple[str, ...] = ()


class DependencyCondition(StrEnum):
    """Compose's `depends_on` conditions."""

    STARTED = "service_started"
    HEALTHY = "service_healthy"
    COMPLETED = "service_completed_successfully"


@dataclass(frozen=True, slots=True, order=True)
class Dependency:
    """A service that must be there first."""

    service: ServiceName
    condition: DependencyCondition = DependencyCondition.STARTED
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """Where an image is built from; `definition` is Compose's own canonical `build` as JSON."""

    context: str
    dockerfile: str
    definition: str


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service as it is wished.

    Attributes:
        image: reference as written, or "" when only `build` is given.
        engine: canonical JSON `{"Config": {...}, "HostConfig": {...}}`: every other Compose key
            already in the words of the Engine API (command, user, limits, logging, ...).
        hosts: where replicas may stand, in order; never empty.
        place: `file:line` of the service.
    """

    name: ServiceName
    image: str
    hosts: tuple[HostName, ...]
    build: BuildSpec | None = None
    engine: str = "{}"
    environment: tuple[EnvVar, ...] = ()
    mounts: tuple[Mount, ...] = ()
    files: tuple[FileSpec, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    health: HealthSpec | None = None
    ports: tuple[PortSpec, ...] = ()
    expose: tuple[int, ...] = ()
    networks: tuple[Attachment, ...] = ()
    extra_hosts: tuple[tuple[str, str], ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    replicas: int = 1
    is_global: bool = False
    stop_grace_s: float = 10.0
    is_single_writer: bool = False
    proxy: ProxySpec | None = None
    strategy: Strategy = Strategy.ROLLING
    update: UpdateSpec = UpdateSpec()
    before: BeforeSpec | None = None
    runs_once: bool = False
    place: str = ""


class VolumeKind(StrEnum):
    """Who shares a volume: one host, all hosts, or each host for itself."""

    LOCAL = "local"
    SHARED = "shared"
    PER_HOST = "per-host"


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """A named volume. `physical` is the engine's name for it (`libra_uploads`)."""

    name: VolumeName
    physical: str
    kind: VolumeKind = VolumeKind.LOCAL
    driver: str = "local"
    driver_opts: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    is_external: bool = False
    is_single_writer: bool = False


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network of the app. `physical` is the engine's name for it (`libra_default`)."""

    name: NetworkName
    physical: str
    driver: str = "bridge"
    driver_opts: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    subnet: str = ""
    is_internal: bool = False
    is_external: bool = False
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class HostSpec:
    """A Docker host. `address` is private, "" where it is alone; `certificates` are for `tcp://`."""

    name: HostName
    url: str
    address: str = ""
    groups: tuple[str, ...] = ()
    certificates: str = ""


@dataclass(frozen=True, slots=True)
class EdgeSpec:
    """The hosts that take users' traffic, and where their proxy listens."""

    hosts: tuple[HostName, ...] = ()
    http_port: int = 80


@dataclass(frozen=True, slots=True)
class AppSpec:
    """One Compose project, understood.

    `tags` are strategies of immutable tags, `moving_tags` of those that follow what serves; `bump`
    is the part of the last version that grows where a commit has none, or "".
    `tools` is the reference of the tools image ("" for Underway's own); `subnet` the range that
    networks created on hosts take their subnets from.
    """

    name: AppName
    services: tuple[ServiceSpec, ...]
    hosts: tuple[HostSpec, ...]
    environment: str = ""
    edge: EdgeSpec = EdgeSpec()
    volumes: tuple[VolumeSpec, ...] = ()
    networks: tuple[NetworkSpec, ...] = ()
    tags: tuple[str, ...] = ("{date}-{commit}",)
    moving_tags: tuple[str, ...] = ()
    bump: str = ""
    tools: str = ""
    subnet: str = "10.213.0.0/16"
    remarks: tuple[Remark, ...] = ()

    def service(self, name: ServiceName) -> ServiceSpec:
        """The service called `name`; raises KeyError."""
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)

    def host(self, name: HostName) -> HostSpec:
        """The host called `name`; raises KeyError."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)
