"""Faults: versions that do not work, hosts that cannot be asked, containers somebody touched."""

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.simulated_host import Box
from tests.fakes.simulation import Behaviour, Simulation
from tests.property.fleets import HEALTH, Pair, hosts, pairs, proxied, release, service
from tests.property.test_interruption import FEW, MANY, SHAPES
from tests.property.voyage import (
    DEPLOY,
    ORDERS,
    ROLLBACK,
    TOOLS,
    UNDO,
    Floor,
    assert_runs_exactly,
    awaken,
    converge,
    deployed,
    interrupted,
    lane_after_lane,
    planned,
    sail,
)
from underway.errors import UnderwayError, UnreachableError
from underway.model.container import ContainerRequest
from underway.model.names import ContainerName, HostName, ServiceName
from underway.model.plan import Plan
from underway.model.snapshot import ContainerStatus, Health, Role
from underway.model.spec import BeforeSpec, Strategy
from underway.model.step import StopContainer
from underway.rollout.scene import Policy

WEB: Final = ServiceName("web")
AROUND_LOST: Final = replace(UNDO, keep_unreachable=True)
ON_WITH_LOST: Final = replace(DEPLOY, keep_unreachable=True)


def until_failure(fleet: Simulation, plan: Plan) -> UnderwayError | None:
    """Apply a plan until a step fails, as the executor does."""
    for step in plan.steps():
        try:
            fleet.apply(step)
        except UnderwayError as error:
            return error
        assert not fleet.violations
    return None


@pytest.mark.parametrize("behaviour", [Behaviour.NEVER_HEALTHY, Behaviour.CRASHES])
@pytest.mark.parametrize("strategy", [Strategy.ROLLING, Strategy.BLUE_GREEN])
@pytest.mark.parametrize("has_proxy", [True, False])
def test_scenario_02_a_broken_version_leaves_the_old_replicas_untouched(
    behaviour: Behaviour, strategy: Strategy, *, has_proxy: bool
) -> None:
    where = hosts(2)
    make = proxied if has_proxy else service
    web = make("web", where, replicas=3, strategy=strategy, health=HEALTH)
    pair = Pair(release(1, (web,), where, edges=2), release(2, (web,), where, edges=2))
    fleet = deployed(pair.fleet(), pair.old)
    before = fleet.running(WEB)
    fleet.behaviours = {pair.new.image_of(WEB).config_digest: behaviour}
    assert until_failure(fleet, planned(pair.new, fleet.snapshot())) is not None
    sail(fleet, planned(pair.old, fleet.snapshot(), UNDO))
    assert fleet.running(WEB) == before
    assert_runs_exactly(fleet, pair.old)


def test_scenario_16_a_failing_before_touches_no_replica_first_deploy_included() -> None:
    where = hosts(2)
    web = proxied("web", where, before=BeforeSpec(("migrate",)))
    worker = service("worker", where)
    pair = Pair(release(1, (web, worker), where), release(2, (web, worker), where))
    bare = pair.fleet()
    bare.failing_before = {pair.old.image_of(WEB).config_digest}
    assert until_failure(bare, planned(pair.old, bare.snapshot()))
    assert not any(b.role == Role.REPLICA for h in bare.hosts.values() for b in h.boxes.values())
    fleet = deployed(pair.fleet(), pair.old)
    before = {name: dict(host.boxes) for name, host in fleet.hosts.items()}
    fleet.failing_before = {pair.new.image_of(WEB).config_digest}
    assert until_failure(fleet, planned(pair.new, fleet.snapshot()))
    for name, host in fleet.hosts.items():
        kept = {n: b for n, b in host.boxes.items() if b.label("underway.role") != Role.BEFORE}
        assert kept == {
            n: b for n, b in before[name].items() if b.label("underway.role") != Role.BEFORE
        }


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_scenario_17_where_a_later_batch_fails_all_goes_back_to_the_old_release(batch: int) -> None:
    """Whatever batch fails, on whatever host, undo ends with all of v1 serving on both edges."""
    where = hosts(3)
    web = proxied("web", where, replicas=3)
    pair = Pair(release(1, (web,), where, edges=2), release(2, (web,), where, edges=2))
    fleet = deployed(pair.fleet(), pair.old)
    floor = Floor.of(fleet, pair.old)
    starts = 0
    for step in planned(pair.new, fleet.snapshot()).steps():
        starts += type(step).__name__ == "StartContainer"
        if starts == batch:
            break
        fleet.apply(step)
        floor.check(fleet, step)
    sail(fleet, planned(pair.old, fleet.snapshot(), UNDO))
    assert_runs_exactly(fleet, pair.old)


