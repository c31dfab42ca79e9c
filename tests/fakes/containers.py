"""What a fake engine holds: containers with the requests they were made from. Pure."""

import hashlib
from dataclasses import dataclass, field
from ipaddress import ip_network

from underway.model.container import ContainerRequest
from underway.model.snapshot import ContainerState, ContainerStatus, Health
from underway.ports.output import LogLine

IDENTITY = tuple(f"underway.{part}" for part in ("app", "service", "generation", "replica", "role"))
"""The labels by which a container that is there is the one wished."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a container does once it is started."""

    status: ContainerStatus = ContainerStatus.RUNNING
    exit_code: int = 0
    health: Health = Health.HEALTHY
    output: tuple[LogLine, ...] = ()
    checks: tuple[str, ...] = ()


@dataclass(slots=True)
class FakeContainer:
    """A container with the request it was made from, and the files it was given."""

    request: ContainerRequest
    state: ContainerState
    environment: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)

    def below(self, path: str) -> dict[str, bytes]:
        """The files at or below a path."""
        below = f"{path.rstrip('/')}/"
        return {f: text for f, text in self.files.items() if f == path or f.startswith(below)}


def published(request: ContainerRequest) -> tuple[tuple[str, int], ...]:
    """The (address, port) pairs a request takes on its host."""
    return tuple(sorted((p.host_address, p.host_port) for p in request.published if p.host_port))


def pinned(request: ContainerRequest) -> tuple[tuple[str, str], ...]:
    """The (network, address) pairs a request is pinned to."""
    return tuple(sorted((p.network, p.address) for p in request.networks if p.address))


def overlap(one: str, other: str) -> bool:
    """Whether two subnets overlap."""
    return ip_network(one).overlaps(ip_network(other))


def digest(text: str) -> str:
    """A digest that follows from a text."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def free_address(subnet: str, taken: set[str]) -> str:
    """The first address of a subnet that is neither the gateway's nor taken."""
    hosts = (str(address) for address in ip_network(subnet).hosts())
    next(hosts)
    return next(address for address in hosts if address not in taken)
