"""Upstreams and servers: what an edge is wished to serve, and what it was seen to serve."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from underway.model.names import EDGE_CONTAINER, AppName, ContainerName, RunNumber, ServiceName
from underway.model.spec import ProxySpec


class Side(StrEnum):
    """The two fixed backends of a service; the map names the live one."""

    A = "a"
    B = "b"

    @property
    def other(self) -> "Side":
        """The side that is not this one."""
        return Side.B if self is Side.A else Side.A


class ServerMode(StrEnum):
    """READY takes requests; DRAIN is checked and finishes what it has, but gets nothing new."""

    READY = "ready"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True, order=True)
class Server:
    """One replica as an edge shall know it. `name` is the container's."""

    name: str
    side: Side
    address: str
    port: int
    mode: ServerMode


@dataclass(frozen=True, slots=True)
class Upstream:
    """All that one edge shall know about one service. Servers are sorted; absent means gone.

    `listens` are the edge's own private addresses with ports ("10.0.0.1:9000"), sorted, where
    other services reach this one. `routes` are the users' routes ("app.test/api/", sorted) that
    lead here now: fewer than its proxy names while another service still serves under one, more
    while it serves under one that another service is about to take. None is what its proxy names.
    """

    app: AppName
    service: ServiceName
    proxy: ProxySpec
    live: Side
    servers: tuple[Server, ...] = ()
    listens: tuple[str, ...] = ()
    routes: tuple[str, ...] | None = None

    @property
    def is_tcp(self) -> bool:
        """Whether bytes are passed on as they are: no users' host name leads here."""
        return not self.proxy.hosts


@dataclass(frozen=True, slots=True, order=True)
class ObservedServer:
    """One server as the running proxy tells it.

    `check` is the proxy's check status ("L7OK", "L4OK", "L4CON", "" before the first check).
    """

    name: str
    side: Side
    address: str
    port: int
    mode: ServerMode
    check: str = ""
    is_up: bool = False

    @property
    def has_passed(self) -> bool:
        """Whether the edge's own check has passed."""
        return self.check in {"L7OK", "L4OK", "L6OK", "L7OKC"}


def live_side(routed: Iterable[Side], servers: Iterable[ObservedServer]) -> Side:
    """The live side: where routes lead, or of a service without any, where all its servers are."""
    named = set(routed) or {server.side for server in servers}
    return min(named, default=Side.A)


@dataclass(frozen=True, slots=True)
class ObservedUpstream:
    """One service as the running proxy serves it. `fragment` is the digest of its options.

    `routes` are host names with paths by which users reach it ("app.test/api/"), `listens` where
    other services do.
    """

    app: AppName
    service: ServiceName
    live: Side
    fragment: str
    routes: tuple[str, ...] = ()
    servers: tuple[ObservedServer, ...] = ()
    listens: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names by which users reach it, sorted."""
        return tuple(sorted({route.partition("/")[0] for route in self.routes}))


@dataclass(frozen=True, slots=True)
class EdgeState:
    """One edge's proxy as it was seen. `runs` are the last run that changed each app here.

    `container` is where it runs. `rested` are the ids (their first digits) of other containers
    that served, or failed to, and never will again.
    """

    version: str
    upstreams: tuple[ObservedUpstream, ...] = ()
    runs: tuple[tuple[AppName, RunNumber], ...] = ()
    http_port: int = 0
    container: ContainerName = EDGE_CONTAINER
    rested: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sessions:
    """What a server still has, over all workers of the proxy: requests in flight, and tunnels.

    A session of a TCP listener counts as a request: nobody can see what is asked in it.
    """

    requests: int
    tunnels: int
