"""Edges of a simulated fleet: what they are told, what gates see, and where requests go."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.fakes.simulated_host import Box, SimulatedHost
from underway.errors import StepFailedError
from underway.model.names import AppName, HostName, ServiceName
from underway.model.snapshot import ContainerStatus, Health
from underway.model.step import (
    AwaitContainer,
    AwaitDrained,
    AwaitedState,
    AwaitServers,
    ConfirmUpstream,
    Step,
    Watch,
)
from underway.model.traffic import Server, ServerMode, Upstream
from underway.rollout.haproxy_config import fragment_digest, routes_of

if TYPE_CHECKING:
    from tests.fakes.simulation import Simulation


def refuse_traffic(fleet: "Simulation", host: SimulatedHost, name: str, what: str) -> None:
    """A container that an edge sends new requests to must not go."""
    box = host.boxes.get(name)
    if box is None or not box.is_running or not fleet.answers(box) or name in fleet.excused:
        return
    for edge in fleet.hosts.values():
        for upstream in edge.upstreams.values():
            if any(fleet.target(edge, server) is box for server in live_servers(upstream)):
                fleet.broken(f"{name} is {what} while edge {edge.name} sends it requests")


def route(fleet: "Simulation", host: SimulatedHost, wished: Upstream, *, is_half: bool) -> None:
    if not host.has_proxy():
        raise StepFailedError("no-proxy", f"no proxy runs on {host.name}")
    key = (wished.app, wished.service)
    seen = host.upstreams.get(key)
    for listen in set(wished.listens) - set(seen.listens if seen else ()):
        address, _, port = listen.rpartition(":")
        if address != host.address:
            fleet.broken(f"the edge of {host.name} shall listen at {listen}")
        for box in host.boxes.values():
            if box.is_running and (address, int(port)) in box.published:
                fleet.broken(f"the edge of {host.name} cannot listen at {listen}: {box.name}")
    passed = {
        (server.name, server.address, server.port)
        for server in (seen.servers if seen else ())
        if host.checks.get((*key, server.side, server.name)) == "L7OK"
    }
    for server in live_servers(wished):
        was_ready = seen is not None and server in live_servers(seen)
        if not was_ready and (server.name, server.address, server.port) not in passed:
            fleet.broken(f"{server.name} takes requests on {host.name} without a passed check")
    if not is_half:
        _take_over(host, wished)
    host.upstreams[key] = _halfway(seen, wished) if is_half else wished
    host.keep_checks(wished, seen)


def _told(upstream: Upstream) -> object:
    """What can be read back from a proxy: equal options are the same text."""
    servers = (upstream.live, upstream.servers)
    return servers, fragment_digest(upstream), routes_of(upstream), upstream.listens


def served(fleet: "Simulation", edge: HostName, request: str) -> frozenset[str]:
    """Ids of the containers that answer users' requests under a route at an edge."""
    routes = {
        route: service
        for (app, service), upstream in fleet.hosts[edge].upstreams.items()
        if app == fleet.app
        for route in routes_of(upstream)
    }
    service = leads_to(request, routes)
    return fleet.serving(edge, service) if service else frozenset()


def leads_to(request: str, routes: Mapping[str, ServiceName]) -> ServiceName | None:
    """Where the proxy sends a request: the host's longest path, then a star's, as it looks up."""
    host, _, path = request.partition("/")
    for name in (host, f"*.{host.partition('.')[2]}", "*"):
        found = [route for route in routes if f"{name}/{path}".startswith(route)]
        if found:
            return routes[max(found, key=len)]
    return None


def _take_over(host: SimulatedHost, wished: Upstream) -> None:
    """Within one app a route moves to the service that claims it last."""
    taken = {*routes_of(wished)}
    for key, other in host.upstreams.items():
        if key[0] == wished.app and key[1] != wished.service and taken & {*routes_of(other)}:
            left = tuple(route for route in routes_of(other) if route not in taken)
            host.upstreams[key] = replace(other, routes=left)


