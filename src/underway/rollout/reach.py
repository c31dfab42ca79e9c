"""Who reaches whom across hosts: ports, names, and which services an edge must listen for.

A service on one host is reached at its host's private address. One with several replicas is
reached through the edges: each listens for it on its own private address, at the same port.
"""

from collections.abc import Iterable
from typing import Final

from underway.errors import ConfigurationError
from underway.model.names import HostName
from underway.model.spec import AppSpec, ProbeSpec, ProxySpec, ServiceSpec

Names = tuple[tuple[str, str], ...]
"""Host names a container gets (`extra_hosts`): (name, address)."""

TCP_DRAIN_S: Final = 10.0
"""How long sessions of a TCP listener may last on a replica that retires."""

WELL_KNOWN_PORTS: Final = {
    "postgres": 5432,
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "redis": 6379,
    "valkey": 6379,
    "memcached": 11211,
    "mongo": 27017,
    "rabbitmq": 5672,
    "nats": 4222,
    "elasticsearch": 9200,
    "opensearch": 9200,
    "minio": 9000,
}


def ports_of(service: ServiceSpec) -> tuple[int, ...]:
    """The container ports other services may use; raises ConfigurationError if none is known."""
    ports = {*service.expose, *(port.container_port for port in service.ports)}
    if not ports:
        name = service.image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]
        if name in WELL_KNOWN_PORTS:
            ports = {WELL_KNOWN_PORTS[name]}
    if not ports:
        raise ConfigurationError(
            "port-unknown",
            f"service {service.name} is used from another host, but its port is not known",
            hint=f"add `expose: [PORT]` to {service.name}",
            place=service.place,
        )
    return tuple(sorted(ports))


def _is_several(service: ServiceSpec) -> bool:
    return (len(service.hosts) if service.is_global else service.replicas) > 1


def _shares_network(one: ServiceSpec, other: ServiceSpec) -> bool:
    mine = {place.network for place in one.networks}
    return not mine or any(place.network in mine for place in other.networks)


def _is_elsewhere(consumer: ServiceSpec, provider: ServiceSpec) -> bool:
    used = set(provider.hosts[: provider.replicas] if not provider.is_global else provider.hosts)
    return any(host not in used for host in consumer.hosts)


def remote_providers(spec: AppSpec, consumer: ServiceSpec) -> tuple[ServiceSpec, ...]:
    """The services that `consumer` depends on and that may stand on another host, sorted.

    A service that runs once is waited for, not called.
    """
    needed = {dependency.service for dependency in consumer.depends_on}
    return tuple(
        provider
        for provider in spec.services
        if provider.name in needed
        and not provider.runs_once
        and _shares_network(consumer, provider)
        and _is_elsewhere(consumer, provider)
    )


def consumers_across(spec: AppSpec, provider: ServiceSpec) -> tuple[ServiceSpec, ...]:
    """The services on other hosts that use `provider`, sorted."""
    return tuple(
        consumer for consumer in spec.services if provider in remote_providers(spec, consumer)
    )


def direct_ports(spec: AppSpec, service: ServiceSpec) -> tuple[int, ...]:
    """Ports published under their own numbers, for consumers on other hosts; () for no such use.

    Raises ConfigurationError where no port is known.
    """
    if _is_several(service) or not consumers_across(spec, service):
        return ()
    return ports_of(service)


def listener_port(spec: AppSpec, service: ServiceSpec) -> int:
    """The port at which edges listen for consumers of several replicas; 0 where nobody needs it.

    Raises ConfigurationError where it is not exactly one.
    """
    if not _is_several(service) or not consumers_across(spec, service):
        return 0
    if service.proxy is not None:
        return service.proxy.port
    ports = ports_of(service)
    if len(ports) > 1:
        raise ConfigurationError(
            "listener-port-ambiguous",
            f"service {service.name} has several replicas and the ports "
            f"{', '.join(map(str, ports))}",
            cause="consumers on other hosts reach several replicas at one port",
            hint=f"leave one port in `expose` and `ports` of {service.name}, or run one replica",
            place=service.place,
        )
    return ports[0]


def proxy_for(spec: AppSpec, service: ServiceSpec) -> ProxySpec | None:
    """How edges pass on to a service: as its file says, or byte by byte for consumers alone.

    The proxy of a service that users do not reach has no hosts. None where no edge passes on.
    """
    if service.proxy is not None:
        return service.proxy
    port = listener_port(spec, service)
    return ProxySpec((), port, probe=ProbeSpec(), drain_s=TCP_DRAIN_S) if port else None


def listens_on(spec: AppSpec, service: ServiceSpec, edge: HostName) -> tuple[str, ...]:
    """Where `edge` listens for consumers of a service: ("10.0.0.1:9000",), or ()."""
    port = listener_port(spec, service)
    return (f"{spec.host(edge).address}:{port}",) if port else ()


def names_for(spec: AppSpec, consumer: ServiceSpec, host: HostName) -> Names:
    """The names of other hosts' services for a consumer on `host`: (service, private address).

    Several replicas are reached through the host's own edge, or through all where it is none.
    """
    names: list[tuple[str, str]] = []
    for provider in remote_providers(spec, consumer):
        if not _is_several(provider):
            names.append((provider.name, spec.host(provider.hosts[0]).address))
            continue
        edges: Iterable[HostName] = (host,) if host in spec.edge.hosts else spec.edge.hosts
        names += [(provider.name, spec.host(edge).address) for edge in edges]
    return tuple(sorted(names))


def all_names(spec: AppSpec, consumer: ServiceSpec) -> Names:
    """What `names_for` gives on any host of a consumer: two mappings never have the same."""
    hosts = dict.fromkeys(consumer.hosts)
    return tuple(sorted({name for host in hosts for name in names_for(spec, consumer, host)}))
