"""Acceptance scenarios that the planner decides alone, by their numbers."""

import time
from dataclasses import replace

import pytest

from tests.property.fleets import (
    Pair,
    database,
    hosts,
    proxied,
    release,
    service,
    with_secret,
)
from tests.property.voyage import (
    DEPLOY,
    TOOLS,
    UNDO,
    converge,
    deployed,
    in_turns,
    interrupted,
    planned,
    sail,
)
from underway.errors import RefusedError
from underway.model.names import AppName, HostName, ServiceName
from underway.model.plan import Plan
from underway.model.snapshot import Role
from underway.model.spec import (
    BeforeSpec,
    Dependency,
    FailureAction,
    PortSpec,
    Strategy,
    UpdateSpec,
)
from underway.model.step import (
    PullImage,
    SendImage,
    StartContainer,
    StopContainer,
)
from underway.rollout.order import dependencies_first, turns
from underway.rollout.removal import plan_removal
from underway.rollout.scene import Policy

ONE, TWO, THREE = hosts(1), hosts(2), hosts(3)
WEB = ServiceName("web")


@pytest.mark.parametrize(
    ("strategy", "has_fixed_port", "is_single_writer", "has_proxy", "stops_first"),
    [
        (Strategy.ROLLING, False, False, False, False),
        (Strategy.ROLLING, False, False, True, False),
        (Strategy.ROLLING, True, False, False, True),
        (Strategy.ROLLING, True, False, True, False),
        (Strategy.ROLLING, False, True, False, True),
        (Strategy.BLUE_GREEN, False, False, True, False),
        (Strategy.BLUE_GREEN, True, False, False, True),
        (Strategy.BLUE_GREEN, False, True, True, True),
        (Strategy.RECREATE, False, False, False, True),
        (Strategy.RECREATE, False, False, True, True),
    ],
)
def test_scenario_08_update_order_follows_from_the_facts(
    strategy: Strategy,
    *,
    has_fixed_port: bool,
    is_single_writer: bool,
    has_proxy: bool,
    stops_first: bool,
) -> None:
    make = proxied if has_proxy else service
    ports = (PortSpec(8000, 8080),) if has_fixed_port else ()
    web = make("web", ONE, strategy=strategy, is_single_writer=is_single_writer, ports=ports)
    pair = Pair(release(1, (web,), ONE), release(2, (web,), ONE))
    fleet = deployed(pair.fleet(), pair.old)
    plan = planned(pair.new, fleet.snapshot())
    kinds = [type(step) for step in plan.steps()]
    is_first = kinds.index(StopContainer) < kinds.index(StartContainer)
    assert is_first is stops_first
    assert (WEB in plan.interrupts) is stops_first
    converge(fleet, pair.new, DEPLOY)


def test_scenario_08_a_port_that_other_hosts_use_stops_first() -> None:
    api = service("api", THREE[:1])
    web = proxied("web", THREE[1:], depends_on=(Dependency(api.name),))
    pair = Pair(release(1, (api, web), THREE), release(2, (api, web), THREE))
    fleet = deployed(pair.fleet(), pair.old)
    assert planned(pair.new, fleet.snapshot()).interrupts == (api.name,)
    converge(fleet, pair.new, DEPLOY)


def test_scenario_07_every_image_is_on_every_host_before_anything_stops() -> None:
    web = proxied("web", THREE, replicas=3, strategy=Strategy.RECREATE)
    pair = Pair(release(1, (web,), THREE), release(2, (web,), THREE))
    steps = list(planned(pair.new, deployed(pair.fleet(), pair.old).snapshot()).steps())
    arrivals = [i for i, s in enumerate(steps) if isinstance(s, PullImage | SendImage)]
    first_stop = next(i for i, s in enumerate(steps) if isinstance(s, StopContainer))
    assert len(arrivals) == 3
    assert max(arrivals) < first_stop


def test_scenario_13_a_rolling_update_shows_exact_counts_after_each_batch() -> None:
    web = proxied("web", ONE, replicas=4, update=UpdateSpec(parallelism=2))
    pair = Pair(release(1, (web,), ONE), release(2, (web,), ONE))
    fleet = deployed(pair.fleet(), pair.old)
    counts = []
    for stage in planned(pair.new, fleet.snapshot()).stages:
        for lane in stage.lanes:
            for step in lane.steps:
                fleet.apply(step)
        if stage.title.startswith("Remove"):
            boxes = fleet.hosts[HostName("app1")].boxes.values()
            running = [b for b in boxes if b.role == Role.REPLICA and b.is_running]
            new = sum(b.label("underway.release") == "2" for b in running)
            counts.append((len(running) - new, new))
    assert counts == [(2, 2), (0, 4)]


def tolerance(ratio: float, replicas: int, action: FailureAction) -> int:
    update = UpdateSpec(max_failure_ratio=ratio, failure_action=action)
    web = proxied("web", ONE, replicas=replicas, update=update)
    made = release(1, (web,), ONE)
    plan = planned(made, Pair(made, made).fleet().snapshot())
    return dict(plan.tolerances).get(WEB, 0)


