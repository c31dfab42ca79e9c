"""A simulated fleet: hosts that take every step of the model, and watch for broken promises.

Containers are frozen values in dictionaries, so that a fleet forks in microseconds and tests can
enumerate all prefixes of a plan. What an edge would do with the next request is worked out from
addresses and ports, never from names: a request that reaches the wrong container is seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tests.fakes.simulated_containers import (
    create,
    need_image,
    remove,
    renew,
    start,
    stop,
    taken_over,
)
from tests.fakes.simulated_edge import judge_gate, live_servers, route, unroute, watch_traffic
from tests.fakes.simulated_host import Behaviour, Box, SimulatedHost, overlapping
from underway.errors import EngineError, StepFailedError, UnreachableError
from underway.model.image import ImageIdentity
from underway.model.names import LABEL_APP, AppName, HostName, ReleaseNumber, ServiceName
from underway.model.release import LedgerState, Release
from underway.model.snapshot import (
    ContainerStatus,
    Health,
    Role,
    Snapshot,
    Unreachable,
    VolumeState,
)
from underway.model.step import (
    AwaitContainer,
    AwaitDrained,
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
    RemoveProxy,
    RemoveUpstream,
    RemoveVolume,
    RenameContainer,
    RenewProxy,
    SendImage,
    SetCurrent,
    SetRestart,
    SetUpstream,
    StartContainer,
    Step,
    StopContainer,
    Watch,
    WriteFiles,
    WriteVault,
)
from underway.model.traffic import Server


@dataclass(slots=True)
class Simulation:
    """A fleet.

    Attributes:
        hosts: the hosts by name; an unreachable one refuses steps and goes on serving.
        releases: what RecordRelease writes, by number.
        behaviours: images (config digests) that do not behave; all others are fine.
        failing_before: images whose `before` command exits with 1.
        deaf: containers that run and never answer nor get healthy.
        slow_health: images whose health check has its first turn long after all else.
        single_writers: physical volumes that one running container may mount at a time.
        excused: containers that a test broke itself: traffic to them breaks no promise.
        violations: promises that were broken, in words.
    """

    app: AppName
    hosts: dict[HostName, SimulatedHost]
    releases: dict[ReleaseNumber, Release] = field(default_factory=dict)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    failing_before: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)
    slow_health: set[str] = field(default_factory=set)
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
        for host in self.hosts.values():
            if host.is_reachable:
                host.revive_anchor(self.app)
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
        if upstream is None or not host.has_proxy():
            return frozenset()
        found = set()
        for server in live_servers(upstream):
            box = self.target(host, server)
            if box and box.name == server.name and self.answers(box):
                found.add(box.id)
        return frozenset(found)

    def alive(self, service: ServiceName) -> frozenset[str]:
        """Ids of the replicas of `service` that run, healthy or not, on all hosts."""
        return frozenset(
            box.id
            for host in self.hosts.values()
            for box in host.boxes.values()
            if box.is_replica_of(self.app, service) and box.is_running and not box.is_retired
        )

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

    def answers(self, box: Box) -> bool:
        is_fine = self.behaviours.get(box.image, Behaviour.FINE) is Behaviour.FINE
        return is_fine and box.name not in self.deaf

    # Time and faults

    def settle(self) -> None:
        """Time passes: health checks, crashes, commands and edges' checks come to their end."""
        for host in self.hosts.values():
            for name, box in host.boxes.items():
                if box.is_running:
                    host.boxes[name] = self._settled(box)
        for host in self.hosts.values():
            if not host.has_proxy():
                continue
            for upstream in host.upstreams.values():
                for server in upstream.servers:
                    box = self.target(host, server)
                    passes = box is not None and self.answers(box)
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
        if box.health is Health.STARTING and box.image not in self.slow_health:
            is_fine = self.answers(box)
            return replace(box, health=Health.HEALTHY if is_fine else Health.UNHEALTHY)
        return box

    def restart_engine(self, name: HostName) -> None:
        """The engine went away and came back: what ran runs again, edges check anew."""
        host = self.hosts[name]
        for box in host.boxes.values():
            if box.is_running and box.health is not Health.NONE:
                host.boxes[box.name] = replace(box, health=Health.STARTING)
        host.checks.clear()

    def sicken(self, names: Iterable[str]) -> None:
        """The health checks of these containers fail, though they answer edges as before."""
        sick = set(names)
        for host in self.hosts.values():
            for name in sick & set(host.boxes):
                host.boxes[name] = replace(host.boxes[name], health=Health.UNHEALTHY)

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
        watch_traffic(self, step)

    def hurry(self, steps: Iterable[Step]) -> None:
        """Apply the effects of steps without a look at gates or traffic: for large fleets."""
        for step in steps:
            if not isinstance(
                step, AwaitContainer | AwaitServers | ConfirmUpstream | AwaitDrained | Watch
            ):
                self._apply(step, self.hosts[step.host], is_half=False)
        self.settle()

    def _apply(  # noqa: C901, PLR0912 -- one case each
        self, step: Step, host: SimulatedHost, *, is_half: bool
    ) -> None:
        match step:
            case PullImage(image=image) | SendImage(image=image):
                host.images[image.config_digest] = image
            case CreateContainer(container=request):
                create(self, host, request)
            case StartContainer(container=name):
                start(self, host, name)
            case StopContainer():
                stop(self, host, step, is_half=is_half)
            case RenameContainer() | SetRestart():
                taken_over(host, step)
            case RemoveContainer(container=name):
                remove(self, host, name)
            case RenewProxy():
                renew(self, host, step)
            case RemoveProxy(volume=volume):
                if not host.upstreams or not host.has_proxy():
                    for box in [b for b in host.boxes.values() if b.role == Role.EDGE.value]:
                        remove(self, host, box.name)
                    host.volumes.pop(volume, None)
                    host.upstreams.clear()
            case SetUpstream(upstream=upstream):
                route(self, host, upstream, is_half=is_half)
            case RemoveUpstream(app=app, service=service):
                unroute(host, app, service)
            case AwaitContainer() | AwaitServers() | ConfirmUpstream() | AwaitDrained() | Watch():
                self.settle()
                judge_gate(self, step, host)
            case _:
                self._provide(step, host)

    def _provide(self, step: Step, host: SimulatedHost) -> None:  # noqa: C901 -- one case each
        match step:
            case CreateNetwork(network=network):
                for other in host.networks.values():
                    if other.name != network.physical and overlapping(other, network.subnet):
                        self.broken(f"subnet {network.subnet} overlaps {other.name}")
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
                need_image(self, host, image, name)
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
            case SetCurrent(release=number, bindings=bindings, adjustments=asked):
                said = replace(ledger, current=number, bindings=bindings, adjustments=asked)
                host.ledger = replace(said, limit=step.limit)
            case _:
                raise AssertionError(f"the simulation does not know {step}")

    def broken(self, promise: str) -> None:
        self.violations.append(promise)


def fleet(
    app: AppName, addresses: Mapping[HostName, str], releases: Iterable[Release] = ()
) -> Simulation:
    """Bare hosts with these private addresses, and the releases that may be recorded on them."""
    hosts = {name: SimulatedHost(name, address) for name, address in addresses.items()}
    return Simulation(app, hosts, {release.number: release for release in releases})


def tools_image() -> ImageIdentity:
    """The tools image of simulated fleets."""
    return ImageIdentity("underway-tools:test", "sha256:" + "70" * 32)