def lost_host(fleet: Simulation, lost: HostName, pair: Pair) -> None:
    """Undo and go on around a lost host, then with it back; what it may send to never stops."""
    for target, policy in ((pair.old, AROUND_LOST), (pair.new, ON_WITH_LOST)):
        state = fleet.fork()
        state.settle()
        state.hosts[lost].is_reachable = False
        awaken(state, target, policy)
        plan = planned(target, state.snapshot(), policy)
        sail(state, plan)
        assert any(lost in text for text in plan.left)
        state.settle()
        if any(host.has_running(Role.BEFORE) for host in fleet.hosts.values()):
            sail(state, planned(target, state.snapshot(), policy))
        assert planned(target, state.snapshot(), policy).is_empty
        state.hosts[lost].is_reachable = True
        for back, later in ((pair.old, UNDO), (pair.new, DEPLOY), (pair.old, ROLLBACK)):
            converge(state.fork(), back, later)


@pytest.mark.parametrize(
    "shape",
    [
        "blue-green on 3",
        pytest.param("rolling on 3", marks=pytest.mark.exhaustive),
        pytest.param("recreate on 3", marks=pytest.mark.exhaustive),
    ],
)
def test_nothing_is_stopped_that_a_lost_edge_may_still_send_to(shape: str) -> None:
    pair = SHAPES[shape]
    fleet = deployed(pair.fleet(), pair.old)
    steps = lane_after_lane(planned(pair.new, fleet.snapshot()))
    for where, state in interrupted(fleet, steps):
        if "in step" not in where:
            lost_host(state, HostName("app2"), pair)


@FEW
@given(pairs(), st.data())
def test_any_host_may_be_lost_at_any_step(pair: Pair, data: st.DataObject) -> None:
    any_host_lost(pair, data)


@pytest.mark.exhaustive
@MANY
@given(pairs(), st.data())
def test_any_host_may_be_lost_at_any_step_of_many_apps(pair: Pair, data: st.DataObject) -> None:
    any_host_lost(pair, data)


def any_host_lost(pair: Pair, data: st.DataObject) -> None:
    """Lose one host after some prefix of a deploy."""
    fleet = deployed(pair.fleet(), pair.old)
    steps = data.draw(st.sampled_from(ORDERS))(planned(pair.new, fleet.snapshot()))
    for step in steps[: data.draw(st.integers(0, len(steps)))]:
        fleet.apply(step)
    lost_host(fleet, data.draw(st.sampled_from(sorted(fleet.hosts))), pair)


def test_the_only_edge_lost_keeps_both_generations() -> None:
    where = hosts(2)
    web = proxied("web", where, replicas=2, strategy=Strategy.BLUE_GREEN)
    pair = Pair(release(1, (web,), where), release(2, (web,), where))
    fleet = deployed(pair.fleet(), pair.old)
    for step in planned(pair.new, fleet.snapshot()).steps():
        if isinstance(step, StopContainer):
            break
        fleet.apply(step)
    fleet.hosts[where[0].name].is_reachable = False
    plan = planned(pair.old, fleet.snapshot(), AROUND_LOST)
    assert not any(isinstance(step, StopContainer) for step in plan.steps())
    assert any("may still send requests" in text for text in plan.left)


