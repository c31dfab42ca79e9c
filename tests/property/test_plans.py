"""What holds for plans of all apps: determinism, order of observation, and what replaces what."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.fleets import Pair, hosts, pairs, proxied, release, service
from tests.property.test_interruption import FEW, MANY
from tests.property.voyage import (
    DEPLOY,
    TOOLS,
    UNDO,
    assert_runs_exactly,
    converge,
    deployed,
    interrupted,
    lane_after_lane,
    planned,
    sail,
)
from underway.model.names import ServiceName
from underway.model.snapshot import HostState, Snapshot
from underway.model.spec import EnvVar, ServiceSpec, Strategy
from underway.model.step import CreateContainer, StopContainer
from underway.rollout.scene import Policy

WHERE = hosts(2)
SERVICES = (proxied("web", WHERE, replicas=3), service("worker", WHERE, replicas=2))


def shuffled(snapshot: Snapshot, data: st.DataObject) -> Snapshot:
    """The same snapshot, seen in another order."""
    seen = [
        replace(
            host,
            containers=tuple(data.draw(st.permutations(host.containers))),
            images=tuple(data.draw(st.permutations(host.images))),
            networks=tuple(data.draw(st.permutations(host.networks))),
            volumes=tuple(data.draw(st.permutations(host.volumes))),
        )
        if isinstance(host, HostState)
        else host
        for host in snapshot.hosts
    ]
    return replace(snapshot, hosts=tuple(data.draw(st.permutations(seen))))


@FEW
@given(pairs(), st.data())
def test_plans_do_not_depend_on_the_order_of_observation(pair: Pair, data: st.DataObject) -> None:
    fleet = deployed(pair.fleet(), pair.old)
    states = [state for _, state in interrupted(fleet, planned_steps(pair, fleet.snapshot()))]
    state = data.draw(st.sampled_from(states)).snapshot()
    for target, policy in ((pair.new, DEPLOY), (pair.old, UNDO)):
        plan = planned(target, state, policy)
        assert planned(target, shuffled(state, data), policy) == plan
        assert repr(planned(target, state, policy)) == repr(plan)


def planned_steps(pair: Pair, snapshot: Snapshot) -> list[object]:
    """The steps of the way to the new release."""
    return lane_after_lane(planned(pair.new, snapshot))


@FEW
@given(pairs())
def test_deploying_again_changes_nothing(pair: Pair) -> None:
    fleet = deployed(pair.fleet(), pair.old)
    assert planned(pair.old, fleet.snapshot()).is_empty
    converge(fleet, pair.new, DEPLOY)


@pytest.mark.exhaustive
@MANY
@given(pairs())
def test_deploying_again_changes_nothing_for_many_apps(pair: Pair) -> None:
    fleet = deployed(pair.fleet(), pair.old)
    assert planned(pair.old, fleet.snapshot()).is_empty


def replaced(web: ServiceSpec) -> tuple[set[str], set[str]]:
    """Services of which replicas are made, and stopped, when `web` changes so."""
    same = {"web": 1, "worker": 1}
    pair = Pair(release(1, SERVICES, WHERE), release(2, (web, SERVICES[1]), WHERE, versions=same))
    fleet = deployed(pair.fleet(), pair.old)
    steps = list(planned(pair.new, fleet.snapshot()).steps())
    made = {
        step.container.label("underway.service")
        for step in steps
        if isinstance(step, CreateContainer)
    }
    stopped = {step.container.split("-")[1] for step in steps if isinstance(step, StopContainer)}
    converge(fleet, pair.new, DEPLOY)
    return made, stopped


@pytest.mark.parametrize(
    "change",
    [
        {"environment": (EnvVar("COLOR", "green"),)},
        {"labels": (("team", "two"),)},
        {"stop_grace_s": 31.0},
        {"engine": '{"Config": {"User": "app"}}'},
    ],
)
def test_scenario_05_a_changed_value_replaces_exactly_its_service(change: dict[str, object]):
    assert replaced(replace(SERVICES[0], **change)) == ({"web"}, {"web"})  # type: ignore[arg-type]


def test_changing_only_how_replicas_are_reached_replaces_nothing() -> None:
    web = SERVICES[0]
    assert web.proxy is not None
    assert replaced(replace(web, strategy=Strategy.BLUE_GREEN)) == (set(), set())
    assert replaced(replace(web, proxy=replace(web.proxy, hosts=("x.test",)))) == (set(), set())


def test_scenario_09_scaling_makes_or_retires_only_the_difference() -> None:
    assert replaced(replace(SERVICES[0], replicas=5)) == ({"web"}, set())
    assert replaced(replace(SERVICES[0], replicas=1)) == (set(), {"web"})


def test_recreate_replaces_every_replica_once_and_no_other_service() -> None:
    old = release(1, SERVICES, WHERE)
    fleet = deployed(Pair(old, old).fleet(), old)
    before = fleet.running(ServiceName("worker"))
    web = fleet.running(ServiceName("web"))
    policy = Policy(TOOLS, recreate=frozenset({ServiceName("web")}))
    sail(fleet, planned(old, fleet.snapshot(), policy))
    assert fleet.running(ServiceName("worker")) == before
    assert not fleet.running(ServiceName("web")) & web
    assert planned(old, fleet.snapshot()).is_empty
    assert_runs_exactly(fleet, old)
