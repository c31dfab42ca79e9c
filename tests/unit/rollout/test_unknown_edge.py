"""A proxy that exists and cannot be asked is brought up first: what it knows decides the plan."""

from dataclasses import replace
from typing import Final

import pytest

from tests.fakes.simulation import Simulation
from tests.property.fleets import Pair, hosts, proxied, release
from tests.property.voyage import DEPLOY, UNDO, Floor, deployed, planned, sail
from underway.model.names import EDGE_CONTAINER, HostName, ServiceName
from underway.model.snapshot import ContainerStatus
from underway.model.spec import Strategy
from underway.model.step import CreateContainer, SetUpstream, StartContainer
from underway.rollout.scene import Policy

WEB: Final = ServiceName("web")
APP1: Final = HostName("app1")


def replaced_once(strategy: Strategy) -> tuple[Simulation, Pair]:
    """A fleet whose second release serves, for blue-green from side b."""
    where = hosts(2)
    web = proxied("web", where, replicas=2, strategy=strategy)
    first, second, third = (release(n, (web,), where, edges=2) for n in (1, 2, 3))
    fleet = deployed(Pair(first, second).fleet(), first)
    fleet.releases[third.number] = third
    return deployed(fleet, second), Pair(second, third)


def stopped(fleet: Simulation) -> None:
    boxes = fleet.hosts[APP1].boxes
    boxes[EDGE_CONTAINER] = replace(boxes[EDGE_CONTAINER], status=ContainerStatus.EXITED)


def removed(fleet: Simulation) -> None:
    del fleet.hosts[APP1].boxes[EDGE_CONTAINER]
    fleet.hosts[APP1].checks.clear()


@pytest.mark.parametrize("strategy", [Strategy.ROLLING, Strategy.BLUE_GREEN])
@pytest.mark.parametrize("policy", [DEPLOY, UNDO])
@pytest.mark.parametrize("vanishes", [stopped, removed])
def test_a_proxy_that_does_not_run_is_brought_up_before_anything_is_planned(
    vanishes: object, policy: Policy, strategy: Strategy
) -> None:
    fleet, pair = replaced_once(strategy)
    vanishes(fleet)  # type: ignore[operator]
    plan = planned(pair.new, fleet.snapshot(), policy)
    assert plan.replans
    assert not any(isinstance(step, SetUpstream) for step in plan.steps())
    sail(fleet, plan)
    assert len(fleet.serving(APP1, WEB)) == 2
    fleet.settle()
    floor = Floor.of(fleet, pair.old)
    plan = planned(pair.new, fleet.snapshot(), policy)
    assert not plan.replans
    for step in plan.steps():
        fleet.apply(step)
        assert not fleet.violations
        floor.check(fleet, step)


def test_a_stopped_proxy_is_started_and_a_missing_one_made_with_its_files() -> None:
    for vanishes, kind in ((stopped, StartContainer), (removed, CreateContainer)):
        fleet, pair = replaced_once(Strategy.ROLLING)
        vanishes(fleet)
        stages = planned(pair.new, fleet.snapshot()).stages
        assert [stage.title for stage in stages] == ["Ship images", "Proxies"]
        assert isinstance(stages[1].lanes[0].steps[0], kind)


def test_a_former_edge_that_is_down_is_brought_up_to_forget_the_app() -> None:
    where = hosts(2)
    web = proxied("web", where, replicas=2)
    pair = Pair(release(1, (web,), where, edges=2), release(2, (web,), where, edges=1))
    fleet = deployed(pair.fleet(), pair.old)
    box = fleet.hosts[HostName("app2")].boxes[EDGE_CONTAINER]
    fleet.hosts[HostName("app2")].boxes[EDGE_CONTAINER] = replace(
        box, status=ContainerStatus.EXITED
    )
    plan = planned(pair.new, fleet.snapshot())
    assert plan.replans
    sail(fleet, plan)
    fleet.settle()
    sail(fleet, planned(pair.new, fleet.snapshot()))
    assert not fleet.hosts[HostName("app2")].upstreams


def test_a_bare_host_needs_no_second_plan() -> None:
    where = hosts(1)
    made = release(1, (proxied("web", where),), where)
    assert not planned(made, Pair(made, made).fleet().snapshot()).replans
