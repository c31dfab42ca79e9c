"""Where replicas are reached: pinned addresses on one host, chosen ports on a fleet, and names.

Nothing is ever published on all addresses of a host: the engine's published ports walk around
its firewall.
"""

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from underway.errors import RefusedError
from underway.model.container import NetworkPlace, PublishedPort
from underway.model.names import LABEL_PORT, AppName, HostName, NetworkName
from underway.model.plan import Plan
from underway.model.snapshot import ContainerState, HostState
from underway.model.spec import NetworkSpec, ServiceSpec
from underway.model.step import CreateContainer
from underway.rollout.condition import holds_resources
from underway.rollout.naming import is_retired
from underway.rollout.reach import direct_ports, listener_port, proxy_for
from underway.rollout.scene import Replica, Scene

PORT_RANGE: Final = range(20000, 30000)
"""Ports that replicas of a fleet publish on their host's private address."""

_LOWEST_PINNED: Final = 16
_MOST_PINNED: Final = 4096
_SMALLEST_SPLIT: Final = 64


@dataclass(frozen=True, slots=True)
class Location:
    """Where a replica is reached, and what its container needs for that."""

    address: str = ""
    port: int = 0
    published: tuple[PublishedPort, ...] = ()
    networks: tuple[NetworkPlace, ...] = ()


def contested(plan: Plan, host: HostName, container: str) -> frozenset[tuple[HostName, int]]:
    """The port that the planner chose for a container of `plan`, for `Policy.held_ports`.

    Empty where the file fixes its ports: no other plan helps there.
    """
    for step in plan.steps():
        if not isinstance(step, CreateContainer) or step.host != host:
            continue
        request = step.container
        port = request.label(LABEL_PORT)
        published = {str(p.host_port) for p in request.published}
        if request.name == container and port in published and int(port) in PORT_RANGE:
            return frozenset({(host, int(port))})
    return frozenset()


def _from(choices: range, app: AppName) -> Iterator[int]:
    """All choices, beginning at a place that is the app's own."""
    begin = int(hashlib.sha256(app.encode()).hexdigest(), 16) % len(choices)
    return (choices[(begin + i) % len(choices)] for i in range(len(choices)))


