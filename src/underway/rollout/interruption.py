"""Why a plan interrupts a service: the fact of the file, or of the hosts, that leaves no choice."""

from collections.abc import Iterator, Sequence

from underway.model.plan import Interruption, InterruptionKind
from underway.model.spec import MountKind, ServiceSpec
from underway.rollout.cast import Cast
from underway.rollout.reach import direct_ports, listener_port, proxy_for
from underway.rollout.routes import is_covered, wished_routes
from underway.rollout.scene import Scene


def stopping_first(scene: Scene, cast: Cast, *, closes: bool) -> Interruption:
    """Why the old replicas of a service stop before the new ones start.

    `closes`: a replica takes over the port that edges listen on for the service.
    """
    service = cast.service
    if service.is_single_writer:
        return Interruption(service.name, InterruptionKind.SINGLE_WRITER, _writing(service))
    if closes:
        port = listener_port(scene.spec, service) or next(
            iter(direct_ports(scene.spec, service)), 0
        )
        reason = f"its replica takes over port {port}, where edges listened for it"
        return Interruption(service.name, InterruptionKind.PORT, reason)
    ports = sorted({port.fixed_port for port in service.ports if port.fixed_port})
    if service.proxy is None and ports:
        names = ", ".join(map(str, ports))
        reason = f"it publishes port {names} of its host, which only one replica can hold"
        return Interruption(service.name, InterruptionKind.PORT, reason)
    if service.strategy.value == "recreate":
        reason = "its strategy is recreate: the old one stops before the new one starts"
        return Interruption(service.name, InterruptionKind.RECREATE, reason)
    reason = "its old replicas hold a port that the new ones, or the edges, must have"
    return Interruption(service.name, InterruptionKind.PORT, reason)


def ending(scene: Scene, cast: Cast) -> Iterator[Interruption]:
    """That users lose a service which is stopped on purpose."""
    proxy = cast.service.proxy
    if cast.service.name in scene.stopped and cast.old and proxy:
        names = ", ".join(proxy.hosts)
        reason = f"users of {names} get 503 until `underway start {cast.service.name}`"
        yield Interruption(cast.service.name, InterruptionKind.STOP, reason)


def _writing(service: ServiceSpec) -> str:
    written = sorted(
        mount.source
        for mount in service.mounts
        if mount.kind is MountKind.VOLUME and mount.source and not mount.read_only
    )
    volumes = f"volume {', '.join(written)}" if written else "its data"
    return f"only one replica may write to {volumes}: the old one stops first"


def moving_edges(scene: Scene, moved: Sequence[str]) -> Iterator[Interruption]:
    """All proxied services, where proxies are made anew to listen on another port."""
    where, port = ", ".join(moved), scene.spec.edge.http_port
    for service in scene.spec.services:
        if moved and proxy_for(scene.spec, service):
            reason = f"the proxy on {where} is made anew to listen on port {port}"
            yield Interruption(service.name, InterruptionKind.PROXY, reason)


def losing_routes(scene: Scene) -> Iterator[Interruption]:
    """Services that serve users under a route on some edge where nobody shall any more.

    A route that another service takes is handed over without a gap: it is not lost.
    """
    wished = wished_routes(scene.spec)
    for edge in scene.edges:
        for upstream in edge.edge.upstreams if edge.edge else ():
            if upstream.app != scene.app or not upstream.servers:
                continue
            lost = [route for route in upstream.routes if not is_covered(route, wished)]
            if lost:
                ways = [f"nobody serves {route.removesuffix('/')} any more" for route in lost]
                yield Interruption(upstream.service, InterruptionKind.ROUTE, "; ".join(ways))
