"""What goes for good: services that the release no longer has, and what interrupted runs left."""

from dataclasses import dataclass, field

from underway.model.names import ServiceName
from underway.model.plan import Stage
from underway.model.snapshot import Role
from underway.model.step import RemoveContainer, RemoveUpstream, Step, StopContainer
from underway.rollout.cast import holds_resources
from underway.rollout.naming import is_retired, retired_name
from underway.rollout.scene import Scene
from underway.rollout.stages import in_parallel

STOP_GRACE_S = 30.0
"""A service that is gone from the file tells no grace period any more."""


@dataclass(slots=True)
class Farewell:
    """Steps for services that are gone, by phase."""

    drain: list[Step] = field(default_factory=list)
    stop: list[tuple[Step, ...]] = field(default_factory=list)
    forget: list[Step] = field(default_factory=list)
    remove: list[Step] = field(default_factory=list)


def farewell(scene: Scene, *, everything: bool = False) -> Farewell:
    """Plan the end of services that the release does not have; with `everything`, of all.

    Users' requests to such a service are refused by the edge as soon as it forgets it, so the
    edge forgets it first.
    """
    kept: set[ServiceName] = set()
    if not everything:
        kept = {service.name for service in scene.spec.services}
    gone = Farewell()
    for name in scene.services_seen():
        if name not in kept:
            _forget(scene, name, gone, "the release no longer has it")
            _end(scene, name, gone)
    for host in scene.former_edges:
        for upstream in host.edge.upstreams if host.edge else ():
            if upstream.app == scene.app and upstream.service in kept:
                cause = f"{host.name} is no edge any more"
                gone.forget.append(RemoveUpstream(host.name, scene.app, upstream.service, cause))
    for service in scene.spec.services:
        if service.name in kept and service.proxy is None:
            _forget(scene, service.name, gone, "no longer behind the proxy")
    return gone


def leftovers(scene: Scene) -> list[Stage]:
    """Stages that end what an interrupted run had begun to retire.

    They come ahead of the rollout: until a retired replica is gone, it may write to a volume that
    its successor needs for itself, and its name is taken.
    """
    lanes: list[tuple[Step, ...]] = []
    for held in scene.containers(Role.REPLICA):
        if is_retired(held.name):
            cause = "left by an interrupted run"
            stop = StopContainer(held.host, held.name, held.name, STOP_GRACE_S, cause)
            remove = RemoveContainer(held.host, held.name, cause)
            lanes.append((stop, remove) if holds_resources(held.state) else (remove,))
    return in_parallel("Finish what was interrupted", lanes)


def _forget(scene: Scene, name: ServiceName, gone: Farewell, cause: str) -> None:
    for host in scene.reachable:
        for upstream in host.edge.upstreams if host.edge else ():
            if upstream.app == scene.app and upstream.service == name:
                gone.drain.append(RemoveUpstream(host.name, scene.app, name, cause))


def _end(scene: Scene, name: ServiceName, gone: Farewell) -> None:
    for held in scene.replicas_of(name):
        if is_retired(held.name):
            continue
        retired = retired_name(held.name)
        gone.stop.append(
            (StopContainer(held.host, held.name, retired, STOP_GRACE_S, "no longer wished"),)
        )
        gone.remove.append(RemoveContainer(held.host, retired, "no longer wished"))
