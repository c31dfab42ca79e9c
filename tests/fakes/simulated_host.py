"""One host of a simulated fleet: containers, networks, volumes, records and what its edge knows."""

import ipaddress
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from underway.model.container import ContainerRequest
from underway.model.image import ImageIdentity, ImageState
from underway.model.names import (
    EDGE_CONTAINER,
    LABEL_APP,
    LABEL_PORT,
    LABEL_ROLE,
    LABEL_SERVICE,
    AppName,
    ContainerName,
    HostName,
    ServiceName,
)
from underway.model.release import LedgerState
from underway.model.snapshot import (
    ContainerState,
    ContainerStatus,
    EngineFacts,
    Health,
    HostState,
    NetworkState,
    Role,
    VolumeState,
)
from underway.model.spec import MountKind, NetworkSpec
from underway.model.traffic import (
    EdgeState,
    ObservedServer,
    ObservedUpstream,
    Side,
    Upstream,
    live_side,
)
from underway.rollout.haproxy_config import fragment_digest, routes_of
from underway.rollout.naming import anchor_name, ledger_volume, own_labels, vault_volume

EDGE_ROLE: Final = Role.EDGE.value
FACTS: Final = EngineFacts("26.1.5", "1.45")
CheckKey = tuple[AppName, ServiceName, Side, str]


class Behaviour(Enum):
    """How containers of an image behave."""

    FINE = "fine"
    NEVER_HEALTHY = "never healthy"
    CRASHES = "crashes"


@dataclass(frozen=True, slots=True)
class Box:
    """A container."""

    name: ContainerName
    id: str
    image: str
    labels: tuple[tuple[str, str], ...]
    has_healthcheck: bool
    published: tuple[tuple[str, int], ...]
    addresses: tuple[tuple[str, str], ...]
    volumes: tuple[str, ...]
    names: tuple[tuple[str, str], ...] = ()
    status: ContainerStatus = ContainerStatus.CREATED
    health: Health = Health.NONE
    exit_code: int = 0
    restarts: int = 0
    restart: str = "unless-stopped"

    @classmethod
    def created(cls, request: ContainerRequest, image: str, number: str) -> "Box":
        """The container of a request, not yet started."""
        test = request.health.test if request.health else ()
        return cls(
            request.name,
            number,
            image,
            request.labels,
            bool(test) and test != ("NONE",),
            tuple((p.host_address, p.host_port) for p in request.published if p.host_port),
            tuple((place.network, place.address) for place in request.networks),
            tuple(m.source for m in request.mounts if m.kind is MountKind.VOLUME and m.source),
            request.extra_hosts,
        )

    def label(self, name: str) -> str:
        """The label's value, or ""."""
        return next((value for key, value in self.labels if key == name), "")

    @property
    def role(self) -> str:
        """What it is for."""
        return self.label(LABEL_ROLE)

    @property
    def service(self) -> str:
        """The service it belongs to."""
        return self.label(LABEL_SERVICE)

    @property
    def is_running(self) -> bool:
        """Whether it can answer."""
        return self.status is ContainerStatus.RUNNING

    @property
    def is_restarting(self) -> bool:
        """Whether it crashes in a loop."""
        return self.status is ContainerStatus.RESTARTING

    @property
    def is_retired(self) -> bool:
        """Whether it is on its way out."""
        return self.name.endswith("-retired")

    def is_replica_of(self, app: AppName, service: ServiceName) -> bool:
        """Whether it is a replica of this service."""
        return (
            self.role == Role.REPLICA.value
            and self.label(LABEL_APP) == app
            and self.service == service
        )

    def state(self) -> ContainerState:
        """What an engine tells of it: it holds ports and addresses only while it runs."""
        holds = self.is_running or self.is_restarting
        return ContainerState(
            id=self.id,
            name=self.name,
            image_id=self.image,
            status=self.status,
            labels=self.labels,
            health=self.health,
            exit_code=self.exit_code,
            restart_count=self.restarts,
            published=self.published if holds else (),
            addresses=self.addresses if holds else (),
            volumes=self.volumes,
            restart=self.restart,
        )


