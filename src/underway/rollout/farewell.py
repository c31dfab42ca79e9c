"""What goes for good: services that the release no longer has, and what interrupted runs left."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from underway.model.names import ServiceName
from underway.model.plan import Stage
from underway.model.snapshot import HostState, Role
from underway.model.spec import ServiceSpec
from underway.model.step import (
    AwaitDrained,
    RemoveContainer,
    RemoveUpstream,
    Step,
    StopContainer,
)
from underway.rollout.causes import departure_cause
from underway.rollout.condition import holds_resources
from underway.rollout.naming import is_retired
from underway.rollout.reach import proxy_for
from underway.rollout.scene import Held, Scene
from underway.rollout.stages import in_parallel
from underway.rollout.takeover import ending, removal

DRAIN_S = 30.0
"""How long requests may take to end where no release tells it any more."""


@dataclass(slots=True)
class Farewell:
    """Steps for services that are gone, by phase; `kept` are left for the sake of a lost edge."""

    drain: list[Step] = field(default_factory=list)
    stop: list[tuple[Step, ...]] = field(default_factory=list)
    remove: list[Step] = field(default_factory=list)
    kept: list[Held] = field(default_factory=list)


def departed(scene: Scene, *, listened: bool) -> tuple[ServiceName, ...]:
    """The services that the release does not have, sorted.

    `listened`: those that edges listen for on behalf of other services, or the others.
    """
    kept = {service.name for service in scene.spec.services}
    return tuple(
        name
        for name in scene.services_seen()
        if name not in kept and _is_listened(scene, name) is listened
    )


def farewell(scene: Scene, names: Iterable[ServiceName]) -> Farewell:
    """Plan the end of these services.

    Users' requests to such a service are refused by the edge as soon as it forgets it, so the
    edge forgets it first. What a lost edge may still send requests to keeps running.
    """
    gone = Farewell()
    for name in names:
        for host in scene.reachable:
            if scene.upstream(host, name):
                cause = departure_cause(scene, name)
                old = scene.replicas_of(name)
                gone.drain += _taken_out(scene, host, name, old, cause)
        _end(scene, name, gone)
    return gone


def _is_listened(scene: Scene, name: ServiceName) -> bool:
    seen = (scene.upstream(host, name) for host in scene.reachable)
    return any(upstream.listens for upstream in seen if upstream)


def withdrawal(scene: Scene, service: ServiceSpec, old: Iterable[Held]) -> Iterator[Step]:
    """Steps that take a service out of former edges, or, without a proxy, out of all edges.

    They come before its first old replica is stopped: an edge that nobody tells of the new ones
    would go on sending requests to it.
    """
    former = {host.name for host in scene.former_edges}
    for host in _withdrawn(scene, service):
        is_former = host.name in former
        cause = "it is no edge any more" if is_former else "no longer behind the proxy"
        yield from _taken_out(scene, host, service.name, old, cause)


def withdraws_listener(scene: Scene, service: ServiceSpec) -> bool:
    """Whether old consumers of a service lose their way to it by its withdrawal."""
    seen = (scene.upstream(host, service.name) for host in _withdrawn(scene, service))
    return any(upstream.listens for upstream in seen if upstream)


def _withdrawn(scene: Scene, service: ServiceSpec) -> Iterator[HostState]:
    """The hosts whose edge knows a service and shall not."""
    former = {host.name for host in scene.former_edges}
    is_passed_on = proxy_for(scene.spec, service) is not None
    for host in scene.reachable:
        if (host.name in former or not is_passed_on) and scene.upstream(host, service.name):
            yield host


def leftovers(scene: Scene) -> list[Stage]:
    """Stages that end what an interrupted run had begun to retire.

    They come ahead of the rollout: until a retired replica is gone, it may write to a volume that
    its successor needs for itself, and its name is taken.
    """
    lanes: list[tuple[Step, ...]] = []
    for held in scene.containers(Role.REPLICA):
        if is_retired(held.name):
            cause = "left by an interrupted run"
            stop = StopContainer(held.host, held.name, held.name, None, cause)
            remove = RemoveContainer(held.host, held.name, cause)
            lanes.append((stop, remove) if holds_resources(held.state) else (remove,))
    return in_parallel("Finish what was interrupted", lanes)


def _taken_out(
    scene: Scene, host: HostState, name: ServiceName, old: Iterable[Held], cause: str
) -> Iterator[Step]:
    """The edge forgets the service, and what it has already sent is finished."""
    yield RemoveUpstream(host.name, scene.app, name, cause)
    names = tuple(held.name for held in old if not is_retired(held.name))
    if names:
        why = "requests that are under way are finished"
        yield AwaitDrained(host.name, scene.app, name, names, _drain_s(scene, name), why)


def _drain_s(scene: Scene, name: ServiceName) -> float:
    """The drain of a service as the release has it that served it last."""
    for release in scene.recorded_releases():
        for service in release.spec.services:
            proxy = proxy_for(release.spec, service) if service.name == name else None
            if proxy:
                return proxy.drain_s
    return DRAIN_S


def _end(scene: Scene, name: ServiceName, gone: Farewell) -> None:
    for held in scene.replicas_of(name):
        if is_retired(held.name):
            continue
        if scene.lost_edges and held.state.port:
            gone.kept.append(held)
            continue
        cause = departure_cause(scene, name)
        gone.stop.append(ending(held, None, cause))
        gone.remove += removal(held, cause)
