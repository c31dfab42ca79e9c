"""Whether edges can listen for the services that need it: refused before anything changes."""

from collections.abc import Iterable, Iterator

from underway.errors import ConfigurationError, RefusedError
from underway.model.names import HostName
from underway.model.snapshot import HostState, Role
from underway.model.spec import AppSpec, ServiceSpec
from underway.rollout.collision import holds
from underway.rollout.reach import consumers_across, direct_ports, listener_port, listens_on
from underway.rollout.scene import Scene


def _listened(spec: AppSpec) -> Iterator[tuple[ServiceSpec, int]]:
    for service in spec.services:
        port = listener_port(spec, service)
        if port:
            yield service, port


def check_file(spec: AppSpec) -> None:
    """Raise ConfigurationError where the file itself leaves no port, or no edge, to listen."""
    taken: dict[int, ServiceSpec] = {}
    for service, port in _listened(spec):
        if not spec.edge.hosts:
            raise ConfigurationError(
                "edge-missing",
                f"service {service.name} has several replicas and is used from other hosts, "
                "and no host is named as the edge",
                cause=f"{_names(consumers_across(spec, service))} would reach them through an edge",
                hint="add `edge: HOST_OR_GROUP` to x-underway, or run one replica",
                place=service.place,
            )
        if port == spec.edge.http_port:
            raise _clash(service, port, "the edge takes users' requests there")
        other = taken.setdefault(port, service)
        if other is not service:
            raise _clash(service, port, f"the edge listens there for service {other.name}")
        for host in spec.edge.hosts:
            for holder in _publishing(spec, host, port):
                raise _clash(service, port, f"{holder.name} is published there on {host}")


def check_hosts(scene: Scene) -> None:
    """Raise RefusedError where something else on an edge's host holds a listener's port.

    Going back is never refused for that: the edge itself tells if it cannot listen.
    """
    if scene.policy.is_undo:
        return
    for service, port in _listened(scene.spec):
        for edge in scene.edges:
            seen = scene.upstream(edge, service.name)
            for listen in listens_on(scene.spec, service, edge.name):
                holder = ""
                if not (seen and listen in seen.listens):
                    holder = _holder(scene, edge, service, listen)
                if holder:
                    raise RefusedError(
                        "listener-taken",
                        f"{listen} on {edge.name}, where the edge shall listen for service "
                        f"{service.name}, is held by {holder}",
                        cause="other services reach several replicas at the provider's own port",
                        hint=f"free port {port} there, let {service.name} use another port, "
                        "or name another edge",
                        place=service.place,
                    )


def _holder(scene: Scene, edge: HostState, service: ServiceSpec, listen: str) -> str:
    """What holds an address and port on a host; replicas of its own make room in its rollout."""
    for upstream in edge.edge.upstreams if edge.edge else ():
        if upstream.app != scene.app and listen in upstream.listens:
            return f"service {upstream.service} of app {upstream.app}"
    for container in edge.containers:
        of = (container.app, container.role, container.service)
        if holds(container, listen) and of != (scene.app, Role.REPLICA, service.name):
            return f"container {container.name}"
    return ""


def _publishing(spec: AppSpec, host: HostName, port: int) -> Iterator[ServiceSpec]:
    """Services that publish a port on a host's private address, or on all its addresses."""
    address = spec.host(host).address
    for service in spec.services:
        if host not in service.hosts:
            continue
        fixed = {
            number
            for p in service.ports
            for number in p.host_ports
            if service.proxy is None
            and p.protocol == "tcp"
            and p.host_address in {"", address, "0.0.0.0", "::"}  # noqa: S104 - compared
        }
        direct = direct_ports(spec, service) if service.hosts[0] == host else ()
        if port in {*fixed, *direct}:
            yield service


def _clash(service: ServiceSpec, port: int, why: str) -> ConfigurationError:
    return ConfigurationError(
        "listener-clash",
        f"the edges cannot listen at port {port} for service {service.name}",
        cause=f"{why}; consumers on other hosts reach its replicas at their own port",
        hint=f"let {service.name} use another port, or run one replica of it",
        place=service.place,
    )


def _names(services: Iterable[ServiceSpec]) -> str:
    return ", ".join(service.name for service in services)
