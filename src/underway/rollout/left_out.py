"""Hosts that the user leaves out: one that answers and sends users to others is none to leave out.

A host that is down sends nothing. A proxy that runs and is not told of the new replicas would go on
sending requests to old ones while they stop.
"""

from collections.abc import Iterable, Iterator

from underway.errors import RefusedError
from underway.model.names import ContainerName
from underway.model.snapshot import HostState
from underway.model.step import Step, StopContainer
from underway.rollout.scene import Scene


def check_left_out(scene: Scene, steps: Iterable[Step]) -> None:
    """Raise RefusedError `left-out-edge-serves` where steps stop what such an edge sends to.

    Before anything was changed: a run that has begun ends what it began.
    """
    if scene.policy.is_undo or scene.policy.keep_unreachable:
        return
    stopped = {step.container for step in steps if isinstance(step, StopContainer)}
    for host in _left_out(scene):
        used = sorted(stopped.intersection(_servers(scene, host)))
        if used:
            raise RefusedError(
                "left-out-edge-serves",
                f"{host.name} is left out, but its proxy answers and sends users to what stops",
                cause=f"it would not learn that {', '.join(used)} ends",
                hint=f"leave {host.name} in: --skip-host is for a host that is down",
            )


def _left_out(scene: Scene) -> Iterator[HostState]:
    for host in scene.snapshot.reachable:
        if host.name in scene.policy.skip_hosts:
            yield host


def _servers(scene: Scene, host: HostState) -> set[ContainerName]:
    """The app's servers that the proxy of a host sends requests to."""
    upstreams = host.edge.upstreams if host.edge else ()
    return {
        ContainerName(server.name)
        for upstream in upstreams
        if upstream.app == scene.app
        for server in upstream.servers
        if server.side is upstream.live
    }
