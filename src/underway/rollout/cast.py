"""One service's replicas, wished and seen, sorted into what a strategy acts on."""

from collections.abc import Mapping
from dataclasses import dataclass

from underway.model.names import HostName, VolumeName
from underway.model.snapshot import ContainerState, ContainerStatus
from underway.model.spec import ProxySpec, ServiceSpec
from underway.rollout.condition import holds_resources, is_ready, is_standing, is_unwell
from underway.rollout.naming import is_retired
from underway.rollout.reach import proxy_for
from underway.rollout.routes import Routes
from underway.rollout.scene import Held, Replica, Scene
from underway.rollout.succession import wished_replicas
from underway.rollout.upstreams import EdgeModel, edge_model


@dataclass(frozen=True, slots=True)
class Cast:
    """A service's replicas.

    Attributes:
        wished: all replicas the release wants.
        good: wished ones that serve as they shall.
        todo: wished ones that must be made, mended or routed, on hosts that answer.
        absent: wished ones on hosts that do not answer.
        old: running replicas that are not wished, unwell ones first: to be drained and retired.
        gone: containers that only have to be removed (retired, stopped, half-made).
        broken: names of wished ones whose container must be removed before it is made anew.
        spared: wished ones that failed, were tolerated, and are left as they are.
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
    spared: tuple[Replica, ...] = ()

    @property
    def unwell(self) -> tuple[Held, ...]:
        """Old ones that a successor of their own generation replaces because they are unwell."""
        wished = {replica.generation for replica in self.wished}
        return tuple(h for h in self.old if h.state.generation in wished and is_unwell(h.state))

    @property
    def is_tcp(self) -> bool:
        """Whether edges pass on to it byte by byte, for other services alone."""
        return self.proxy is not None and not self.proxy.hosts


def _is_good(replica: Replica, state: ContainerState, service: ServiceSpec, cast: "_Draft") -> bool:
    if service.runs_once:
        return state.status is ContainerStatus.EXITED and state.exit_code == 0
    if not cast.models:
        return is_ready(state)
    # The edges' own checks tell more than a health check that has not yet had its first turn.
    return is_standing(state) and all(model.takes(replica.name) for model in cast.models)


def _is_broken(state: ContainerState, service: ServiceSpec) -> bool:
    if service.runs_once:
        return state.status is not ContainerStatus.RUNNING
    return not is_standing(state)


def _unwell_first(held: Held) -> tuple[bool, int, HostName, str]:
    return is_standing(held.state), held.state.replica, held.host, held.name


@dataclass(slots=True)
class _Draft:
    models: tuple[EdgeModel, ...]
    good: list[Replica]
    todo: list[Replica]
    absent: list[Replica]
    spared: list[Replica]
    broken: set[tuple[HostName, str]]


def cast_of(scene: Scene, service: ServiceSpec, routes: Routes | None = None) -> Cast:
    """Sort the replicas of `service`; `routes` as the plan has moved them so far."""
    known = routes or Routes(scene)
    bindings = scene.bindings()
    wished = wished_replicas(scene, service, bindings)
    proxy = proxy_for(scene.spec, service)
    models = tuple(edge_model(known, edge, service, proxy) for edge in scene.edges) if proxy else ()
    draft = _Draft(models, [], [], [], [], set())
    for replica in wished:
        host = scene.host(replica.host)
        if host is None:
            draft.absent.append(replica)
            continue
        state = host.container(replica.name)
        if state is not None and _is_good(replica, state, service, draft):
            draft.good.append(replica)
            continue
        if replica.name in scene.policy.tolerated:
            draft.spared.append(replica)
            continue
        draft.todo.append(replica)
        if state is not None and _is_broken(state, service):
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
        tuple(sorted(old, key=_unwell_first)),
        tuple(h for h in others if h not in old),
        frozenset(draft.broken),
        models,
        tuple(draft.spared),
    )