def test_scenario_14_the_ratio_says_how_many_replicas_may_fail() -> None:
    assert tolerance(0.25, 5, FailureAction.ROLLBACK) == 1
    assert tolerance(0.25, 3, FailureAction.ROLLBACK) == 0
    assert tolerance(0.5, 4, FailureAction.ROLLBACK) == 2
    assert tolerance(0.0, 5, FailureAction.CONTINUE) == 5


def test_scenario_15_planning_the_way_back_is_stable_so_that_undo_never_loops() -> None:
    """Two undo plans over the same state are the same, and the second over its end is empty."""
    web = proxied("web", TWO, replicas=2)
    pair = Pair(release(1, (web,), TWO), release(2, (web,), TWO))
    fleet = deployed(pair.fleet(), pair.old)
    for _, state in interrupted(fleet, in_turns(planned(pair.new, fleet.snapshot()))):
        plan = planned(pair.old, state.snapshot(), UNDO)
        assert planned(pair.old, state.snapshot(), UNDO) == plan
        sail(state, plan)
        assert planned(pair.old, state.snapshot(), UNDO).is_empty


def test_scenario_35_whatever_an_interrupted_run_leaves_no_later_run_trips_over() -> None:
    """Three runs, each killed at another step, then one that ends."""
    web = with_secret(proxied("web", TWO, replicas=2, before=BeforeSpec(("migrate",))))
    made = (web, database(TWO))
    pair = Pair(release(1, made, TWO), release(2, made, TWO, value="s2"))
    fleet = deployed(pair.fleet(), pair.old)
    length = len(in_turns(planned(pair.new, fleet.snapshot())))
    for first in range(0, length, 5):
        for second in range(0, length, 7):
            state = fleet.fork()
            for target, policy, count in ((pair.new, DEPLOY, first), (pair.old, UNDO, second)):
                for step in in_turns(planned(target, state.snapshot(), policy))[:count]:
                    state.apply(step)
            converge(state.fork(), pair.new, DEPLOY)
            converge(state, pair.old, UNDO)


def remains(plan: Plan) -> list[str]:
    return [type(step).__name__ for step in plan.steps()]


def test_scenario_04_removal_from_every_prefix_leaves_nothing_but_data() -> None:
    web = with_secret(proxied("web", TWO, replicas=2))
    old = release(1, (web, database(TWO)), TWO)
    policy = Policy(TOOLS, keep_unreachable=True)
    fleet = deployed(Pair(old, old).fleet(), old)
    for _, state in interrupted(fleet, in_turns(plan_removal(old, fleet.snapshot(), policy))):
        sail(state, plan_removal(old, state.snapshot(), policy))
        assert remains(plan_removal(old, state.snapshot(), policy)) == []
        for host in state.hosts.values():
            assert not host.boxes
            assert not host.networks
            assert set(host.volumes) <= {"libra_data"}


def test_scenario_04_removal_on_a_bare_host_is_nothing_to_do() -> None:
    old = release(1, (proxied("web", ONE),), ONE)
    bare = Pair(old, old).fleet()
    assert plan_removal(old, bare.snapshot(), Policy(TOOLS, keep_unreachable=True)).is_empty


def test_dependencies_come_first_and_befores_ahead_of_every_other_service() -> None:
    web = proxied("web", ONE, depends_on=(Dependency(ServiceName("db")),))
    web = replace(web, before=BeforeSpec(("migrate",)))
    spec = release(1, (service("api", ONE), web, database(ONE)), ONE).spec
    assert [s.name for s in dependencies_first(spec)] == ["api", "db", "web"]
    order = [(turn.service.name, turn.is_before) for turn in turns(spec, runs_before=True)]
    assert order == [("db", False), ("web", True), ("api", False), ("web", False)]


def test_a_hundred_hosts_with_ten_services_are_planned_in_no_time() -> None:
    where = hosts(100)
    services = tuple(
        (proxied if i % 2 else service)(f"s{i}", where, replicas=100 if i < 5 else 20)
        for i in range(10)
    )
    old, new = (release(number, services, where, edges=3) for number in (1, 2))
    fleet = Pair(old, new).fleet()
    bare = fleet.snapshot()
    began = time.thread_time()
    first = planned(old, bare)
    assert time.thread_time() - began < 3
    fleet.hurry(first.steps())
    snapshot = fleet.snapshot()
    began = time.thread_time()
    second = planned(new, snapshot)
    assert time.thread_time() - began < 3
    assert sum(isinstance(step, StopContainer) for step in second.steps()) == 600


def test_a_proxy_that_must_listen_elsewhere_interrupts_and_never_takes_another_apps_port() -> None:
    old = release(1, (proxied("web", ONE),), ONE)
    moved = replace(old, spec=replace(old.spec, edge=replace(old.spec.edge, http_port=8080)))
    fleet = deployed(Pair(old, moved).fleet(), old)
    plan = planned(moved, fleet.snapshot())
    assert plan.interrupts == (WEB,)
    other = replace(moved, spec=replace(moved.spec, name=AppName("other")))
    with pytest.raises(RefusedError) as caught:
        planned(other, fleet.snapshot())
    assert caught.value.code == "edge-port"
