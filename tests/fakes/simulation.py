"""A simulated fleet: hosts that take every step of the model, and watch for broken promises.

Containers are frozen values in dictionaries, so that a fleet forks in microseconds and tests can
enumerate all prefixes of a plan. What an edge would do with the next request is worked out from
addresses and ports, never from names: a request that reaches the wrong container is seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from tests.fakes.simulated_host import Box, SimulatedHost, overlapping
from underway.errors import EngineError, StepFailedError, UnreachableError
from underway.model.container import ContainerRequest
from underway.model.image import ImageIdentity
from underway.model.names import (
    LABEL_APP,
    LABEL_ROLE,
    AppName,
    HostName,
    ReleaseNumber,
    ServiceName,
)
from underway.model.release import LedgerState, Release
from underway.model.snapshot import (
    ContainerStatus,
    Health,
    Role,
    Snapshot,
    Unreachable,
    VolumeState,
)
from underway.model.spec import MountKind
from underway.model.step import (
    AwaitContainer,
    AwaitDrained,
    AwaitedState,
    AwaitServers,
    ConfirmUpstream,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    PullImage,
    RecordRelease,
    RemoveContainer,
    RemoveImage,
    RemoveNetwork,
    RemoveUpstream,
    RemoveVolume,
    SendImage,
    SetCurrent,
    SetUpstream,
    StartContainer,
    Step,
    StopContainer,
    Watch,
    WriteFiles,
    WriteVault,
)
from underway.model.traffic import Server, ServerMode, Upstream

EDGE_ROLE = Role.EDGE.value


class Behaviour(Enum):
    """How containers of an image behave."""

    FINE = "fine"
    NEVER_HEALTHY = "never healthy"
    CRASHES = "crashes"


@dataclass(slots=True)
class Simulation:
    """A fleet.

    Attributes:
        hosts: the hosts by name; an unreachable one refuses steps and goes on serving.
        releases: what RecordRelease writes, by number.
        behaviours: images (config digests) that do not behave; all others are fine.
        failing_before: images whose `before` command exits with 1.
        single_writers: physical volumes that one running container may mount at a time.
        excused: containers that a test broke itself: traffic to them breaks no promise.
        violations: promises that were broken, in words.
    """

    app: AppName
    hosts: dict[HostName, SimulatedHost]
    releases: dict[ReleaseNumber, Release] = field(default_factory=dict)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    failing_before: set[str] = field(default_factory=set)
    single_writers: set[str] = field(default_factory=set)
    once: set[ServiceName] = field(default_factory=set)
    excused: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)
    made: int = 0

    def fork(self) -> "Simulation":
        """An independent copy."""
        return replace(
            self,
            hosts={name: host.fork() for name, host in self.hosts.items()},
            releases=dict(self.releases),
            excused=set(self.excused),
            violations=list(self.violations),
        )

    # Looking

    def snapshot(self) -> Snapshot:
        """What `observe` would see now."""
        return Snapshot(
            self.app,
            tuple(
                self.hosts[name].state()
                if self.hosts[name].is_reachable
                else Unreachable(name, "cut off")
                for name in sorted(self.hosts)
            ),
        )

    def target(self, edge: SimulatedHost, server: Server) -> Box | None:
        """The running container that a request to `server` reaches from `edge`."""
        for host in self.hosts.values():
            if server.address not in {"127.0.0.1", host.address} or (
                server.address == "127.0.0.1" and host is not edge
            ):
                continue
            for box in host.boxes.values():
                if box.is_running and (server.address, server.port) in box.published:
                    return box
        for box in edge.boxes.values():
            if box.is_running and any(address == server.address for _, address in box.addresses):
                return box
        return None

    def serving(self, edge: HostName, service: ServiceName) -> frozenset[str]:
        """Ids of the containers that take users' requests for `service` from `edge` and answer."""
        host = self.hosts[edge]
        upstream = host.upstreams.get((self.app, service))
        if upstream is None or not host.has_running(EDGE_ROLE):
            return frozenset()
        found = set()
        for server in _live(upstream):
            box = self.target(host, server)
            if box and box.name == server.name and self._answers(box):
                found.add(box.id)
        return frozenset(found)

    def running(self, service: ServiceName) -> frozenset[str]:
        """Ids of the replicas of `service` that run and are not unhealthy, on all hosts."""
        return frozenset(
            box.id
            for host in self.hosts.values()
            for box in host.boxes.values()
            if box.is_replica_of(self.app, service)
            and box.is_running
            and not box.is_retired
            and box.health in {Health.NONE, Health.HEALTHY}
        )

    def _answers(self, box: Box) -> bool:
        return self.behaviours.get(box.image, Behaviour.FINE) is Behaviour.FINE

    # Time and faults

    def settle(self) -> None:
        """Time passes: health checks, crashes, commands and edges' checks come to their end."""
        for host in self.hosts.values():
            for name, box in host.boxes.items():
                if box.is_running:
                    host.boxes[name] = self._settled(box)
        for host in self.hosts.values():
            if not host.has_running(EDGE_ROLE):
                continue
            for upstream in host.upstreams.values():
                for server in upstream.servers:
                    box = self.target(host, server)
                    passes = box is not None and self._answers(box)
                    key = (upstream.app, upstream.service, server.side, server.name)
                    host.checks[key] = "L7OK" if passes else "L4CON"

    def _settled(self, box: Box) -> Box:
        if box.role == Role.BEFORE.value:
            code = 1 if box.image in self.failing_before else 0
            return replace(box, status=ContainerStatus.EXITED, exit_code=code)
        if box.role == Role.REPLICA.value and box.service in self.once:
            return replace(box, status=ContainerStatus.EXITED, exit_code=0)
        behaviour = self.behaviours.get(box.image, Behaviour.FINE)
        if behaviour is Behaviour.CRASHES:
            return replace(
                box, status=ContainerStatus.RESTARTING, restarts=box.restarts + 1, exit_code=1
            )
        if box.health is Health.STARTING:
            is_fine = behaviour is Behaviour.FINE
            return replace(box, health=Health.HEALTHY if is_fine else Health.UNHEALTHY)
        return box

    def restart_engine(self, name: HostName) -> None:
        """The engine went away and came back: what ran runs again, edges check anew."""
        host = self.hosts[name]
        for box in host.boxes.values():
            if box.is_running and box.health is not Health.NONE:
                host.boxes[box.name] = replace(box, health=Health.STARTING)
        host.checks.clear()

    def kill(self, host: HostName, container: str) -> None:
        """Somebody kills a container: what breaks by that is no fault of the planner."""
        box = self.hosts[host].boxes[container]
        self.excused.add(container)
        self.hosts[host].boxes[container] = replace(
            box, status=ContainerStatus.EXITED, exit_code=137
        )

    # Steps

    def apply(self, step: Step, *, is_half: bool = False) -> None:
        """Apply a step, or only its first half as a client does that dies in its midst.

        Raises UnreachableError, EngineError or StepFailedError as the real ports and gates do.
        """
        host = self.hosts[step.host]
        if not host.is_reachable:
            raise UnreachableError("host-unreachable", f"{host.name} does not answer")
        self._apply(step, host, is_half=is_half)
        self._watch_traffic(step)

    def hurry(self, steps: Iterable[Step]) -> None:
        """Apply the effects of steps without a look at gates or traffic: for large fleets."""
        for step in steps:
            if not isinstance(
                step, AwaitContainer | AwaitServers | ConfirmUpstream | AwaitDrained | Watch
            ):
                self._apply(step, self.hosts[step.host], is_half=False)
        self.settle()

    def _apply(self, step: Step, host: SimulatedHost, *, is_half: bool) -> None:
        match step:
            case PullImage(image=image) | SendImage(image=image):
                host.images[image.config_digest] = image
            case CreateContainer(container=request):
                self._create(host, request)
            case StartContainer(container=name):
                self._start(host, name)
            case StopContainer():
                self._stop(host, step, is_half=is_half)
            case RemoveContainer(container=name):
                self._remove(host, name)
            case SetUpstream(upstream=upstream):
                self._route(host, upstream, is_half=is_half)
            case RemoveUpstream(app=app, service=service):
                self._unroute(host, app, service)
            case AwaitContainer() | AwaitServers() | ConfirmUpstream() | AwaitDrained() | Watch():
                self.settle()
                self._gate(step, host)
            case _:
                self._provide(step, host)

    def _provide(self, step: Step, host: SimulatedHost) -> None:  # noqa: C901 -- one case each
        match step:
            case CreateNetwork(network=network):
                for other in host.networks.values():
                    if other.name != network.physical and overlapping(other, network.subnet):
                        self._broken(f"subnet {network.subnet} overlaps {other.name}")
                host.put_network(network)
            case RemoveNetwork(network=name):
                host.networks.pop(name, None)
            case CreateVolume(volume=volume):
                labels = (*volume.labels, (LABEL_APP, self.app))
                made = VolumeState(volume.physical, volume.driver, tuple(sorted(set(labels))))
                host.volumes.setdefault(volume.physical, made)
            case RemoveVolume(volume=name):
                if any(name in box.volumes for box in host.boxes.values()):
                    raise EngineError("volume-in-use", f"{name} is in use", status=409)
                host.volumes.pop(name, None)
            case WriteFiles(volume=name, image=image, labels=labels):
                self._need_image(host, image, name)
                host.volumes[name] = VolumeState(name, labels=labels)
            case RemoveImage(image=name):
                if not any(box.image == name for box in host.boxes.values()):
                    host.images.pop(name, None)
            case _:
                self._record(step, host)

    def _record(self, step: Step, host: SimulatedHost) -> None:
        if not host.has_running(Role.ANCHOR.value, self.app):
            raise StepFailedError("no-anchor", f"no anchor runs on {host.name}")
        ledger = host.ledger or LedgerState(host.name)
        match step:
            case WriteVault(release=number):
                host.vault = tuple(sorted({*host.vault, number}))
            case RecordRelease(release=number):
                known = {entry.number: entry for entry in ledger.releases}
                known[number] = self.releases[number]
                kept = tuple(known[n] for n in sorted(known))
                host.ledger = replace(ledger, releases=kept)
            case SetCurrent(release=number, bindings=bindings):
                host.ledger = replace(ledger, current=number, bindings=bindings)
            case _:
                raise AssertionError(f"the simulation does not know {step}")

    def _create(self, host: SimulatedHost, request: ContainerRequest) -> None:
        seen = host.boxes.get(request.name)
        if seen is not None:
            if seen.labels != request.labels:
                self._broken(f"name {request.name} is taken on {host.name}")
                raise EngineError("name-taken", f"{request.name} exists", status=409)
            return
        image = self._need_image(host, request.image, request.name)
        for mount in request.mounts:
            if mount.kind is not MountKind.VOLUME or not mount.source:
                continue
            if request.label(LABEL_ROLE) == EDGE_ROLE:
                host.volumes.setdefault(mount.source, VolumeState(mount.source))
            if mount.source not in host.volumes:
                self._broken(f"{request.name} mounts {mount.source}, which is missing")
        for place in request.networks:
            if place.network not in host.networks:
                self._broken(f"{request.name} joins {place.network}, which is missing")
        self.made += 1
        host.boxes[request.name] = Box.created(request, image, f"id-{self.made}")

    def _need_image(self, host: SimulatedHost, reference: str, user: str) -> str:
        for image in host.images.values():
            if reference in {image.config_digest, image.pull_reference, image.reference}:
                return image.config_digest
        self._broken(f"{user} needs {reference}, which {host.name} lacks")
        raise EngineError("image-missing", f"{reference} is not on {host.name}", status=404)

    def _start(self, host: SimulatedHost, name: str) -> None:
        box = host.boxes.get(name)
        if box is None:
            raise EngineError("container-missing", f"no {name} on {host.name}", status=404)
        if box.is_running:
            return
        for other in host.boxes.values():
            if other is box or not (other.is_running or other.is_restarting):
                continue
            if set(other.published) & set(box.published):
                self._broken(f"{name} and {other.name} publish the same port of {host.name}")
            pinned = {address for _, address in box.addresses if address}
            if pinned & {address for _, address in other.addresses}:
                self._broken(f"{name} and {other.name} have the same address on {host.name}")
            shared = set(box.volumes) & set(other.volumes) & self.single_writers
            if shared and Role.ANCHOR.value not in {box.role, other.role}:
                self._broken(f"{name} and {other.name} write {sorted(shared)} at the same time")
        health = Health.STARTING if box.has_healthcheck else Health.NONE
        host.boxes[name] = replace(box, status=ContainerStatus.RUNNING, health=health)

    def _stop(self, host: SimulatedHost, step: StopContainer, *, is_half: bool) -> None:
        self._refuse_traffic(host, step.container, "stopped")
        box = host.boxes.get(step.container)
        if box is not None and step.container != step.retired:
            if step.retired in host.boxes:
                self._broken(f"{step.container} cannot be renamed: {step.retired} exists")
                raise EngineError("name-taken", f"{step.retired} exists", status=409)
            del host.boxes[step.container]
            host.boxes[step.retired] = replace(box, name=step.retired)
        retired = host.boxes.get(step.retired)
        if retired is not None and not is_half and (retired.is_running or retired.is_restarting):
            host.boxes[step.retired] = replace(retired, status=ContainerStatus.EXITED)

    def _remove(self, host: SimulatedHost, name: str) -> None:
        self._refuse_traffic(host, name, "removed")
        box = host.boxes.pop(name, None)
        if box and box.role == EDGE_ROLE:
            host.checks.clear()

    def _refuse_traffic(self, host: SimulatedHost, name: str, what: str) -> None:
        """A container that an edge sends new requests to must not go."""
        box = host.boxes.get(name)
        if box is None or not box.is_running or not self._answers(box) or name in self.excused:
            return
        for edge in self.hosts.values():
            for upstream in edge.upstreams.values():
                if any(self.target(edge, server) is box for server in _live(upstream)):
                    self._broken(f"{name} is {what} while edge {edge.name} sends it requests")

    def _route(self, host: SimulatedHost, wished: Upstream, *, is_half: bool) -> None:
        if not host.has_running(EDGE_ROLE):
            raise StepFailedError("no-proxy", f"no proxy runs on {host.name}")
        key = (wished.app, wished.service)
        seen = host.upstreams.get(key)
        passed = {
            (server.name, server.address, server.port)
            for server in (seen.servers if seen else ())
            if host.checks.get((*key, server.side, server.name)) == "L7OK"
        }
        for server in _live(wished):
            was_ready = seen is not None and server in _live(seen)
            if not was_ready and (server.name, server.address, server.port) not in passed:
                self._broken(f"{server.name} takes requests on {host.name} without a passed check")
        host.upstreams[key] = _halfway(seen, wished) if is_half else wished
        host.keep_checks(wished, seen)

    def _unroute(self, host: SimulatedHost, app: AppName, service: ServiceName) -> None:
        for key in [k for k in host.upstreams if k[0] == app and service in {"", k[1]}]:
            del host.upstreams[key]

    def _gate(
        self,
        gate: AwaitContainer | AwaitServers | ConfirmUpstream | AwaitDrained | Watch,
        host: SimulatedHost,
    ) -> None:
        match gate:
            case AwaitContainer(container=name, until=until):
                _judge(host.boxes.get(name), name, until)
            case Watch(container=name):
                _judge(host.boxes.get(name), name, AwaitedState.READY)
            case AwaitServers(app=app, service=service, servers=refs):
                upstream = host.upstreams.get((app, service))
                known = {s.name: s for s in upstream.servers} if upstream else {}
                for ref in refs:
                    server = known.get(ref.container)
                    key = (app, service, server.side if server else None, ref.container)
                    if host.checks.get(key) != "L7OK":  # type: ignore[call-overload]
                        raise StepFailedError("probe-failed", f"{ref.container} on {host.name}")
            case ConfirmUpstream(upstream=wished):
                seen = host.upstreams.get((wished.app, wished.service))
                if seen != wished:
                    raise StepFailedError("edge-differs", f"{host.name}: {seen} is not {wished}")
            case AwaitDrained(app=app, service=service, servers=names):
                upstream = host.upstreams.get((app, service))
                busy = {s.name for s in _live(upstream)} & set(names) if upstream else set()
                if busy:
                    self._broken(f"{sorted(busy)} drain on {host.name} while they get requests")

    def _watch_traffic(self, step: Step) -> None:
        """After each step: would an edge send the next request to something that cannot answer."""
        for edge in self.hosts.values():
            if not edge.has_running(EDGE_ROLE):
                continue
            for upstream in edge.upstreams.values():
                for server in _live(upstream):
                    box = self.target(edge, server)
                    if server.name in self.excused or (box and not self._answers(box)):
                        continue
                    if box is None or box.name != server.name:
                        reached = box.name if box else "nothing"
                        self._broken(
                            f"after {type(step).__name__} on {step.host}: edge {edge.name} sends "
                            f"requests for {server.name} to {reached}"
                        )

    def _broken(self, promise: str) -> None:
        self.violations.append(promise)


