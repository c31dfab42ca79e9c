"""The proxies of edges: made, started, and given a successor where they are not as wished.

A successor starts beside the proxy that runs, takes over its listening sockets and then its name;
the former one ends what it has and is removed by a later run. Whatever interrupted that, the next
plan of any app ends it. Apps share an edge, and so do clients of several versions: the newer
revision wins, and at equal revisions whoever is alone there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from underway.errors import RefusedError
from underway.model.container import ContainerRequest
from underway.model.names import (
    EDGE_CONTAINER,
    EDGE_REVISION,
    EDGE_SUCCESSOR,
    LABEL_GENERATION,
    AppName,
)
from underway.model.plan import Stage
from underway.model.snapshot import ContainerState, HostState, Role
from underway.model.step import (
    CreateContainer,
    RemoveContainer,
    RenewProxy,
    StartContainer,
    Step,
    StopContainer,
)
from underway.rollout.addresses import Allocator
from underway.rollout.edge import ID_DIGITS, edge_container
from underway.rollout.request import image_reference, tools_content
from underway.rollout.scene import ProxyRenewal, Scene
from underway.rollout.stages import in_lanes, in_parallel
from underway.rollout.standing import standing
from underway.rollout.takeover import ending, holders


@dataclass(frozen=True, slots=True)
class Proxies:
    """Plans the proxies of a scene's edges."""

    scene: Scene
    allocator: Allocator | None = None

    def stages(self) -> list[Stage]:
        """Successors start on one edge ahead of the others: what fails there fails once."""
        lanes = [self.steps(host) for host in self.scene.edges]
        renewed = [lane for lane in lanes if any(isinstance(step, RenewProxy) for step in lane)]
        return [
            *in_parallel("Proxies", [lane for lane in lanes if lane not in renewed[1:]]),
            *in_parallel("More proxies", renewed[1:]),
        ]

    def steps(self, host: HostState) -> list[Step]:
        """What makes the proxy of one edge stand; [] if it does."""
        seen, successor = host.container(EDGE_CONTAINER), host.container(EDGE_SUCCESSOR)
        if host.edge is None and (seen or (successor and successor.has_ended)):
            return self._started(host, [c for c in (seen, successor) if c and c.has_ended])
        if self.waits(host):
            return list(self._beside(host, seen))
        if host.edge and successor and not _has_rested(host, successor):
            return self._succeeded(host, "it takes over already")
        steps: list[Step] = list(_tidied(host))
        if seen is None:
            _require_network(host)
            self._require_port(host)
            return [*steps, *standing(host, self._request(), "takes users' traffic")]
        cause = self._cause(host, seen)
        if not cause:
            return steps
        request = replace(self._request(), name=EDGE_SUCCESSOR)
        return [
            *steps,
            CreateContainer(host.name, request, cause),
            *self._succeeded(host, cause),
        ]

    def waits(self, host: HostState) -> bool:
        """Whether a container that is taken over from still holds the proxy's port."""
        return bool(holders(self.scene, host))

    def _beside(self, host: HostState, seen: ContainerState | None) -> Iterator[Step]:
        """A proxy on a port of its own, which knows all before users come to it."""
        successor = host.container(EDGE_SUCCESSOR)
        if successor and _has_rested(host, successor):
            yield RemoveContainer(host.name, successor.name, "it did not take over")
        if seen is not None:
            self.moves(host)
            return
        port = self.allocator.port(host.name) if self.allocator else 0
        cause = f"knows its servers before it takes port {self.scene.spec.edge.http_port}"
        yield from standing(host, self._request(port), cause)

    def switch(self) -> list[Stage]:
        """The ports of edges change hands: the one interruption that users may notice.

        All that can be done before is done before; between the end of the holder and the start of
        the proxy there is nothing else.
        """
        waiting = [host for host in self.scene.edges if self.waits(host)]
        port = self.scene.spec.edge.http_port
        cause = f"takes port {port}"
        request = replace(self._request(), name=EDGE_SUCCESSOR)
        lanes: list[list[Step]] = []
        quiet: list[Step] = []
        for host in waiting:
            ended = [s for held in holders(self.scene, host) for s in ending(held, None, cause)]
            quiet += [step for step in ended if not isinstance(step, StopContainer)]
            stops = [step for step in ended if isinstance(step, StopContainer)]
            renewal = RenewProxy(host.name, EDGE_CONTAINER, EDGE_SUCCESSOR, cause)
            lanes.append([*stops, StartContainer(host.name, EDGE_SUCCESSOR, cause), renewal])
        return [
            *in_lanes("Make proxies", (CreateContainer(h.name, request, cause) for h in waiting)),
            *in_parallel(f"Switch port {port}", lanes),
            *in_lanes("Keep stopped", quiet),
        ]

    def moves(self, host: HostState) -> bool:
        """Whether the proxy of an edge must listen elsewhere; refused where others need it."""
        seen = host.container(EDGE_CONTAINER)
        port = self.scene.spec.edge.http_port
        if seen is None or host.edge is None or seen.port in {0, port}:
            return False
        if others := self._others(host):
            raise RefusedError(
                "edge-port",
                f"the proxy on {host.name} listens on port {seen.port}, not {port}",
                cause=f"{', '.join(others)} is served there too",
                hint=f"write `edge: {{hosts: ..., http_port: {seen.port}}}`",
            )
        return True

    def remarks(self) -> Iterator[str]:
        """What is told of proxies that stay although they are not as wished."""
        for host in self.scene.edges if not self.scene.policy.is_undo else ():
            if self.waits(host):
                continue
            seen = host.container(EDGE_CONTAINER)
            if seen is None or host.edge is None or not self._differs(seen):
                continue
            if self._cause(host, seen) or host.container(EDGE_SUCCESSOR):
                continue
            yield f"the proxy on {host.name} is kept as it is: {self._reason(host, seen)}"

    def _reason(self, host: HostState, seen: ContainerState) -> str:
        if self.scene.policy.proxy_renewal is ProxyRenewal.NEVER:
            return "this run renews none; a deploy without --keep-proxy does"
        if seen.revision > EDGE_REVISION:
            return "a newer Underway made it"
        others = ", ".join(self._others(host))
        return (
            f"another tools image would be its successor, and {others} shares it; "
            "--renew-proxy renews it without losing a request"
        )

    def _cause(self, host: HostState, seen: ContainerState) -> str:
        """Why a running proxy gets a successor; "" where it stays."""
        if self.moves(host):
            self._require_port(host)
            return "listens on another port"
        policy = self.scene.policy
        if policy.is_undo or policy.proxy_renewal is ProxyRenewal.NEVER or host.edge is None:
            return ""
        if not self._differs(seen):
            return ""
        if policy.proxy_renewal is ProxyRenewal.ALWAYS:
            return "renewed as asked"
        if seen.revision != EDGE_REVISION:
            return "older than this Underway's" if seen.revision < EDGE_REVISION else ""
        return "" if self._others(host) else "runs another tools image than this run's"

    def _differs(self, seen: ContainerState) -> bool:
        return seen.generation != self._request().label(LABEL_GENERATION)

    def _others(self, host: HostState) -> list[AppName]:
        known = {upstream.app for upstream in host.edge.upstreams} if host.edge else set()
        return sorted(known - {self.scene.app})

    def _request(self, port: int = 0) -> ContainerRequest:
        tools = self.scene.policy.tools
        listen = port or self.scene.spec.edge.http_port
        return edge_container(image_reference(tools), listen, content=tools_content(tools))

    def _started(self, host: HostState, ended: list[ContainerState]) -> list[Step]:
        """One that runs and stays silent is left alone; which of two serves tells the next look."""
        return [
            StartContainer(host.name, found.name, "takes users' traffic; it was stopped")
            for found in ended
        ]

    def _succeeded(self, host: HostState, cause: str) -> list[Step]:
        """The end of a succession: the successor runs, serves, and bears the name."""
        successor = host.container(EDGE_SUCCESSOR)
        steps: list[Step] = []
        if successor is None or successor.has_ended or _has_rested(host, successor):
            steps.append(StartContainer(host.name, EDGE_SUCCESSOR, cause))
        return [*steps, RenewProxy(host.name, EDGE_CONTAINER, EDGE_SUCCESSOR, cause)]

    def _require_port(self, host: HostState) -> None:
        """Refuse a proxy where a container holds its port; going back is never refused."""
        port = self.scene.spec.edge.http_port
        for container in host.containers if not self.scene.policy.is_undo else ():
            if container.role != Role.EDGE and port in {p for _, p in container.published}:
                raise RefusedError(
                    "edge-port-taken",
                    f"port {port} on {host.name}, where the proxy shall listen, is held by "
                    f"container {container.name}",
                    hint="stop it, or give the edge another port (x-underway.edge.http_port)",
                )


def _require_network(host: HostState) -> None:
    """Refuse an edge where a container cannot have the host's own network.

    A rootless engine would start it in a network of the engine's own, where no user reaches it.
    """
    facts = host.facts
    if not (facts.is_rootless or facts.has_userns):
        return
    what = "is rootless" if facts.is_rootless else "remaps users (userns-remap)"
    raise RefusedError(
        "edge-unsupported",
        f"{host.name} cannot be an edge: its engine {what}",
        cause="the proxy needs the host's own network, which such an engine does not give",
        hint="let another host be the edge (`x-underway: {edge: HOST}`); replicas may stay there",
    )


def _has_rested(host: HostState, container: ContainerState) -> bool:
    return host.edge is not None and container.id[:ID_DIGITS] in host.edge.rested


def _tidied(host: HostState) -> Iterator[Step]:
    """The end of proxies that have nothing left, and of a successor that failed to be one."""
    for container in host.containers:
        if container.role != Role.EDGE or container.name == EDGE_CONTAINER:
            continue
        if container.name == EDGE_SUCCESSOR:
            yield RemoveContainer(host.name, container.name, "it did not take over")
        elif container.has_ended or _has_rested(host, container):
            yield RemoveContainer(host.name, container.name, "it has ended what it had")
