"""Which ports of hosts are held by what a rollout replaces: those have to be free first."""

from collections.abc import Iterable

from underway.model.names import HostName
from underway.model.snapshot import ContainerState
from underway.rollout.cast import Cast
from underway.rollout.reach import direct_ports, listens_on
from underway.rollout.scene import Scene


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
    if service.proxy is None and any(port.host_port for port in service.ports):
        return True
    wanted = {*_direct(scene, cast)}
    for model in cast.models:
        wanted |= {(model.edge, at) for at in listens_on(scene.spec, service, model.edge)}
    return any(
        holds(held.state, at) for host, at in wanted for held in cast.old if held.host == host
    )
