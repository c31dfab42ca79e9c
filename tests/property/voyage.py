"""Walking plans over a simulated fleet: orders of lanes, prefixes, what must hold on the way."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from tests.fakes.simulated_edge import leads_to, served
from tests.fakes.simulation import Simulation, tools_image
from underway.image.plan import images_by_host, transfer_lanes
from underway.model.names import HostName, ServiceName
from underway.model.plan import Lane, Plan, Stage
from underway.model.release import Release
from underway.model.snapshot import Role, Snapshot
from underway.model.spec import ServiceSpec, Strategy
from underway.model.step import SetUpstream, Step, StopContainer
from underway.report.step_text import step_text
from underway.rollout.haproxy_config import routes_of
from underway.rollout.plan import plan_release
from underway.rollout.reach import direct_ports, listener_port, listens_on, proxy_for
from underway.rollout.removal import empty_release
from underway.rollout.routes import wished_routes
from underway.rollout.scene import Policy

TOOLS: Final = tools_image()
UNDO: Final = Policy(TOOLS, is_undo=True, runs_before=False)
ROLLBACK: Final = Policy(TOOLS, runs_before=False)
DEPLOY: Final = Policy(TOOLS)
ALIVE: Final = "alive"


def planned(release: Release, snapshot: Snapshot, policy: Policy = DEPLOY) -> Plan:
    """The plan as the use cases make it: images first."""
    wanted = images_by_host(release.spec, release.images)
    needed = {
        host.name: (TOOLS, *wanted.get(host.name, ()))
        for host in release.spec.hosts
        if host.name not in policy.skip_hosts
    }
    return plan_release(release, snapshot, policy, transfer_lanes(needed, snapshot, "not there"))


def nothing(release: Release) -> Release:
    """What a failed first deploy goes back to."""
    return empty_release(release)


def lane_after_lane(plan: Plan) -> list[Step]:
    """Each lane of a stage to its end before the next begins."""
    return list(plan.steps())


def in_turns(plan: Plan) -> list[Step]:
    """One step of each lane in turn."""
    return [step for stage in plan.stages for step in _turns(stage)]


def last_lane_first(plan: Plan) -> list[Step]:
    """Lanes in the opposite order."""
    return [s for stage in plan.stages for lane in reversed(stage.lanes) for s in lane.steps]


ORDERS: Final = (lane_after_lane, in_turns, last_lane_first)


def _turns(stage: Stage) -> Iterator[Step]:
    columns: Iterable[tuple[Step | None, ...]] = zip_longest(*(_steps(x) for x in stage.lanes))
    for row in columns:
        yield from (step for step in row if step is not None)


def _steps(lane: Lane) -> tuple[Step, ...]:
    return lane.steps


def sail(fleet: Simulation, plan: Plan) -> None:
    """Apply a whole plan; every step must succeed and break no promise."""
    for step in plan.steps():
        fleet.apply(step)
        assert not fleet.violations, f"{step_text(step)}: {fleet.violations}"


def awaken(fleet: Simulation, release: Release, policy: Policy = DEPLOY) -> None:
    """Bring up proxies that could not be asked, as each run does before it plans the rest."""
    plan = planned(release, fleet.snapshot(), policy)
    if plan.replans:
        sail(fleet, plan)
        fleet.settle()
        assert not planned(release, fleet.snapshot(), policy).replans


def deployed(fleet: Simulation, release: Release, policy: Policy = DEPLOY) -> Simulation:
    """The fleet after a deploy."""
    sail(fleet, planned(release, fleet.snapshot(), policy))
    return fleet


def interrupted(fleet: Simulation, steps: list[Step]) -> Iterator[tuple[str, Simulation]]:
    """The fleet after every prefix of `steps`, and with the next step half done."""
    now = fleet.fork()
    yield "before everything", now.fork()
    for number, step in enumerate(steps, start=1):
        if isinstance(step, SetUpstream | StopContainer):
            half = now.fork()
            half.apply(step, is_half=True)
            assert not half.violations, f"half of {step_text(step)}: {half.violations}"
            yield f"in step {number}: {step_text(step)}", half
        now.apply(step)
        assert not now.violations, f"{step_text(step)}: {now.violations}"
        yield f"after step {number}: {step_text(step)}", now.fork()


@dataclass(frozen=True, slots=True)
class Floor:
    """How many replicas must go on taking requests, per edge and service.

    Without an edge it is how many run and are well (""), and how many run at all (ALIVE).
    `routes` tells it per edge and route, whichever services serve under it in turn.
    """

    least: tuple[tuple[HostName | str, ServiceName, int], ...]
    routes: tuple[tuple[HostName, str, int], ...] = ()

    @classmethod
    def of(
        cls, fleet: Simulation, release: Release, interrupts: tuple[ServiceName, ...] = ()
    ) -> "Floor":
        """The smaller of what serves now and what is wished, for services that start first.

        A service that others call from elsewhere may be said to stop first: whether a port of an
        edge is held by its own old replica, the release alone does not tell.
        """
        least: list[tuple[HostName | str, ServiceName, int]] = []
        for service in release.spec.services:
            if stops_first(release, service) or service.runs_once:
                continue
            if service.name in interrupts and listener_port(release.spec, service):
                continue
            wished = wished_count(service)
            if service.proxy is None:
                least.append(("", service.name, min(wished, len(fleet.running(service.name)))))
                least.append((ALIVE, service.name, min(wished, len(fleet.alive(service.name)))))
                continue
            for edge in release.spec.edge.hosts:
                now = len(fleet.serving(edge, service.name))
                least.append((edge, service.name, min(wished, now)))
        return cls(tuple(least), tuple(_least_per_route(fleet, release, interrupts)))

    def check(self, fleet: Simulation, step: Step) -> None:
        """Fail if fewer serve."""
        for edge, service, least in self.least:
            if edge == ALIVE:
                now = len(fleet.alive(service))
            elif edge:
                now = len(fleet.serving(HostName(edge), service))
            else:
                now = len(fleet.running(service))
            assert now >= least, (
                f"{service} on {edge or 'hosts'}: {now} < {least} after {step_text(step)}"
            )
        for name, route, least in self.routes:
            now = len(served(fleet, name, route))
            assert now >= least, f"{route} on {name}: {now} < {least} after {step_text(step)}"


def _least_per_route(
    fleet: Simulation, release: Release, interrupts: tuple[ServiceName, ...]
) -> Iterator[tuple[HostName, str, int]]:
    """The smallest of what serves under a route now, and what those wish that will or did."""
    wished = {service.name: service for service in release.spec.services}
    for edge in release.spec.edge.hosts:
        for upstream in fleet.hosts[edge].upstreams.values():
            for route in routes_of(upstream):
                takers = {leads_to(route, wished_routes(release.spec)), upstream.service}
                some = [wished[name] for name in takers if name in wished]
                asks = any(name in interrupts for name in takers)
                stops = any(stops_first(release, s) and fleet.alive(s.name) for s in some)
                if None in takers or asks or stops:
                    continue
                counts = [wished_count(service) for service in some]
                yield edge, route, min([len(served(fleet, edge, route)), *counts])


def stops_first(release: Release, service: ServiceSpec) -> bool:
    """Whether two generations of a service cannot, or shall not, run side by side."""
    holds_port = service.proxy is None and any(port.host_port for port in service.ports)
    return (
        service.strategy is Strategy.RECREATE
        or service.is_single_writer
        or holds_port
        or bool(direct_ports(release.spec, service))
    )


def wished_count(service: ServiceSpec) -> int:
    """How many replicas a service wishes."""
    return len(service.hosts) if service.is_global else service.replicas


def converge(fleet: Simulation, release: Release, policy: Policy) -> Simulation:
    """One plan to the end, promises kept on the way; then the next plan must be empty.

    Only a `before` of another release that was still running may leave its record to a second one.
    """
    awaken(fleet, release, policy)
    was_preparing = any(host.has_running(Role.BEFORE.value) for host in fleet.hosts.values())
    plan = planned(release, fleet.snapshot(), policy)
    floor = Floor.of(fleet, release, plan.interrupts)
    for step in plan.steps():
        fleet.apply(step)
        assert not fleet.violations, f"{step_text(step)}: {fleet.violations}"
        floor.check(fleet, step)
    fleet.settle()
    if was_preparing:
        sail(fleet, planned(release, fleet.snapshot(), policy))
    again = planned(release, fleet.snapshot(), policy)
    assert again.is_empty, [str(step_text(step)) for step in again.steps()]
    assert_runs_exactly(fleet, release)
    return fleet


def assert_runs_exactly(fleet: Simulation, release: Release) -> None:
    """What runs, serves and lies around is what the release says, and nothing else."""
    for service in release.spec.services:
        running = fleet.running(service.name)
        if not service.runs_once:
            assert len(running) == wished_count(service), f"{service.name}: {running}"
        if service.proxy:
            for edge in release.spec.edge.hosts:
                serving = fleet.serving(edge, service.name)
                assert serving == running, f"{service.name} at {edge}: {serving} not {running}"
    names = {service.name for service in release.spec.services}
    for host in fleet.hosts.values():
        for box in host.boxes.values():
            if box.role == Role.REPLICA.value:
                assert not box.is_retired, f"{box.name} is left on {host.name}"
                assert box.service in names, f"{box.name} is left on {host.name}"
        for upstream in host.upstreams.values():
            assert upstream.service in names, f"{upstream.service} is left on edge {host.name}"
            wished = release.spec.service(upstream.service)
            assert proxy_for(release.spec, wished), f"{wished.name} is left on edge {host.name}"
            assert upstream.listens == listens_on(release.spec, wished, host.name)
            has = {r for r, name in wished_routes(release.spec).items() if name == wished.name}
            assert {*routes_of(upstream)} == has, f"{wished.name} at {host.name}"
        mounted = {volume for box in host.boxes.values() for volume in box.volumes}
        left = {v for v in host.volumes if v.startswith("underway-files-")} - mounted
        assert not left, f"{left} left on {host.name}"
        if release.number and host.name in {h.name for h in release.spec.hosts}:
            assert host.ledger is not None
            assert host.ledger.current == release.number
