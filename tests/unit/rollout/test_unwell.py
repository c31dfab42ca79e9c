"""Replicas whose health check fails may serve all the same: each gets a successor beside it."""

from dataclasses import replace

import pytest

from tests.fakes.simulation import Simulation
from tests.property.fleets import (
    HEALTH,
    Pair,
    database,
    hosts,
    proxied,
    release,
    service,
)
from tests.property.test_interruption import every_prefix, voyages
from tests.property.voyage import (
    DEPLOY,
    ROLLBACK,
    UNDO,
    Floor,
    converge,
    deployed,
    in_turns,
    planned,
    sail,
)
from underway.model.names import HostName, ServiceName
from underway.model.snapshot import ContainerStatus, Role
from underway.model.spec import PortSpec, Strategy, UpdateSpec
from underway.model.step import CreateContainer, RemoveContainer, StopContainer

ONE, TWO = hosts(1), hosts(2)
WEB, DB = ServiceName("web"), ServiceName("db")
STARTS_FIRST = [Strategy.ROLLING, Strategy.BLUE_GREEN]


def replicas(fleet: Simulation, name: ServiceName = WEB) -> list[str]:
    """The names of a service's replicas, sorted."""
    return sorted(
        box.name
        for host in fleet.hosts.values()
        for box in host.boxes.values()
        if box.is_replica_of(fleet.app, name)
    )


@pytest.mark.parametrize("make", [proxied, service])
@pytest.mark.parametrize("strategy", STARTS_FIRST)
@pytest.mark.parametrize("where", [ONE, TWO])
@pytest.mark.parametrize("count", [1, 3])
def test_all_unhealthy_at_once_are_replaced_without_less_capacity(
    make: object, strategy: Strategy, where: tuple[object, ...], count: int
) -> None:
    assert callable(make)
    web = make("web", where, replicas=count, health=HEALTH, strategy=strategy)
    other = service("other", where)
    old = release(1, (web, other), where, edges=len(where))
    new = release(2, (web, other), where, edges=len(where), versions={"web": 1})
    fleet = deployed(Pair(old, new).fleet(), old)
    fleet.sicken(replicas(fleet))
    assert planned(old, fleet.snapshot()).interrupts == ()
    for target, policy in ((old, DEPLOY), (new, DEPLOY), (old, UNDO)):
        converge(fleet.fork(), target, policy)


@pytest.mark.parametrize("make", [proxied, service])
@pytest.mark.parametrize("strategy", Strategy)
def test_from_every_prefix_of_a_repair_planning_converges(make: object, strategy: Strategy) -> None:
    assert callable(make)
    web = make("web", TWO, replicas=2, health=HEALTH, strategy=strategy)
    pair = Pair(release(1, (web,), TWO, edges=2), release(2, (web,), TWO, edges=2))
    fleet = deployed(pair.fleet(), pair.old)
    fleet.sicken(replicas(fleet))
    every_prefix(fleet, in_turns(planned(pair.old, fleet.snapshot())), voyages(pair))


def test_only_the_unhealthy_one_is_replaced() -> None:
    web = proxied("web", TWO, replicas=4, health=HEALTH)
    made = release(1, (web,), TWO)
    fleet = deployed(Pair(made, made).fleet(), made)
    names = replicas(fleet)
    fleet.sicken(names[1:2])
    steps = list(planned(made, fleet.snapshot()).steps())
    assert [s.container for s in steps if isinstance(s, StopContainer)] == names[1:2]
    converge(fleet, made, DEPLOY)
    assert replicas(fleet) == [names[0], f"{names[1]}-2", *names[2:]]
    fleet.sicken([f"{names[1]}-2"])
    converge(fleet, made, DEPLOY)
    assert replicas(fleet) == [names[0], f"{names[1]}-3", *names[2:]]
    converge(fleet, made, ROLLBACK)


def test_one_that_recovers_while_its_successor_starts_leaves_one_of_both() -> None:
    web = proxied("web", ONE, health=HEALTH)
    made = release(1, (web,), ONE)
    fleet = deployed(Pair(made, made).fleet(), made)
    well = fleet.fork().hosts[HostName("app1")].boxes
    fleet.sicken(replicas(fleet))
    for step in planned(made, fleet.snapshot()).steps():
        fleet.apply(step)
        state = fleet.fork()
        boxes = state.hosts[HostName("app1")].boxes
        boxes |= {name: box for name, box in well.items() if name in boxes}
        converge(state.fork(), made, DEPLOY)
        converge(state, made, UNDO)


def test_an_unhealthy_database_is_stopped_with_its_grace_and_announced() -> None:
    web = proxied("web", ONE, replicas=2)
    old = release(1, (web, database(ONE)), ONE)
    new = release(2, (web, database(ONE)), ONE, versions={"db": 1})
    fleet = deployed(Pair(old, new).fleet(), old)
    name = replicas(fleet, DB)[0]
    fleet.sicken([name])
    plan = planned(new, fleet.snapshot())
    assert plan.interrupts == (DB,)
    stops = [s for s in plan.steps() if isinstance(s, StopContainer) and s.container == name]
    assert [step.grace_s for step in stops] == [10.0]
    assert not [s for s in plan.steps() if isinstance(s, RemoveContainer) and s.container == name]
    converge(fleet, new, DEPLOY)


def test_one_that_holds_a_port_makes_room_first_and_is_announced() -> None:
    web = service("web", ONE, ports=(PortSpec(8000, 8080),), health=HEALTH)
    made = release(1, (web,), ONE)
    fleet = deployed(Pair(made, made).fleet(), made)
    fleet.sicken(replicas(fleet))
    assert planned(made, fleet.snapshot()).interrupts == (WEB,)
    converge(fleet, made, DEPLOY)


