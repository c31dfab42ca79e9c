"""Making replicas: secret files, container, start, and the gate that says they are ready."""

from dataclasses import dataclass, field, replace

from underway.model.container import NetworkPlace
from underway.model.names import ContainerName, HostName
from underway.model.plan import Stage
from underway.model.secret_files import secret_files
from underway.model.snapshot import ContainerState, ContainerStatus, Role
from underway.model.spec import DependencyCondition, HealthSpec, ServiceSpec
from underway.model.step import (
    AwaitContainer,
    AwaitedState,
    CreateContainer,
    RemoveContainer,
    StartContainer,
    Step,
    StopContainer,
    WriteFiles,
)
from underway.rollout.addresses import Allocator, Location
from underway.rollout.cast import Cast
from underway.rollout.causes import Causes
from underway.rollout.condition import holds_resources
from underway.rollout.naming import files_volume, own_labels, retired_name
from underway.rollout.reach import names_for
from underway.rollout.request import image_reference, replica_request
from underway.rollout.scene import Replica, Scene
from underway.rollout.stages import in_lanes, in_parallel

DEFAULT_READY_S = 60.0
"""How long a container without a proxy may take to get ready when nothing says otherwise."""


def ready_timeout_s(service: ServiceSpec) -> float:
    """How long a replica may take to get ready: its health check's own patience, at least 60 s."""
    health = service.health or HealthSpec()
    patience = health.start_period_s + (health.interval_s + health.timeout_s) * (health.retries + 1)
    return max(DEFAULT_READY_S, patience + service.update.monitor_s)


@dataclass(slots=True)
class Starter:
    """Plans how replicas come to life, and remembers where each is reached."""

    scene: Scene
    allocator: Allocator
    locations: dict[tuple[HostName, ContainerName], Location] = field(default_factory=dict)

    def location(self, cast: Cast, replica: Replica) -> Location | None:
        """Where a replica is reached; None where its host does not answer."""
        host = self.scene.host(replica.host)
        if host is None:
            return None
        key = (replica.host, replica.name)
        if key not in self.locations:
            self.locations[key] = self.allocator.locate(cast.service, replica, host)
        return self.locations[key]

    def start(self, title: str, causes: Causes, batch: tuple[Replica, ...]) -> list[Stage]:
        """Stages that create, start and await `batch`; what stands already is only awaited."""
        cast = causes.cast
        stages = in_lanes(f"Files for {title}", self._files(cast, batch))
        stages += in_parallel(f"Start {title}", [self._make(causes, replica) for replica in batch])
        # Of a service that users reach, the edge's probe tells enough; an open port does not.
        if not cast.models or cast.is_tcp:
            stages += in_parallel(
                f"Wait for {title}", [(self._gate(cast.service, replica),) for replica in batch]
            )
        return stages

    def _files(self, cast: Cast, batch: tuple[Replica, ...]) -> list[Step]:
        """One volume of secret files for each host that gets a new container."""
        name = cast.service.name
        hosts = {r.host: r for r in batch if self._lacks(cast, r)}
        labels = own_labels(self.scene.app, Role.FILES)
        return [
            WriteFiles(
                host,
                files_volume(self.scene.app, name, hosts[host].generation),
                image_reference(self.scene.release_on(host).image_of(name)),
                files,
                labels,
                "files it may read",
            )
            for host in sorted(hosts)
            if (files := secret_files(self.scene.service_on(host, cast.service)))
        ]

    def _lacks(self, cast: Cast, replica: Replica) -> bool:
        """Whether the container of a replica must be made."""
        host = self.scene.host(replica.host)
        if host is None:
            return False
        is_broken = (replica.host, replica.name) in cast.broken
        return is_broken or host.container(replica.name) is None

    def _make(self, causes: Causes, replica: Replica) -> list[Step]:
        cast = causes.cast
        host = self.scene.host(replica.host)
        location = self.location(cast, replica)
        if host is None or location is None:
            return []
        if not self._lacks(cast, replica):
            return []
        state = host.container(replica.name)
        steps: list[Step] = []
        why = causes.making(replica)
        if state:
            why = f"replica {replica.index} is {_condition(state.status)}"
            steps += _ended(cast.service, replica, state, why)
        request = replica_request(
            self.scene.release_on(replica.host),
            self.scene.service_on(replica.host, cast.service),
            replica,
            location=_joined(cast, replica, location),
            names=names_for(self.scene.spec, cast.service, replica.host),
            bindings=cast.bindings,
        )
        steps.append(CreateContainer(replica.host, request, why))
        steps.append(StartContainer(replica.host, replica.name, why))
        return steps

    def _gate(self, service: ServiceSpec, replica: Replica) -> AwaitContainer:
        completes = service.runs_once or any(
            dependency.service == service.name
            and dependency.condition is DependencyCondition.COMPLETED
            for other in self.scene.spec.services
            for dependency in other.depends_on
        )
        until = AwaitedState.COMPLETED if completes else AwaitedState.READY
        return AwaitContainer(
            replica.host,
            replica.name,
            service.name,
            until,
            ready_timeout_s(service),
            service.update.monitor_s,
            "exits with 0" if completes else "ready before anything old goes",
        )


def _joined(cast: Cast, replica: Replica, location: Location) -> Location:
    """In the networks of what is taken over from, too: there its consumers look for the service."""
    own = {place.network for place in location.networks}
    met = {
        network
        for held in cast.old
        if held.is_adopted and held.host == replica.host
        for network, _ in held.state.addresses
    }
    more = tuple(NetworkPlace(name, "", (cast.service.name,)) for name in sorted(met - own))
    return replace(location, networks=(*location.networks, *more)) if own else location


def _ended(service: ServiceSpec, replica: Replica, state: ContainerState, why: str) -> list[Step]:
    """Steps that take a container away so that its name is free: it may still be at work."""
    if not holds_resources(state):
        return [RemoveContainer(replica.host, replica.name, why)]
    retired = retired_name(replica.name)
    return [
        StopContainer(replica.host, replica.name, retired, service.stop_grace_s, why),
        RemoveContainer(replica.host, retired, why),
    ]


def _condition(status: ContainerStatus) -> str:
    return "half made" if status is ContainerStatus.CREATED else str(status.value)
