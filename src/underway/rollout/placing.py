"""Which host each replica of a service stands on."""

from underway.model.names import HostName
from underway.model.spec import ServiceSpec

Places = tuple[tuple[int, HostName], ...]
"""Replica numbers and their hosts."""


def placed(service: ServiceSpec, skip: frozenset[HostName]) -> Places:
    """Replica numbers and their hosts.

    Number i always stands on host (i - 1) mod n, so that skipping a host renames nothing that
    stays; what the skipped host would hold gets higher numbers elsewhere.
    """
    hosts = service.hosts
    count = len(hosts) if service.is_global else service.replicas
    wanted = [(i + 1, hosts[i % len(hosts)]) for i in range(count)]
    kept = [(index, host) for index, host in wanted if host not in skip]
    if service.is_global or not any(host not in skip for host in hosts):
        return tuple(kept)
    index = count
    while len(kept) < count:
        host = hosts[index % len(hosts)]
        index += 1
        if host not in skip:
            kept.append((index, host))
    return tuple(kept)
