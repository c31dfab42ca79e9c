"""Services that call others on other hosts: each call has an answer while anything is replaced."""

from dataclasses import dataclass, replace
from typing import Final

import pytest

from tests.fakes.simulated_host import Box, SimulatedHost
from tests.fakes.simulation import Simulation
from tests.property.fleets import HEALTH, Pair, hosts, release, service
from tests.property.test_interruption import every_prefix, voyages
from tests.property.voyage import (
    DEPLOY,
    ORDERS,
    ROLLBACK,
    assert_runs_exactly,
    converge,
    deployed,
    lane_after_lane,
    planned,
)
from underway.model.names import LABEL_RELEASE, AppName, ReleaseNumber, ServiceName
from underway.model.release import Release
from underway.model.snapshot import Role
from underway.model.spec import Dependency, ProxySpec, ServiceSpec, Strategy
from underway.model.step import CreateContainer, SetUpstream
from underway.report.step_text import step_text
from underway.rollout.interruption import losing_routes
from underway.rollout.reach import direct_ports, listener_port
from underway.rollout.scene import Scene

WHERE: Final = hosts(3)
API: Final = ServiceName("api")
WORKER: Final = ServiceName("worker")


def api(first: int = 0, last: int = 2, **changes: object) -> ServiceSpec:
    """The provider, on some of the hosts (app1 is the edge), with two replicas."""
    made = service("api", WHERE[first:last], replicas=2, expose=(9000,), health=HEALTH)
    return replace(made, **changes)  # type: ignore[arg-type]


def worker(host: int = 2, **changes: object) -> ServiceSpec:
    """The consumer, on a host where the provider does not stand."""
    made = service("worker", WHERE[host : host + 1], depends_on=(Dependency(API),), expose=())
    return replace(made, **changes)  # type: ignore[arg-type]


def pair(
    old: tuple[ServiceSpec, ...], new: tuple[ServiceSpec, ...], *, is_same: bool = False
) -> Pair:
    """Two releases; `is_same` keeps the images, so that only the configuration changes."""
    versions = dict.fromkeys(("api", "worker", "web"), 1) if is_same else None
    return Pair(release(1, old, WHERE), release(2, new, WHERE, versions=versions))


def edges_moved() -> Pair:
    """The edge moves from app1 to app2."""
    made = pair((api(), worker()), (api(), worker()), is_same=True)
    edge = replace(made.new.spec.edge, hosts=(WHERE[1].name,))
    return Pair(made.old, replace(made.new, spec=replace(made.new.spec, edge=edge)))


PROXY: Final = ProxySpec(("api.test",), 9000)
BOTH: Final = (api(), worker())
SHAPES: Final = {
    "rolling": pair(BOTH, BOTH),
    "blue-green": pair(
        (api(strategy=Strategy.BLUE_GREEN), worker()), (api(strategy=Strategy.BLUE_GREEN), worker())
    ),
    "recreate": pair(
        (api(strategy=Strategy.RECREATE), worker()), (api(strategy=Strategy.RECREATE), worker())
    ),
    "proxied": pair((api(proxy=PROXY), worker()), (api(proxy=PROXY), worker())),
    "global": pair(BOTH, (api(is_global=True), worker())),
    "one to two": pair((api(1, 2, replicas=1), worker()), (api(1), worker()), is_same=True),
    "two to one": pair((api(1), worker()), (api(1, replicas=1), worker()), is_same=True),
    "one to two on the edge": pair((api(replicas=1), worker()), BOTH, is_same=True),
    "two to one on the edge": pair(BOTH, (api(replicas=1), worker()), is_same=True),
    "proxied one to two": pair(
        (api(1, replicas=1, proxy=PROXY), worker()), (api(1, proxy=PROXY), worker()), is_same=True
    ),
    "proxied two to one": pair(
        (api(1, proxy=PROXY), worker()), (api(1, replicas=1, proxy=PROXY), worker()), is_same=True
    ),
    "proxied two to one on the edge": pair(
        (api(proxy=PROXY), worker()), (api(replicas=1, proxy=PROXY), worker()), is_same=True
    ),
    "gets a proxy": pair(BOTH, (api(proxy=PROXY), worker())),
    "loses its proxy": pair((api(proxy=PROXY), worker()), BOTH),
    "gets a consumer": pair((api(),), BOTH, is_same=True),
    "one gets a consumer": pair((api(replicas=1),), (api(replicas=1), worker()), is_same=True),
    "loses its consumer": pair(BOTH, (api(),), is_same=True),
    "is not needed any more": pair(BOTH, (api(), worker(depends_on=())), is_same=True),
    "goes with its consumer": pair((*BOTH, service("web", WHERE)), (service("web", WHERE),)),
    "is not needed and goes": pair(BOTH, (worker(depends_on=()),)),
    "port changes": pair(BOTH, (api(expose=(9100,)), worker())),
    "edge moves": edges_moved(),
}
CALM: Final = SHAPES.keys() - {
    "one to two on the edge",
    "two to one on the edge",
    "proxied two to one on the edge",
}
"""Shapes that interrupt nobody: no port of an edge changes hands."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Which calls of consumers have no answer now."""

    fleet: Simulation

    def unanswered(self) -> list[str]:
        return [
            f"{box.name} on {host.name}: {name} at {address}"
            for host in self.fleet.hosts.values()
            for box in host.boxes.values()
            if box.role == Role.REPLICA and box.is_running and not box.is_retired
            for name, address in box.names
            if not self._answers(ServiceName(name), address, self._port(box, name))
        ]

    def _port(self, box: Box, provider: str) -> int:
        made = self.fleet.releases[ReleaseNumber(int(box.label(LABEL_RELEASE)))]
        wished = made.spec.service(ServiceName(provider))
        return listener_port(made.spec, wished) or direct_ports(made.spec, wished)[0]

    def _answers(self, provider: ServiceName, address: str, port: int) -> bool:
        host = next(h for h in self.fleet.hosts.values() if h.address == address)
        if any(
            box.service == provider and box.is_running and (address, port) in box.published
            for box in host.boxes.values()
        ):
            return True
        return self._listens(host, provider, f"{address}:{port}")

    def _listens(self, host: SimulatedHost, provider: ServiceName, listen: str) -> bool:
        upstream = host.upstreams.get((AppName(self.fleet.app), provider))
        return (
            upstream is not None
            and listen in upstream.listens
            and bool(self.fleet.serving(host.name, provider))
        )


