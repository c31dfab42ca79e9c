"""What is asked between releases stands apart from them, until somebody says otherwise."""

from dataclasses import replace

import pytest

from tests.fakes.simulation import Simulation
from tests.property.fleets import Pair, database, hosts, proxied, release, service
from tests.property.voyage import DEPLOY, UNDO, Floor, deployed, interrupted, planned
from underway.model.names import ServiceName
from underway.model.plan import InterruptionKind
from underway.model.release import Adjustment, Release
from underway.model.spec import BeforeSpec, Dependency, Strategy
from underway.model.step import (
    AwaitContainer,
    AwaitDrained,
    RemoveVolume,
    SetCurrent,
    StartContainer,
    StopContainer,
)
from underway.rollout.adjustments import adjustments_of, told
from underway.rollout.scene import Policy

WEB = ServiceName("web")
THREE = hosts(3)
SCALED = Adjustment(WEB, 4, 2)
STOPPED = Adjustment(WEB, is_stopped=True)
NONE = Adjustment(WEB)


def web(number: int, **changes: object) -> Release:
    return release(number, (proxied("web", THREE, **{"replicas": 2, **changes}),), THREE, edges=2)


def asking(*asked: Adjustment, policy: Policy = DEPLOY) -> Policy:
    return replace(policy, adjustments=asked)


def reached(fleet: Simulation, wish: Release, policy: Policy, count: int) -> Simulation:
    """One plan to the end, with never fewer than serve before and after; the next one is empty."""
    plan = planned(wish, fleet.snapshot(), policy)
    service = replace(wish.spec.services[0], replicas=count)
    floor = Floor.of(fleet, replace(wish, spec=replace(wish.spec, services=(service,))))
    for step in plan.steps():
        fleet.apply(step)
        assert not fleet.violations
        if count:
            floor.check(fleet, step)
    fleet.settle()
    assert planned(wish, fleet.snapshot(), policy).is_empty
    assert planned(wish, fleet.snapshot()).is_empty, "it is recorded"
    for edge in wish.spec.edge.hosts:
        assert len(fleet.serving(edge, WEB)) == count
    assert len(fleet.running(WEB)) == count
    return fleet


@pytest.mark.parametrize("strategy", Strategy)
def test_scenario_09_up_adds_healthy_ones_only_and_down_retires_the_surplus_through_the_drain(
    strategy: Strategy,
) -> None:
    wish = web(1, strategy=strategy)
    fleet = deployed(Pair(wish, wish).fleet(), wish)
    before = fleet.running(WEB)
    up = planned(wish, fleet.snapshot(), asking(SCALED))
    assert not up.interruptions
    assert not [step for step in up.steps() if isinstance(step, StopContainer)]
    reached(fleet, wish, asking(SCALED), 4)
    assert set(before) < set(fleet.running(WEB)), "those that served were left alone"
    down = list(planned(wish, fleet.snapshot(), asking(NONE)).steps())
    kinds = [type(step) for step in down]
    assert kinds.index(AwaitDrained) < kinds.index(StopContainer)
    assert kinds.count(StopContainer) == 2
    assert StartContainer not in kinds
    reached(fleet, wish, asking(NONE), 2)
    assert fleet.running(WEB) == before


@pytest.mark.parametrize(("asked", "count"), [(SCALED, 4), (STOPPED, 0)])
def test_from_every_prefix_an_adjustment_is_finished_or_taken_back(
    asked: Adjustment, count: int
) -> None:
    wish = web(1)
    fleet = deployed(Pair(wish, wish).fleet(), wish)
    steps = list(planned(wish, fleet.snapshot(), asking(asked)).steps())
    states = 0
    for _, state in interrupted(fleet, steps):
        reached(state.fork(), wish, asking(asked), count)
        reached(state.fork(), wish, asking(NONE, policy=UNDO), 2)
        states += 1
    assert states > len(steps)