def test_a_replica_that_crashes_in_a_loop_is_ended_by_a_stop() -> None:
    web = proxied("web", ONE, replicas=2)
    made = release(1, (web,), ONE)
    fleet = deployed(Pair(made, made).fleet(), made)
    name = replicas(fleet)[0]
    boxes = fleet.hosts[HostName("app1")].boxes
    boxes[name] = replace(boxes[name], status=ContainerStatus.RESTARTING)
    fleet.excused.add(name)
    plan = planned(made, fleet.snapshot())
    assert [s.container for s in plan.steps() if isinstance(s, StopContainer)] == [name]
    converge(fleet, made, DEPLOY)


def test_a_successor_takes_no_name_of_somebody_else() -> None:
    web = proxied("web", ONE, health=HEALTH)
    made = release(1, (web,), ONE)
    fleet = deployed(Pair(made, made).fleet(), made)
    name = replicas(fleet)[0]
    boxes = fleet.hosts[HostName("app1")].boxes
    boxes[f"{name}-2"] = replace(
        boxes[name], name=f"{name}-2", labels=(), published=(), addresses=()
    )
    fleet.sicken([name])
    steps = planned(made, fleet.snapshot()).steps()
    assert [s.container.name for s in steps if isinstance(s, CreateContainer)] == [f"{name}-3"]
    converge(fleet, made, DEPLOY)


def test_a_rolling_replacement_of_all_keeps_its_batches() -> None:
    update = UpdateSpec(parallelism=1)
    web = proxied("web", ONE, replicas=3, health=HEALTH, update=update)
    made = release(1, (web,), ONE)
    fleet = deployed(Pair(made, made).fleet(), made)
    fleet.sicken(replicas(fleet))
    floor = Floor.of(fleet, made)
    starts = 0
    for stage in planned(made, fleet.snapshot()).stages:
        steps = [step for lane in stage.lanes for step in lane.steps]
        starts = max(starts, sum(isinstance(step, CreateContainer) for step in steps))
        for step in steps:
            fleet.apply(step)
            floor.check(fleet, step)
    assert starts == 1


def test_a_replica_that_every_edge_passes_is_good_while_its_health_check_waits_its_turn() -> None:
    """Docker asks a health check every 30 s unless told otherwise; edges ask every second."""
    for strategy in STARTS_FIRST:
        web = proxied("web", TWO, replicas=2, health=HEALTH, strategy=strategy)
        pair = Pair(release(1, (web,), TWO, edges=2), release(2, (web,), TWO, edges=2))
        fleet = deployed(pair.fleet(), pair.old)
        fleet.slow_health = {pair.new.image_of(WEB).config_digest}
        sail(fleet, planned(pair.new, fleet.snapshot()))
        fleet.settle()
        assert not fleet.running(WEB)
        assert planned(pair.new, fleet.snapshot()).is_empty
        fleet.sicken(replicas(fleet))
        assert not planned(pair.new, fleet.snapshot()).is_empty


def settled_with(fleet: Simulation, doomed: str) -> Simulation:
    """The fleet once `doomed` has failed for good."""
    fleet.excused.add(doomed)
    for host in fleet.hosts.values():
        if doomed in host.boxes:
            host.boxes[doomed] = replace(
                host.boxes[doomed], status=ContainerStatus.EXITED, exit_code=1
            )
    return fleet


@pytest.mark.parametrize("make", [proxied, service])
@pytest.mark.parametrize("strategy", STARTS_FIRST)
def test_a_tolerated_replica_is_neither_awaited_nor_made_anew(
    make: object, strategy: Strategy
) -> None:
    assert callable(make)
    update = UpdateSpec(parallelism=1, max_failure_ratio=0.25)
    web = make("web", TWO, replicas=4, update=update, strategy=strategy)
    pair = Pair(release(1, (web,), TWO), release(2, (web,), TWO))
    fleet = deployed(pair.fleet(), pair.old)
    plan = planned(pair.new, fleet.snapshot())
    made = [s.container.name for s in plan.steps() if isinstance(s, CreateContainer)]
    sail(fleet, plan)
    doomed = made[1]
    for is_exited in (True, False):
        state = fleet.fork()
        if is_exited:
            settled_with(state, doomed)
        else:
            state.sicken([doomed])
        assert not planned(pair.new, state.snapshot()).is_empty
        policy = replace(DEPLOY, tolerated=frozenset({doomed}))
        again = planned(pair.new, state.snapshot(), policy)
        assert all(
            doomed not in str(s) for s in again.steps() if not isinstance(s, RemoveContainer)
        )
        sail(state, again)
        assert planned(pair.new, state.snapshot(), policy).is_empty
        assert len(replicas(state)) == 4
        before = dict(plan.tolerances)[WEB]
        assert dict(again.tolerances).get(WEB, 0) == before - 1
        converge(state, pair.new, DEPLOY)


def test_roles_of_replicas_do_not_leak_into_successors() -> None:
    web = proxied("web", ONE, health=HEALTH)
    made = release(1, (web,), ONE)
    fleet = deployed(Pair(made, made).fleet(), made)
    fleet.sicken(replicas(fleet))
    step = next(
        s for s in planned(made, fleet.snapshot()).steps() if isinstance(s, CreateContainer)
    )
    labels = dict(step.container.labels)
    assert labels["underway.role"] == Role.REPLICA
    assert labels["underway.replica"] == "1"
    assert labels["underway.counter"] == "0"