@dataclass(slots=True)
class SimulatedHost:
    """A host. What the edge knows stays in its volume when its container goes."""

    name: HostName
    address: str
    is_reachable: bool = True
    boxes: dict[str, Box] = field(default_factory=dict)
    images: dict[str, ImageIdentity] = field(default_factory=dict)
    networks: dict[str, NetworkState] = field(default_factory=dict)
    volumes: dict[str, VolumeState] = field(default_factory=dict)
    ledger: LedgerState | None = None
    vault: tuple[int, ...] = ()
    upstreams: dict[tuple[AppName, ServiceName], Upstream] = field(default_factory=dict)
    checks: dict[CheckKey, str] = field(default_factory=dict)
    proxy: str = EDGE_CONTAINER
    rested: frozenset[str] = frozenset()

    def fork(self) -> "SimulatedHost":
        """An independent copy: all values inside are frozen."""
        return replace(
            self,
            boxes=dict(self.boxes),
            images=dict(self.images),
            networks=dict(self.networks),
            volumes=dict(self.volumes),
            upstreams=dict(self.upstreams),
            checks=dict(self.checks),
        )

    def has_running(self, role: str, app: AppName | None = None) -> bool:
        """Whether a container of this role runs here."""
        return any(
            box.is_running and box.role == role and app in {None, box.label(LABEL_APP)}
            for box in self.boxes.values()
        )

    def has_proxy(self) -> bool:
        """Whether the proxy that speaks for this edge runs."""
        return self.proxy in self.boxes and self.boxes[self.proxy].is_running

    def listens(self) -> set[tuple[str, int]]:
        """Addresses and ports at which the edge listens for services."""
        if not self.has_proxy():
            return set()
        return {
            (address, int(port))
            for upstream in self.upstreams.values()
            for listen in upstream.listens
            for address, _, port in [listen.rpartition(":")]
        }

    def put_network(self, network: NetworkSpec) -> None:
        """Create a network; one that exists is left alone."""
        made = NetworkState(network.physical, (network.subnet,), network.labels)
        self.networks.setdefault(network.physical, made)

    def keep_checks(self, wished: Upstream, seen: Upstream | None) -> None:
        """Forget the checks of servers that are new, moved or gone."""
        before = {(s.side, s.name): (s.address, s.port) for s in seen.servers} if seen else {}
        after = {(s.side, s.name): (s.address, s.port) for s in wished.servers}
        for side, name in {*before, *after}:
            if before.get((side, name)) != after.get((side, name)):
                self.checks.pop((wished.app, wished.service, side, name), None)

    def revive_anchor(self, app: AppName) -> None:
        """As observing does: an anchor that holds records is made to run before it is read."""
        volume, name = ledger_volume(app), anchor_name(app)
        if volume not in self.volumes or self.has_running(Role.ANCHOR.value, app):
            return
        box = self.boxes.get(name) or Box(
            name,
            f"revived-{app}",
            min(self.images, default=""),
            own_labels(app, Role.ANCHOR),
            has_healthcheck=False,
            published=(),
            addresses=(),
            volumes=(volume, vault_volume(app)),
        )
        self.boxes[name] = replace(box, status=ContainerStatus.RUNNING)

    def state(self) -> HostState:
        """What `observe` sees of this host."""
        has_anchor = self.has_running(Role.ANCHOR.value)
        has_edge = self.has_proxy()
        return HostState(
            name=self.name,
            facts=FACTS,
            containers=tuple(self.boxes[name].state() for name in sorted(self.boxes)),
            images=tuple(
                ImageState(digest, (image.reference,), _digests(image), (), 1, "")
                for digest, image in sorted(self.images.items())
            ),
            networks=tuple(self.networks[name] for name in sorted(self.networks)),
            volumes=tuple(self.volumes[name] for name in sorted(self.volumes)),
            ledger=(self.ledger or LedgerState(self.name)) if has_anchor else None,
            vault=self.vault if has_anchor else (),
            edge=self._edge() if has_edge else None,
        )

    def _edge(self) -> EdgeState:
        return EdgeState(
            "3.0",
            container=ContainerName(self.proxy),
            rested=tuple(sorted(self.rested)),
            http_port=int(self.boxes[self.proxy].label(LABEL_PORT) or 0),
            upstreams=tuple(
                ObservedUpstream(
                    u.app,
                    u.service,
                    live_side({u.live} if routes_of(u) or u.listens else (), u.servers),
                    fragment_digest(u),
                    routes_of(u),
                    tuple(
                        ObservedServer(
                            s.name, s.side, s.address, s.port, s.mode, check, check == "L7OK"
                        )
                        for s in u.servers
                        for check in [self.checks.get((u.app, u.service, s.side, s.name), "")]
                    ),
                    u.listens,
                )
                for _, u in sorted(self.upstreams.items())
            ),
        )


def overlapping(network: NetworkState, subnet: str) -> bool:
    """Whether a network overlaps a subnet."""
    if not subnet:
        return False
    wished = ipaddress.ip_network(subnet)
    return any(ipaddress.ip_network(held).overlaps(wished) for held in network.subnets)


def _digests(image: ImageIdentity) -> tuple[str, ...]:
    """The digests that an engine tells of an image: of what came from a registry."""
    return (image.pull_reference,) if image.pull_reference else ()