def test_a_stop_tells_users_and_a_start_brings_back_what_the_release_says_now() -> None:
    old, new = web(1), web(2)
    fleet = deployed(Pair(old, new).fleet(), old)
    plan = planned(old, fleet.snapshot(), asking(STOPPED))
    (interruption,) = plan.interruptions
    assert (interruption.service, interruption.kind) == (WEB, InterruptionKind.STOP)
    assert "web.test get 503" in interruption.reason
    assert {s.cause for s in plan.steps() if isinstance(s, StopContainer)} == {"stopped on purpose"}
    reached(fleet, old, asking(STOPPED), 0)
    assert fleet.hosts[THREE[0].name].upstreams, "the edge still knows its users' way"
    deploy = planned(new, fleet.snapshot())
    assert "web is stopped on purpose (underway start web brings it back)" in deploy.remarks
    reached(fleet, new, DEPLOY, 0)
    reached(fleet, new, asking(NONE), 2)
    images = {b.image for h in fleet.hosts.values() for b in h.boxes.values() if b.service == WEB}
    assert images == {new.images[0].image.config_digest}


def test_a_scale_survives_releases_that_say_the_same_number_and_ends_with_another() -> None:
    releases = [web(1), web(2), web(3, replicas=3)]
    fleet = deployed(Pair(releases[0], releases[1]).fleet(), releases[0])
    fleet.releases |= {made.number: made for made in releases}
    reached(fleet, releases[0], asking(SCALED), 4)
    reached(fleet, releases[1], DEPLOY, 4)
    reached(fleet, releases[0], Policy(DEPLOY.tools, runs_before=False), 4)
    (remark,) = planned(releases[2], fleet.snapshot()).remarks
    assert remark == "web is not scaled to 4 any more: 3 replicas are wished"
    reached(fleet, releases[2], DEPLOY, 3)
    assert {host.ledger.adjustments for host in fleet.hosts.values() if host.ledger} == {()}


def test_a_stopped_service_keeps_its_volume_held_and_its_consumers_running() -> None:
    db = database(THREE)
    api = service("api", THREE[1:], depends_on=(Dependency(db.name),))
    wish = release(1, (api, db), THREE)
    fleet = deployed(Pair(wish, wish).fleet(), wish)
    consumers = fleet.running(api.name)
    plan = planned(wish, fleet.snapshot(), asking(Adjustment(db.name, is_stopped=True)))
    kinds = {type(step) for step in plan.steps()}
    assert RemoveVolume not in kinds
    assert not [s for s in plan.steps() if isinstance(s, StartContainer)]
    for step in plan.steps():
        fleet.apply(step)
    assert fleet.running(api.name) == consumers
    assert not fleet.running(db.name)
    assert any("api depends on it" in remark for remark in plan.remarks)


def test_a_before_that_came_while_its_service_was_stopped_runs_when_it_starts() -> None:
    old = web(1)
    new = web(2, before=BeforeSpec(("migrate",)))
    fleet = deployed(Pair(old, new).fleet(), old)
    reached(fleet, old, asking(STOPPED), 0)
    reached(fleet, new, DEPLOY, 0)
    steps = list(planned(new, fleet.snapshot(), asking(NONE)).steps())
    starts = [s.container for s in steps if isinstance(s, StartContainer)]
    assert starts[0] == "libra-web-before-2"
    assert [s for s in steps if isinstance(s, AwaitContainer)]
    reached(fleet, new, asking(NONE), 2)
    assert planned(new, fleet.snapshot()).is_empty


def test_what_is_asked_counts_before_what_is_recorded_and_what_nobody_has_is_forgotten() -> None:
    spec = web(1).spec
    recorded = (SCALED, Adjustment(ServiceName("gone"), is_stopped=True))
    assert adjustments_of(spec, recorded, ()) == {WEB: SCALED}
    assert adjustments_of(spec, recorded, (NONE,)) == {}
    assert adjustments_of(spec, (), (replace(SCALED, instead_of=3),)) == {}
    stopped = replace(SCALED, is_stopped=True)
    assert adjustments_of(spec, recorded, (stopped,)) == {WEB: stopped}
    assert len(list(told(spec, recorded, {WEB: stopped}))) == 2


def test_current_is_recorded_anew_only_where_it_differs() -> None:
    wish = web(1)
    fleet = deployed(Pair(wish, wish).fleet(), wish)
    reached(fleet, wish, asking(SCALED), 4)
    steps = list(planned(wish, fleet.snapshot(), asking(NONE)).steps())
    records = [step for step in steps if isinstance(step, SetCurrent)]
    assert [record.adjustments for record in records] == [(), (), ()]
