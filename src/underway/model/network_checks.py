"""What lies between users, edges and hosts: the edge's port, private addresses, the ways. Pure."""

from collections.abc import Iterator
from typing import Final

from underway.model.check import CheckResult, failed, passed, warned
from underway.model.look import ConnectionLook, Holder, HostLook, InsideLook, Looks, Reach
from underway.model.snapshot import ContainerState, ContainerStatus, HostState, Role
from underway.model.spec import AppSpec

_HOLDING: Final = {ContainerStatus.RUNNING, ContainerStatus.PAUSED, ContainerStatus.RESTARTING}


def network_results(spec: AppSpec, host: HostState, looks: Looks) -> Iterator[CheckResult]:
    """All that concerns traffic on this host, and from it if it is an edge."""
    look = looks.hosts.get(host.name, HostLook())
    if len(spec.hosts) > 1:
        yield from _address(spec, host, look)
    if host.name in spec.edge.hosts:
        yield from _edge(spec, host, look)
        yield from _connections(spec, host, looks)


def _address(spec: AppSpec, host: HostState, look: HostLook) -> Iterator[CheckResult]:
    """A rootless engine's containers do not see the host's addresses: publishing alone tells."""
    address = spec.host(host.name).address
    inside = look.inside
    if not isinstance(inside, InsideLook):
        return
    if not host.facts.is_rootless and inside.addresses and address not in inside.addresses:
        own = ", ".join(sorted(inside.addresses)) or "none"
        text = f"{address} is not an address of this host (its own: {own})"
        yield failed(host.name, "address", text, _own_address(host))
    elif look.listener is not None:
        text = f"no port can be published on {address}: {look.listener.text}"
        yield failed(host.name, "address", text, look.listener.remedy or _own_address(host))
    else:
        yield passed(host.name, "address", f"{address} is the host's own")


def _own_address(host: HostState) -> str:
    return f"write the host's private address as `address:` of {host.name} in x-underway.hosts"


def _edge(spec: AppSpec, host: HostState, look: HostLook) -> Iterator[CheckResult]:
    port = spec.edge.http_port
    if host.facts.is_rootless or host.facts.has_userns:
        what = "a rootless engine" if host.facts.is_rootless else "an engine with userns-remap"
        text = f"{what} cannot give the proxy the host's network"
        yield failed(host.name, "edge", text, "let another host be the edge (x-underway.edge)")
        return
    if host.edge is not None and host.edge.http_port == port:
        text = f"HAProxy {host.edge.version} runs on port {port}"
        if host.has_old_proxy:
            text += "; an older Underway made it, and the next deploy renews it"
        yield passed(host.name, "edge", text)
        return
    remedy = "stop it, or give the edge another port (x-underway.edge.http_port)"
    holders = _holders(host, look, port)
    if holders:
        text = f"port {port} is held by {', '.join(holders)}"
        yield failed(host.name, "edge", text, remedy)
    elif isinstance(look.inside, InsideLook) and port in look.inside.listening:
        text = f"port {port} is held by a process outside Docker"
        remedy = f"`ss -ltnp sport = :{port}` on the host names it; {remedy}"
        yield failed(host.name, "edge", text, remedy)
    else:
        free = f"port {port} is free" if look.inside else f"no container holds port {port}"
        yield passed(host.name, "edge", f"{free}; the first deploy starts the proxy")


def _holders(host: HostState, look: HostLook, port: int) -> list[str]:
    """Containers that publish the port, and processes that listen on it."""
    containers = [
        container
        for container in host.containers
        if container.role != Role.EDGE
        and container.status in _HOLDING
        and any(held == port for _, held in container.published)
    ]
    if containers:
        return [f"container {container.name}" for container in containers]
    return sorted({_holder(host, holder) for holder in look.holders})


def _holder(host: HostState, holder: Holder) -> str:
    ours: list[ContainerState] = [c for c in host.containers if c.id == holder.container]
    if ours:
        return f"container {ours[0].name} ({holder.process})"
    return f"{holder.process} (process {holder.pid})"


def _connections(spec: AppSpec, edge: HostState, looks: Looks) -> Iterator[CheckResult]:
    tried = [look for look in looks.connections if look.edge == edge.name]
    for look in tried:
        if look.reach is not Reach.REACHED:
            yield _broken(spec, look)
    reached = [look.host for look in tried if look.reach is Reach.REACHED]
    if reached:
        yield passed(edge.name, "connections", f"reaches replicas on {', '.join(reached)}")


def _broken(spec: AppSpec, look: ConnectionLook) -> CheckResult:
    address = spec.host(look.host).address
    there = f"{look.host} ({address}, port {look.port})"
    here = spec.host(look.edge).address
    firewall = f"let TCP ports 20000 to 29999 pass from {here} to {address} (firewall, routes)"
    match look.reach:
        case Reach.UNTRIED:
            return warned(
                look.edge,
                "connections",
                f"a connection to {there} could not be tried",
                "mend what fails above, then check again",
            )
        case Reach.STRANGER:
            return failed(
                look.edge,
                "connections",
                f"another machine than {look.host} answers at {address}",
                f"give {look.host} an address of its own, on its host and in x-underway.hosts",
            )
        case Reach.REFUSED:
            return failed(look.edge, "connections", f"{there} refuses connections", firewall)
        case _:
            return failed(look.edge, "connections", f"{there} does not answer", firewall)