def _live(upstream: Upstream) -> Iterable[Server]:
    """The servers that get new requests."""
    return [s for s in upstream.servers if s.side is upstream.live and s.mode is ServerMode.READY]


def _halfway(seen: Upstream | None, wished: Upstream) -> Upstream:
    """Servers are added and made ready; nothing is drained, moved or deleted yet."""
    servers = {(s.side, s.name): s for s in wished.servers}
    for server in seen.servers if seen else ():
        fresh = servers.get((server.side, server.name))
        if fresh is None or fresh.mode is ServerMode.DRAIN:
            servers[server.side, server.name] = server
    live = seen.live if seen else wished.live
    return replace(wished, live=live, servers=tuple(sorted(servers.values())))


def _judge(box: Box | None, name: str, until: AwaitedState) -> None:
    if box is None:
        raise StepFailedError("container-gone", f"{name} is not there")
    if until is AwaitedState.COMPLETED:
        if box.status is not ContainerStatus.EXITED or box.exit_code:
            raise StepFailedError("command-failed", f"{name} is {box.status}, {box.exit_code}")
        return
    if not box.is_running:
        raise StepFailedError("replica-crashed", f"{name} is {box.status}")
    if box.health not in {Health.NONE, Health.HEALTHY}:
        raise StepFailedError("not-healthy", f"{name} is {box.health}")


def fleet(
    app: AppName, addresses: Mapping[HostName, str], releases: Iterable[Release] = ()
) -> Simulation:
    """Bare hosts with these private addresses, and the releases that may be recorded on them."""
    hosts = {name: SimulatedHost(name, address) for name, address in addresses.items()}
    return Simulation(app, hosts, {release.number: release for release in releases})


def tools_image() -> ImageIdentity:
    """The tools image of simulated fleets."""
    return ImageIdentity("underway-tools:test", "sha256:" + "70" * 32)
