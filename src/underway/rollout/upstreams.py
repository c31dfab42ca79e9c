"""What each edge shall know, step by step: a model that is changed and told, never told twice."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from underway.model.names import HostName
from underway.model.snapshot import HostState
from underway.model.spec import ProxySpec, ServiceSpec
from underway.model.step import SetUpstream
from underway.model.traffic import Server, ServerMode, Side, Upstream
from underway.rollout.haproxy_config import fragment_digest, user_routes
from underway.rollout.reach import listens_on
from underway.rollout.routes import Routes
from underway.rollout.scene import Scene

Key = tuple[Side, str]


@dataclass(slots=True)
class EdgeModel:
    """One edge's knowledge of one service while a plan is being made.

    `told` is what the edge knows after the steps planned so far; None forces the next telling.
    `listens` is where it listens for consumers: while a rollout goes on, where old ones call and
    where new ones will (`listen_to_all`), in the end where the release wishes it (`settle`).
    Users' routes are what this edge is known to send to the service (`routes`); those of its file
    are claimed when its replicas serve (`claim`), others let go in the end, unless another service
    is still to take them.
    """

    edge: HostName
    scene: Scene
    routes: Routes
    service: ServiceSpec
    proxy: ProxySpec
    live: Side = Side.A
    servers: dict[Key, Server] = field(default_factory=dict)
    checked: set[Key] = field(default_factory=set)
    told: Upstream | None = None
    listens: tuple[str, ...] = ()
    seen_listens: tuple[str, ...] = ()
    claims: bool = False
    is_settled: bool = False

    @property
    def wished_listens(self) -> tuple[str, ...]:
        """Where the release wishes this edge to listen."""
        return listens_on(self.scene.spec, self.service, self.edge)

    def listen_to_all(self) -> None:
        """Listen for old and new consumers alike."""
        self.listens = tuple(sorted({*self.seen_listens, *self.wished_listens}))

    def settle(self) -> None:
        """Listen for the consumers of the release alone, serve under its routes alone."""
        self.listens = self.wished_listens
        self.is_settled = True

    def claim(self) -> None:
        """Serve under all routes of the release, whoever has them now."""
        self.claims = True

    def _routes(self) -> tuple[str, ...]:
        held = {*self.routes.of(self.edge, self.service.name)}
        if self.claims:
            held |= {*user_routes(self.proxy)}
        if self.is_settled:
            held = {route for route in held if self.routes.is_wished(route)}
        return tuple(sorted(held))

    def upstream(self) -> Upstream:
        """What the edge shall know now."""
        return Upstream(
            self.scene.app,
            self.service.name,
            self.proxy,
            self.live,
            tuple(sorted(self.servers.values())),
            self.listens,
            self._routes(),
        )

    def tell(self, cause: str) -> SetUpstream | None:
        """The step that makes the edge know it, or None if it does already."""
        upstream = self.upstream()
        known = self.routes.of(self.edge, self.service.name)
        if self.told and upstream == replace(self.told, routes=known):
            return None
        self.told = upstream
        self.routes.give(self.edge, self.service.name, upstream.routes or ())
        return SetUpstream(self.edge, upstream, cause)

    def put(self, server: Server) -> None:
        """Let the edge know `server`, replacing what it knows under that side and name.

        One name is one container: at another place on the other side stood a former one, whose
        check must not be taken for this one's.
        """
        key = (server.side, server.name)
        former = self.servers.get((server.side.other, server.name))
        if former and (former.address, former.port) != (server.address, server.port):
            del self.servers[former.side, former.name]
            self.checked.discard((former.side, former.name))
        known = self.servers.get(key)
        if known is None or (known.address, known.port) != (server.address, server.port):
            self.checked.discard(key)
        self.servers[key] = server

    def drain(self, name: str) -> None:
        """Let the server called `name` on the live side get nothing new."""
        if (self.live, name) in self.servers:
            self._drain((self.live, name))

    def drain_side(self, side: Side, *, but: Collection[str]) -> None:
        """Let no server of `side` but these get requests once traffic moves there.

        An older generation may have been left there, ready as it was when traffic moved away.
        """
        for key in self.servers:
            if key[0] is side and key[1] not in but:
                self._drain(key)

    def _drain(self, key: Key) -> None:
        old = self.servers[key]
        self.servers[key] = Server(old.name, old.side, old.address, old.port, ServerMode.DRAIN)

    def drop(self, name: str) -> None:
        """Forget every server called `name`."""
        for key in [key for key in self.servers if key[1] == name]:
            del self.servers[key]

    def takes(self, name: str) -> bool:
        """Whether `name` gets users' requests here and its check has passed."""
        key = (self.live, name)
        server = self.servers.get(key)
        return server is not None and server.mode is ServerMode.READY and key in self.checked

    def has_passed(self, name: str) -> bool:
        """Whether this edge's own check of `name` has passed, on either side."""
        return any(key[1] == name for key in self.checked)

    def knows(self, name: str) -> bool:
        """Whether any server is called `name` here."""
        return any(key[1] == name for key in self.servers)


def edge_model(
    routes: Routes, edge: HostState, service: ServiceSpec, proxy: ProxySpec
) -> EdgeModel:
    """The model of what `edge` knows about `service` now."""
    scene = routes.scene
    model = EdgeModel(edge.name, scene, routes, service, proxy)
    seen = scene.upstream(edge, service.name)
    if seen is None:
        return model
    model.live = seen.live
    model.listens = model.seen_listens = seen.listens
    for server in seen.servers:
        key = (server.side, server.name)
        model.servers[key] = Server(
            server.name, server.side, server.address, server.port, server.mode
        )
        if server.has_passed:
            model.checked.add(key)
    if seen.fragment == fragment_digest(model.upstream()):
        model.told = model.upstream()
    return model


def chosen_side(models: tuple[EdgeModel, ...], names: frozenset[str], *, flips: bool) -> Side:
    """The side the wished replicas shall serve from.

    Where some edge already sends requests to a wished replica, that side (an interrupted
    cut-over goes on, an undone one goes back); else the other side of a flip, or the live one.
    """
    for model in models:
        if any(model.takes(name) for name in sorted(names)):
            return model.live
    for model in models:
        if any(key == (model.live, name) for key in model.servers for name in names):
            return model.live
    for model in models:
        if model.servers:
            return model.live.other if flips else model.live
    return models[0].live if models else Side.A