def unroute(host: SimulatedHost, app: AppName, service: ServiceName) -> None:
    for key in [k for k in host.upstreams if k[0] == app and service in {"", k[1]}]:
        del host.upstreams[key]


def judge_gate(
    fleet: "Simulation",
    gate: AwaitContainer | AwaitServers | ConfirmUpstream | AwaitDrained | Watch,
    host: SimulatedHost,
) -> None:
    match gate:
        case AwaitContainer(container=name, until=until):
            _judge(host.boxes.get(name), name, until)
        case Watch(container=name):
            _judge(host.boxes.get(name), name, AwaitedState.READY)
        case AwaitServers(app=app, service=service, servers=refs):
            upstream = host.upstreams.get((app, service))
            known = {s.name: s for s in upstream.servers} if upstream else {}
            for ref in refs:
                server = known.get(ref.container)
                key = (app, service, server.side if server else None, ref.container)
                if host.checks.get(key) != "L7OK":  # type: ignore[call-overload]
                    raise StepFailedError("probe-failed", f"{ref.container} on {host.name}")
        case ConfirmUpstream(upstream=wished):
            seen = host.upstreams.get((wished.app, wished.service))
            if seen is None or _told(seen) != _told(wished):
                raise StepFailedError("edge-differs", f"{host.name}: {seen} is not {wished}")
        case AwaitDrained(app=app, service=service, servers=names):
            upstream = host.upstreams.get((app, service))
            busy = {s.name for s in live_servers(upstream)} & set(names) if upstream else set()
            if busy:
                fleet.broken(f"{sorted(busy)} drain on {host.name} while they get requests")


def watch_traffic(fleet: "Simulation", step: Step) -> None:
    """After each step: would an edge send the next request to something that cannot answer."""
    for edge in fleet.hosts.values():
        if not edge.has_proxy():
            continue
        for upstream in edge.upstreams.values():
            for server in live_servers(upstream):
                box = fleet.target(edge, server)
                if server.name in fleet.excused or (box and not fleet.answers(box)):
                    continue
                if box is None or box.name != server.name:
                    reached = box.name if box else "nothing"
                    fleet.broken(
                        f"after {type(step).__name__} on {step.host}: edge {edge.name} sends "
                        f"requests for {server.name} to {reached}"
                    )


def live_servers(upstream: Upstream) -> Iterable[Server]:
    """The servers that get new requests."""
    return [s for s in upstream.servers if s.side is upstream.live and s.mode is ServerMode.READY]


def _halfway(seen: Upstream | None, wished: Upstream) -> Upstream:
    """Servers are added and made ready; nothing is drained, moved or deleted yet."""
    servers = {(s.side, s.name): s for s in wished.servers}
    for server in seen.servers if seen else ():
        fresh = servers.get((server.side, server.name))
        if fresh is None or fresh.mode is ServerMode.DRAIN:
            servers[server.side, server.name] = server
    live = seen.live if seen else wished.live
    routes = routes_of(seen) if seen else ()
    return replace(wished, live=live, servers=tuple(sorted(servers.values())), routes=routes)


def _judge(box: Box | None, name: str, until: AwaitedState) -> None:
    if until is AwaitedState.ENDED and (box is None or not box.is_running):
        return
    if box is None:
        raise StepFailedError("container-gone", f"{name} is not there")
    if until is AwaitedState.COMPLETED:
        if box.status is not ContainerStatus.EXITED or box.exit_code:
            raise StepFailedError("command-failed", f"{name} is {box.status}, {box.exit_code}")
        return
    if not box.is_running:
        raise StepFailedError("replica-crashed", f"{name} is {box.status}")
    if box.health not in {Health.NONE, Health.HEALTHY}:
        raise StepFailedError("not-healthy", f"{name} is {box.health}")
