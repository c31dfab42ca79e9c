"""What a rollout replaces and holds what its replicas need: ports, volumes of a single writer."""

from collections.abc import Iterable

from underway.model.names import HostName, ServiceName, VolumeName
from underway.model.snapshot import ContainerState, Role
from underway.model.spec import MountKind
from underway.rollout.cast import Cast
from underway.rollout.condition import holds_resources
from underway.rollout.naming import is_retired
from underway.rollout.reach import direct_ports, listens_on
from underway.rollout.scene import Held, Scene


def holds(state: ContainerState, listen: str) -> bool:
    """Whether a running container publishes a port on an address, or on all addresses."""
    address, _, port = listen.rpartition(":")
    return any(
        number == int(port) and held in {address, "0.0.0.0", "::"}  # noqa: S104 - compared
        for held, number in state.published
    )


def is_called_directly(state: ContainerState) -> bool:
    """Whether a replica publishes a port that is not the edges': services elsewhere may call it."""
    return any(place != (state.address, state.port) for place in state.published)


def _direct(scene: Scene, cast: Cast) -> Iterable[tuple[HostName, str]]:
    """The ports that replicas to be made publish for consumers: (host, address and port)."""
    for port in direct_ports(scene.spec, cast.service):
        for replica in cast.todo:
            yield replica.host, f"{scene.spec.host(replica.host).address}:{port}"


def needs_listener_closed(scene: Scene, cast: Cast) -> bool:
    """Whether an edge listens for the service where a replica to be made publishes its port."""
    for name, at in _direct(scene, cast):
        host = scene.host(name)
        seen = scene.upstream(host, cast.service.name) if host else None
        if seen and at in seen.listens:
            return True
    return False


def must_stop_first(scene: Scene, cast: Cast) -> bool:
    """Whether old and new replicas cannot stand side by side for want of a port."""
    service = cast.service
    if service.proxy is None and any(port.fixed_port for port in service.ports):
        return True
    wanted = {*_direct(scene, cast)}
    for model in cast.models:
        wanted |= {(model.edge, at) for at in listens_on(scene.spec, service, model.edge)}
    return any(
        holds(held.state, at) for host, at in wanted for held in cast.old if held.host == host
    )


def rivals(scene: Scene, cast: Cast) -> tuple[ServiceName, ...]:
    """Services that go, and whose replicas hold what replicas to be made need for themselves.

    As where a database gets another name in the file and keeps its volume.
    """
    kept = {service.name for service in scene.spec.services}
    return tuple(
        sorted(
            {
                held.state.service
                for held in scene.containers(Role.REPLICA)
                if held.state.service not in kept
                and not is_retired(held.name)
                and holds_resources(held.state)
                and (_writes_alone(cast, held) or _needs_port(scene, cast, held))
            }
        )
    )


def _writes_alone(cast: Cast, held: Held) -> bool:
    """Whether a replica to be made must be alone with a volume that a container has.

    A name that two hosts have may be one shared volume: it counts wherever it is.
    """
    written = {
        cast.bindings.get(VolumeName(mount.source), "")
        for mount in cast.service.mounts
        if mount.kind is MountKind.VOLUME and mount.source
    }
    is_alone = cast.service.is_single_writer and bool(cast.todo)
    return is_alone and not written.isdisjoint(held.state.volumes)


def _needs_port(scene: Scene, cast: Cast, held: Held) -> bool:
    fixed = {p.fixed_port for p in cast.service.ports if p.fixed_port and not cast.service.proxy}
    is_there = any(replica.host == held.host for replica in cast.todo)
    if is_there and any(port in fixed for _, port in held.state.published):
        return True
    direct = _direct(scene, cast)
    return any(host == held.host and holds(held.state, at) for host, at in direct)
