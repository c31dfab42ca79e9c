"""Whose users lose their way by a plan: routes that a service gives up, or another one takes."""

from collections.abc import Iterator

from underway.model.names import ServiceName
from underway.rollout.scene import Scene


def losing_routes(scene: Scene) -> Iterator[ServiceName]:
    """Services that serve under a host name on some edge, and shall not any more.

    Where another service takes the name, edges learn of its replicas before they let go of the old
    ones: until they have passed, nobody serves under it.
    """
    kept = {s.name: set(s.proxy.hosts) for s in scene.spec.services if s.proxy}
    for edge in scene.edges:
        for upstream in edge.edge.upstreams if edge.edge else ():
            if upstream.app != scene.app or not upstream.servers:
                continue
            if set(upstream.hosts) - kept.get(upstream.service, set()):
                yield upstream.service