def _pinned_offsets(count: int) -> range:
    """Where addresses are pinned in a subnet of `count` addresses.

    The engine hands out the upper half itself. In a subnet too small to be split so it begins at
    the lowest, and pinned ones are kept away from there.
    """
    if count < _SMALLEST_SPLIT:
        return range(count // 2, count - 1)
    return range(_LOWEST_PINNED, min(count // 2, _MOST_PINNED))


@dataclass(slots=True)
class Allocator:
    """Hands out free ports, addresses and subnets; the same snapshot gives the same choices."""

    scene: Scene
    ports: dict[HostName, set[int]] = field(default_factory=dict)
    addresses: dict[HostName, set[str]] = field(default_factory=dict)
    subnets: dict[tuple[HostName, NetworkName], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take what the hosts already hold."""
        for host in self.scene.reachable:
            held = {port for c in host.containers for _, port in c.published}
            listened = self._listened(host)
            told = {port for name, port in self.scene.policy.held_ports if name == host.name}
            labelled = {c.port for c in host.containers if c.port}
            self.ports[host.name] = held | listened | told | labelled
            taken = {address for c in host.containers for _, address in c.addresses}
            labelled_addresses = {c.address for c in host.containers if c.address}
            gateways = {network.gateway for network in self.scene.spec.networks}
            self.addresses[host.name] = taken | labelled_addresses | gateways

    def _listened(self, host: HostState) -> set[int]:
        """Ports at which the edge on this host listens, or shall, for services."""
        seen = host.edge.upstreams if host.edge else ()
        ports = {int(at.rpartition(":")[2]) for upstream in seen for at in upstream.listens}
        if host.name in self.scene.spec.edge.hosts:
            spec = self.scene.spec
            ports |= {listener_port(spec, service) for service in spec.services}
        return ports

    def port(self, host: HostName) -> int:
        """The first free port on `host` from where the app's ports begin in the range.

        Apps that are deployed at once do not see one another's choice: each begins elsewhere.
        """
        held = self.ports.setdefault(host, set())
        for port in _from(PORT_RANGE, self.scene.app):
            if port not in held:
                held.add(port)
                return port
        raise RefusedError(
            "no-free-port",
            f"no port between {PORT_RANGE[0]} and {PORT_RANGE[-1]} is free on {host}",
            hint="free some there (`docker ps` shows who publishes which), or place replicas on "
            "more hosts",
        )

    def pinned(self, host: HostName, subnet: str) -> str:
        """The lowest free address for pinning in `subnet`."""
        network = ipaddress.ip_network(subnet)
        held = self.addresses.setdefault(host, set())
        for offset in _pinned_offsets(network.num_addresses):
            address = str(network.network_address + offset)
            if address not in held:
                held.add(address)
                return address
        raise RefusedError(
            "no-free-address",
            f"no address of {subnet} that can be pinned is free on {host}",
            cause="edges reach each replica at an address of its own",
            hint="run fewer replicas there, or give the network a larger subnet "
            "(`networks: {NAME: {ipam: {config: [{subnet: ...}]}}}`, after `underway remove`)",
        )

    def subnet(self, host: HostState, network: NetworkSpec) -> str:
        """The subnet of a network: the one it has, the one the file says, or a free /24."""
        for state in host.networks:
            if state.name == network.physical and state.subnets:
                return state.subnets[0]
        if network.subnet:
            return network.subnet
        key = (host.name, network.name)
        if key not in self.subnets:
            self.subnets[key] = self._free_subnet(host)
        return self.subnets[key]

    def _free_subnet(self, host: HostState) -> str:
        held = [ipaddress.ip_network(s) for state in host.networks for s in state.subnets]
        held += [ipaddress.ip_network(s) for (h, _), s in self.subnets.items() if h == host.name]
        pool = ipaddress.IPv4Network(self.scene.spec.subnet)
        width = max(24, pool.prefixlen)
        lowest, size = int(pool.network_address), 1 << (32 - width)
        for number in _from(range(1 << (width - pool.prefixlen)), self.scene.app):
            candidate = ipaddress.IPv4Network((lowest + number * size, width))
            if not any(
                isinstance(o, ipaddress.IPv4Network) and candidate.overlaps(o) for o in held
            ):
                return str(candidate)
        raise RefusedError(
            "no-free-subnet",
            f"no /24 of {self.scene.spec.subnet} is free on {host.name}",
            hint="name another range under x-underway: subnet",
        )

    def locate(self, service: ServiceSpec, replica: Replica, host: HostState) -> Location:
        """Where `replica` is reached; one that exists keeps what its labels say."""
        existing = host.container(replica.name)
        known = existing if existing and not is_retired(existing.name) else None
        published = list(self._published(service, host.name))
        networks = self._places(service)
        proxy = proxy_for(self.scene.spec, service)
        if proxy is None:
            return Location("", 0, tuple(published), networks)
        if self.scene.is_fleet:
            address = self.scene.spec.host(host.name).address
            port = self._known_port(host.name, known) or self.port(host.name)
            published.append(PublishedPort(proxy.port, address, port))
            return Location(address, port, tuple(sorted(published)), networks)
        main = self._pinnable(service, host)
        if main is None:
            port = self._known_port(host.name, known) or self.port(host.name)
            published.append(PublishedPort(proxy.port, "127.0.0.1", port))
            return Location("127.0.0.1", port, tuple(sorted(published)), networks)
        address = (
            known.address
            if known and known.address
            else self.pinned(host.name, self.subnet(host, main))
        )
        pinned = tuple(
            NetworkPlace(place.network, address, place.aliases)
            if place.network == main.physical
            else place
            for place in networks
        )
        return Location(address, proxy.port, tuple(published), pinned)

    def _known_port(self, host: HostName, known: ContainerState | None) -> int:
        """The port of a container that keeps it; 0 if somebody else holds it."""
        if known is None or not known.port:
            return 0
        is_lost = (host, known.port) in self.scene.policy.held_ports
        return 0 if is_lost and not holds_resources(known) else known.port

    def _published(self, service: ServiceSpec, host: HostName) -> Iterable[PublishedPort]:
        default = self.scene.spec.host(host).address if self.scene.is_fleet else "127.0.0.1"
        if service.proxy is None:
            for port in service.ports:
                open_to = "0.0.0.0" if port.is_public else default  # noqa: S104
                yield PublishedPort(
                    port.container_port,
                    port.host_address or open_to,
                    port.host_port,
                    port.protocol,
                    port.last_host_port,
                )
        taken = {p.container_port for p in service.ports if p.fixed_port == p.container_port}
        for number in direct_ports(self.scene.spec, service):
            if number not in taken or service.proxy:
                yield PublishedPort(number, default, number)

    def _places(self, service: ServiceSpec) -> tuple[NetworkPlace, ...]:
        physical = {network.name: network.physical for network in self.scene.spec.networks}
        return tuple(
            NetworkPlace(physical[place.network], "", (service.name, *place.aliases))
            for place in service.networks
        )

    def _pinnable(self, service: ServiceSpec, host: HostState) -> NetworkSpec | None:
        """The first network of ours where an address can be pinned.

        The engine pins addresses only in networks that were created with an explicit subnet.
        """
        ours = {network.name: network for network in self.scene.spec.networks}
        for place in service.networks:
            network = ours[place.network]
            if network.is_external:
                continue
            seen = next((s for s in host.networks if s.name == network.physical), None)
            if seen is None or dict(seen.labels).get("underway.app"):
                return network
        return None
