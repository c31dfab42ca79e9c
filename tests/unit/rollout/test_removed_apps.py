"""Taking an app away takes a proxy away only from nobody else."""

from dataclasses import replace
from typing import Final

from tests.fakes.simulation import Simulation
from tests.property.fleets import Pair, hosts, proxied, release
from tests.property.voyage import DEPLOY, deployed
from underway.model.names import AppName, HostName
from underway.model.plan import Plan
from underway.model.release import Release
from underway.model.snapshot import HostState, Snapshot
from underway.model.step import RemoveProxy, RemoveUpstream
from underway.model.traffic import EdgeState, ObservedUpstream
from underway.rollout.removal import plan_removal

APP1: Final = HostName("app1")
OTHER: Final = AppName("other")


def running() -> tuple[Simulation, Release]:
    where = hosts(1)
    made = release(1, (proxied("web", where),), where)
    return deployed(Pair(made, made).fleet(), made), made


def with_edge(snapshot: Snapshot, edge: EdgeState) -> Snapshot:
    (host,) = snapshot.hosts
    assert isinstance(host, HostState)
    return replace(snapshot, hosts=(replace(host, edge=edge),))


def kinds(plan: Plan) -> list[type]:
    return [type(step) for step in plan.steps()]


def test_the_last_app_takes_the_proxy_along() -> None:
    fleet, made = running()
    plan = plan_removal(made, fleet.snapshot(), DEPLOY)
    for step in plan.steps():
        fleet.apply(step)
    assert not fleet.violations
    assert not fleet.hosts[APP1].boxes
    assert not fleet.hosts[APP1].volumes
    assert plan_removal(made, fleet.snapshot(), DEPLOY).is_empty


def test_an_app_in_its_first_deploy_keeps_the_proxy() -> None:
    """It has routes already; whether its anchor was seen does not matter."""
    fleet, made = running()
    snapshot = fleet.snapshot()
    (host,) = snapshot.reachable
    assert host.edge is not None
    theirs = replace(host.edge.upstreams[0], app=OTHER)
    seen = with_edge(snapshot, replace(host.edge, upstreams=(*host.edge.upstreams, theirs)))
    assert isinstance(theirs, ObservedUpstream)
    plan = plan_removal(made, seen, DEPLOY)
    assert RemoveProxy not in kinds(plan)
    assert any(isinstance(s, RemoveUpstream) and not s.service for s in plan.steps())


def test_an_app_that_comes_after_the_plan_keeps_the_proxy() -> None:
    fleet, made = running()
    plan = plan_removal(made, fleet.snapshot(), DEPLOY)
    host = fleet.hosts[APP1]
    (wish,) = host.upstreams.values()
    for step in plan.steps():
        if isinstance(step, RemoveProxy):
            host.upstreams[OTHER, wish.service] = replace(wish, app=OTHER, servers=())
        fleet.apply(step)
    assert "underway-edge" in host.boxes
    assert not fleet.violations


def test_a_run_that_only_the_proxy_remembers_is_forgotten() -> None:
    fleet, made = running()
    plan = plan_removal(made, fleet.snapshot(), DEPLOY)
    for step in plan.steps():
        if not isinstance(step, RemoveProxy):
            fleet.apply(step)
    left = EdgeState("3.0", (), ((fleet.app, 4), (OTHER, 2)))  # type: ignore[arg-type]
    again = plan_removal(made, with_edge(fleet.snapshot(), left), DEPLOY)
    assert kinds(again) == [RemoveUpstream, RemoveProxy]
