"""One service's replicas, wished and seen, sorted into what a strategy acts on."""

from collections.abc import Mapping
from dataclasses import dataclass

from underway.model.names import (
    LABEL_APP,
    LABEL_COUNTER,
    LABEL_GENERATION,
    HostName,
    VolumeName,
)
from underway.model.snapshot import ContainerState, ContainerStatus, Health
from underway.model.spec import ProxySpec, ServiceSpec
from underway.rollout.generation import generation_of
from underway.rollout.naming import is_retired, replica_name
from underway.rollout.reach import proxy_for
from underway.rollout.scene import Held, Replica, Scene, placed
from underway.rollout.upstreams import EdgeModel, edge_model


@dataclass(frozen=True, slots=True)
class Cast:
    """A service's replicas.

    Attributes:
        wished: all replicas the release wants.
        good: wished ones that serve as they shall.
        todo: wished ones that must be made, mended or routed, on hosts that answer.
        absent: wished ones on hosts that do not answer.
        old: running replicas that are not wished: to be drained and retired.
        gone: containers that only have to be removed (retired, stopped, half-made).
        broken: names of wished ones whose container must be removed before it is made anew.
        proxy: how edges pass on to it, None where none does.
    """

    service: ServiceSpec
    proxy: ProxySpec | None
    bindings: Mapping[VolumeName, str]
    wished: tuple[Replica, ...]
    good: tuple[Replica, ...]
    todo: tuple[Replica, ...]
    absent: tuple[Replica, ...]
    old: tuple[Held, ...]
    gone: tuple[Held, ...]
    broken: frozenset[tuple[HostName, str]]
    models: tuple[EdgeModel, ...]

    @property
    def is_tcp(self) -> bool:
        """Whether edges pass on to it byte by byte, for other services alone."""
        return self.proxy is not None and not self.proxy.hosts

    def is_unwell(self, replica: Replica, scene: Scene) -> bool:
        """Whether the replica must be made anew although its container has processes."""
        host = scene.host(replica.host)
        state = host.container(replica.name) if host else None
        is_broken = (replica.host, replica.name) in self.broken
        return is_broken and state is not None and holds_resources(state)


def _wished(
    scene: Scene, service: ServiceSpec, bindings: Mapping[VolumeName, str]
) -> tuple[Replica, ...]:
    """The replicas of the release, under the recreate counter that fits.

    Replicas that stand already decide the counter: the newest of them, or, going back, the
    oldest. Where the user asks to recreate them, or none stands, it is the lowest counter above
    them whose names no foreign container holds.
    """

    def replicas(counter: int) -> tuple[Replica, ...]:
        generation = generation_of(scene.release, service, bindings=bindings, counter=counter)
        return tuple(
            Replica(
                service.name,
                index,
                host,
                replica_name(scene.app, service.name, generation, index),
                generation,
                counter,
            )
            for index, host in placed(service, scene.policy.skip_hosts)
        )

    seen = scene.replicas_of(service.name)
    generations = {held.state.generation for held in seen if not is_retired(held.name)}
    counters = sorted({int(held.state.label(LABEL_COUNTER) or 0) for held in seen})
    standing = [c for c in counters if any(r.generation in generations for r in replicas(c))]
    lowest = counters[-1] + 1 if standing else 0
    if service.name not in scene.policy.recreate:
        for counter in standing if scene.policy.is_undo else reversed(standing):
            if not _is_misplaced(scene, service, replicas(counter)):
                return replicas(counter)
    counter = lowest
    while _names_are_held(scene, service, replicas(counter)):
        counter += 1
    return replicas(counter)


def _names_are_held(scene: Scene, service: ServiceSpec, replicas: tuple[Replica, ...]) -> bool:
    for replica in replicas:
        host = scene.host(replica.host)
        holder = host.container(replica.name) if host else None
        if holder and (
            holder.label(LABEL_APP) != scene.app
            or holder.label(LABEL_GENERATION) != replica.generation
        ):
            return True
    return _is_misplaced(scene, service, replicas)


def _is_misplaced(scene: Scene, service: ServiceSpec, replicas: tuple[Replica, ...]) -> bool:
    """Whether a name stands on another host than it shall, or cannot be reached as it shall be.

    Edges know replicas by name: one name is one container in the whole fleet.
    """
    seen = scene.replicas_of(service.name)
    shall = {replica.name: replica.host for replica in replicas}
    if any(held.host != shall.get(held.name, held.host) for held in seen):
        return True
    places = {held.name: held for held in seen}
    proxy = proxy_for(scene.spec, service)
    if proxy is None:
        return False
    for replica in replicas:
        own = scene.spec.host(replica.host).address if scene.is_fleet else ""
        held = places.get(replica.name)
        if held and held.state.port and not _suits(held.state, own, proxy.port):
            return True
        known = scene.known_server(service.name, replica.name)
        if known and not held and own and known.address != own:
            return True
    return False


def _suits(state: ContainerState, own_address: str, port: int) -> bool:
    """Whether edges reach a container: on its host's private address, or where it is pinned."""
    if own_address:
        return state.address == own_address
    return state.address == "127.0.0.1" or state.port == port


def is_standing(state: ContainerState) -> bool:
    """Whether a container runs and may serve."""
    return state.status is ContainerStatus.RUNNING and state.health is not Health.UNHEALTHY


def is_ready(state: ContainerState) -> bool:
    """Whether a container does its work: it runs, and no health check says otherwise."""
    return is_standing(state) and state.health is not Health.STARTING


def _is_good(replica: Replica, state: ContainerState, service: ServiceSpec, cast: "_Draft") -> bool:
    if service.runs_once:
        return state.status is ContainerStatus.EXITED and state.exit_code == 0
    if not is_ready(state):
        return False
    return all(model.takes(replica.name) for model in cast.models)


@dataclass(slots=True)
class _Draft:
    models: tuple[EdgeModel, ...]
    good: list[Replica]
    todo: list[Replica]
    absent: list[Replica]
    broken: set[tuple[HostName, str]]


def cast_of(scene: Scene, service: ServiceSpec) -> Cast:
    """Sort the replicas of `service`."""
    bindings = scene.bindings()
    wished = _wished(scene, service, bindings)
    proxy = proxy_for(scene.spec, service)
    models = tuple(edge_model(scene, edge, service, proxy) for edge in scene.edges) if proxy else ()
    draft = _Draft(models, [], [], [], set())
    for replica in wished:
        host = scene.host(replica.host)
        if host is None:
            draft.absent.append(replica)
            continue
        state = host.container(replica.name)
        if state is not None and _is_good(replica, state, service, draft):
            draft.good.append(replica)
            continue
        draft.todo.append(replica)
        if state is not None and not is_standing(state):
            draft.broken.add((replica.host, replica.name))
    at = {(replica.host, replica.name) for replica in wished}
    others = [h for h in scene.replicas_of(service.name) if (h.host, h.name) not in at]
    old = tuple(h for h in others if holds_resources(h.state) and not is_retired(h.name))
    return Cast(
        service,
        proxy,
        bindings,
        wished,
        tuple(draft.good),
        tuple(draft.todo),
        tuple(draft.absent),
        tuple(sorted(old, key=lambda h: (h.state.replica, h.host, h.name))),
        tuple(h for h in others if h not in old),
        frozenset(draft.broken),
        models,
    )


def holds_resources(state: ContainerState) -> bool:
    """Whether a container has processes: it may answer, write to volumes, and hold ports."""
    return state.status in {
        ContainerStatus.RUNNING,
        ContainerStatus.PAUSED,
        ContainerStatus.RESTARTING,
    }