def sail_answered(fleet: Simulation, target: Release, *, is_calm: bool) -> None:
    """One plan to the end; in a calm one every call of every consumer has an answer."""
    policy = DEPLOY if target.number == 2 else ROLLBACK
    plan = planned(target, fleet.snapshot(), policy)
    scene = Scene(target, fleet.snapshot(), policy)
    users_lose = {entry.service for entry in losing_routes(scene)}
    assert users_lose <= set(plan.interrupts)
    assert is_calm is not bool(set(plan.interrupts) - users_lose), plan.interrupts
    for step in plan.steps():
        fleet.apply(step)
        assert not fleet.violations, f"{step_text(step)}: {fleet.violations}"
        if is_calm:
            assert not Calls(fleet).unanswered(), str(step_text(step))
    fleet.settle()
    again = planned(target, fleet.snapshot())
    assert again.is_empty, [str(step_text(step)) for step in again.steps()]
    assert not Calls(fleet).unanswered()
    assert_runs_exactly(fleet, target)


@pytest.mark.parametrize("shape", SHAPES)
def test_consumers_elsewhere_are_answered_while_a_release_comes(shape: str) -> None:
    fleet = deployed(SHAPES[shape].fleet(), SHAPES[shape].old)
    assert not Calls(fleet).unanswered()
    sail_answered(fleet, SHAPES[shape].new, is_calm=shape in CALM)


@pytest.mark.parametrize("shape", ["rolling", "one to two", "two to one", "edge moves"])
def test_consumers_elsewhere_are_answered_while_a_release_is_rolled_back(shape: str) -> None:
    fleet = deployed(SHAPES[shape].fleet(), SHAPES[shape].old)
    sail_answered(fleet, SHAPES[shape].new, is_calm=True)
    sail_answered(fleet, SHAPES[shape].old, is_calm=True)


@pytest.mark.parametrize("shape", ["one to two", "two to one on the edge"])
def test_from_every_prefix_listeners_come_and_go_as_wished(shape: str) -> None:
    converge_from_everywhere(shape, lane_after_lane)


@pytest.mark.exhaustive
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_from_every_prefix_of_every_shape_listeners_come_and_go(shape: str, order: object) -> None:
    converge_from_everywhere(shape, order)


def converge_from_everywhere(shape: str, order: object) -> None:
    fleet = deployed(SHAPES[shape].fleet(), SHAPES[shape].old)
    assert callable(order)
    steps = order(planned(SHAPES[shape].new, fleet.snapshot()))
    every_prefix(fleet, steps, voyages(SHAPES[shape]))


def test_the_listener_serves_before_the_first_consumer_is_made() -> None:
    fleet = SHAPES["rolling"].fleet()
    for step in planned(SHAPES["rolling"].old, fleet.snapshot()).steps():
        if isinstance(step, CreateContainer) and step.container.name.startswith("libra-worker"):
            assert fleet.serving(WHERE[0].name, API)
            assert dict(step.container.extra_hosts) == {"api": "10.0.0.1"}
        fleet.apply(step)
    assert fleet.hosts[WHERE[0].name].listens() == {("10.0.0.1", 9000)}


def test_the_consumers_generation_changes_with_the_way_to_its_provider() -> None:
    shape = SHAPES["one to two"]
    fleet = deployed(shape.fleet(), shape.old)
    before = fleet.running(WORKER)
    converge(fleet, shape.new, DEPLOY)
    assert not fleet.running(WORKER) & before


def test_scaling_a_listened_service_replaces_no_consumer() -> None:
    same = pair(BOTH, (api(replicas=3), worker()), is_same=True)
    fleet = deployed(same.fleet(), same.old)
    before = fleet.running(WORKER) | fleet.running(API)
    converge(fleet, same.new, DEPLOY)
    assert before <= fleet.running(WORKER) | fleet.running(API)


def test_edges_listen_on_their_own_address_alone() -> None:
    made = release(1, BOTH, WHERE, edges=2)
    for step in planned(made, Pair(made, made).fleet().snapshot()).steps():
        if isinstance(step, SetUpstream):
            address = next(h.address for h in WHERE if h.name == step.host)
            assert step.upstream.listens == (f"{address}:9000",)
