"""Users' routes in a plan: which service has which, and who takes over from whom.

A route (host name and path) is taken by a service that serves under it from the same change on:
where another one had it, the edge lets that one go in the same transaction. A service keeps what it
has until then, even if the release gives it to another: a user's request always finds somebody.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from underway.model.names import HostName, ServiceName
from underway.model.spec import AppSpec
from underway.rollout.haproxy_config import user_routes
from underway.rollout.scene import Scene


@dataclass(slots=True)
class Routes:
    """Who has which route on each edge, after the steps that are planned so far."""

    scene: Scene
    _holders: dict[HostName, dict[str, ServiceName]] = field(init=False)
    _wished: Mapping[str, ServiceName] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what edges were seen to serve."""
        self._wished = wished_routes(self.scene.spec)
        self._holders = {edge.name: {} for edge in self.scene.edges}
        for edge, service, route in _held(self.scene):
            self._holders[edge][route] = service

    def of(self, edge: HostName, service: ServiceName) -> tuple[str, ...]:
        """The routes that lead to a service on an edge, sorted."""
        held = self._holders.get(edge, {})
        return tuple(sorted(route for route, holder in held.items() if holder == service))

    def give(self, edge: HostName, service: ServiceName, routes: Collection[str]) -> None:
        """Let exactly these routes lead to a service: others lose them, as on the edge itself."""
        held = self._holders.setdefault(edge, {})
        for route in self.of(edge, service):
            del held[route]
        held.update(dict.fromkeys(routes, service))

    def is_wished(self, route: str) -> bool:
        """Whether the release wishes this very route, for any service."""
        return route in self._wished


def wished_routes(spec: AppSpec) -> dict[str, ServiceName]:
    """Each route of a release, and the service it leads to."""
    return {
        route: service.name
        for service in spec.services
        if service.proxy
        for route in user_routes(service.proxy)
    }


def taking_over(scene: Scene) -> frozenset[ServiceName]:
    """Services that take a route over which another one serves now."""
    wished = wished_routes(scene.spec)
    return frozenset(
        wished[route] for _, holder, route in _held(scene) if wished.get(route, holder) != holder
    )


def is_covered(route: str, by: Collection[str]) -> bool:
    """Whether every request under `route` finds one of these: itself, wider, or with a star."""
    host, _, path = route.partition("/")
    hosts = {host, f"*.{host.partition('.')[2]}", "*"}
    return any(
        other_host in hosts and f"/{path}".startswith(f"/{other_path}")
        for other_host, _, other_path in (other.partition("/") for other in by)
    )


def _held(scene: Scene) -> Iterator[tuple[HostName, ServiceName, str]]:
    for edge in scene.edges:
        for upstream in edge.edge.upstreams if edge.edge else ():
            if upstream.app == scene.app:
                for route in upstream.routes:
                    yield edge.name, upstream.service, route