def test_a_deploy_refuses_before_it_changes_anything_when_a_host_does_not_answer() -> None:
    pair = SHAPES["rolling on 3"]
    fleet = deployed(pair.fleet(), pair.old)
    fleet.hosts[HostName("app3")].is_reachable = False
    with pytest.raises(UnreachableError, match="app3"):
        planned(pair.new, fleet.snapshot())


def test_a_skipped_host_is_left_as_it_is() -> None:
    pair = SHAPES["rolling on 3"]
    fleet = deployed(pair.fleet(), pair.old)
    app3 = HostName("app3")
    fleet.hosts[app3].is_reachable = False
    before = dict(fleet.hosts[app3].boxes)
    policy = Policy(TOOLS, skip_hosts=frozenset({app3}))
    sail(fleet, planned(pair.new, fleet.snapshot(), policy))
    assert fleet.hosts[app3].boxes == before
    assert planned(pair.new, fleet.snapshot(), policy).is_empty


@pytest.mark.parametrize("shape", ["rolling on 3", "blue-green on 1", "app with database"])
def test_an_engine_may_restart_at_any_step(shape: str) -> None:
    pair = SHAPES[shape]
    fleet = deployed(pair.fleet(), pair.old)
    for _, state in interrupted(fleet, lane_after_lane(planned(pair.new, fleet.snapshot()))):
        state.restart_engine(HostName("app1"))
        state.settle()
        converge(state.fork(), pair.new, DEPLOY)
        converge(state, pair.old, UNDO)


def foreign(fleet: Simulation, host: HostName, name: str) -> None:
    """Somebody's own container holds a name."""
    box = Box.created(ContainerRequest(ContainerName(name), "theirs"), "theirs", "foreign")
    fleet.hosts[host].boxes[name] = replace(box, status=ContainerStatus.RUNNING)


def test_a_foreign_container_that_holds_a_name_raises_the_counter() -> None:
    pair = SHAPES["rolling on 1"]
    fleet = deployed(pair.fleet(), pair.old)
    app1 = HostName("app1")
    replicas = {n for n, b in fleet.hosts[app1].boxes.items() if b.role == Role.REPLICA}
    fleet = pair.fleet()
    foreign(fleet, app1, min(replicas))
    sail(fleet, planned(pair.old, fleet.snapshot()))
    mine = {b.name: b for b in fleet.hosts[app1].boxes.values() if b.role == Role.REPLICA}
    assert not set(mine) & replicas
    assert {box.label("underway.counter") for box in mine.values()} == {"1"}
    assert fleet.hosts[app1].boxes[min(replicas)].id == "foreign"
    assert planned(pair.old, fleet.snapshot()).is_empty


@pytest.mark.parametrize("shape", ["rolling on 1", "rolling on 3", "blue-green on 3"])
def test_scenario_32_a_killed_or_removed_replica_is_mended_alone(shape: str) -> None:
    pair = SHAPES[shape]
    for is_removed in (False, True):
        fleet = deployed(pair.fleet(), pair.old)
        app1 = fleet.hosts[HostName("app1")]
        name = min(n for n, box in app1.boxes.items() if box.role == Role.REPLICA)
        others = fleet.running(WEB) - {app1.boxes[name].id}
        fleet.kill(app1.name, name)
        if is_removed:
            del app1.boxes[name]
        fleet.settle()
        sail(fleet, planned(pair.old, fleet.snapshot()))
        assert others < fleet.running(WEB)
        assert planned(pair.old, fleet.snapshot()).is_empty
        assert_runs_exactly(fleet, pair.old)


def test_an_unhealthy_replica_is_drained_before_it_is_made_anew() -> None:
    pair = SHAPES["rolling on 1"]
    fleet = deployed(pair.fleet(), pair.old)
    app1 = fleet.hosts[HostName("app1")]
    name = min(n for n, box in app1.boxes.items() if box.role == Role.REPLICA)
    app1.boxes[name] = replace(app1.boxes[name], health=Health.UNHEALTHY)
    sail(fleet, planned(pair.old, fleet.snapshot()))
    assert planned(pair.old, fleet.snapshot()).is_empty
