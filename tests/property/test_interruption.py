"""From every interrupted prefix of a plan, planning again converges to either release."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.fakes.simulation import Simulation
from tests.property.fleets import (
    HEALTH,
    Pair,
    database,
    hosts,
    pairs,
    proxied,
    release,
    service,
    with_secret,
)
from tests.property.voyage import (
    DEPLOY,
    ORDERS,
    ROLLBACK,
    UNDO,
    converge,
    deployed,
    interrupted,
    nothing,
    planned,
)
from underway.errors import RefusedError
from underway.model.release import Release
from underway.model.spec import BeforeSpec, Dependency, DependencyCondition, Strategy
from underway.model.step import Step
from underway.rollout.scene import Policy

FEW = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
MANY = settings(FEW, max_examples=400, derandomize=False)


def voyages(pair: Pair) -> list[tuple[Release, Policy]]:
    """Where an interrupted deploy may lead: on, back as its undo, back by a later command."""
    return [(pair.new, DEPLOY), (pair.old, UNDO), (pair.old, ROLLBACK)]


def every_prefix(fleet: Simulation, steps: list[Step], ways: list[tuple[Release, Policy]]) -> int:
    """Converge from every prefix, at once and after time has passed; returns how often."""
    count = 0
    for where, interruption in interrupted(fleet, steps):
        for release_, policy in ways:
            for is_settled in (False, True):
                state = interruption.fork()
                if is_settled:
                    state.settle()
                try:
                    converge(state, release_, policy)
                except Exception as error:
                    error.add_note(f"interrupted {where}; to {release_.number}, {policy}")
                    raise
                count += 1
    return count


def shapes() -> dict[str, Pair]:
    """Pairs of releases that differ in kind."""
    one, three = hosts(1), hosts(3)
    made = {
        f"{strategy.value} on {len(where)}": Pair(
            release(1, (proxied("web", where, replicas=3, strategy=strategy),), where, edges=edges),
            release(2, (proxied("web", where, replicas=3, strategy=strategy),), where, edges=edges),
        )
        for strategy in Strategy
        for where, edges in ((one, 1), (three, 2))
    }
    needs_db = (Dependency(database(three).name, DependencyCondition.HEALTHY),)
    web = with_secret(proxied("web", three, replicas=2, depends_on=needs_db))
    worker = service("worker", three, replicas=2, before=BeforeSpec(("migrate",)))
    made["app with database"] = Pair(
        release(1, (web, worker, database(three)), three),
        release(2, (web, worker, database(three)), three, value="s2"),
    )
    made["scale down and drop a service"] = Pair(
        release(1, (proxied("web", three, replicas=4), service("worker", three)), three),
        release(2, (proxied("web", three, replicas=1),), three, versions={"web": 1}),
    )
    made["edge moves and a host goes"] = Pair(
        release(1, (proxied("web", three, replicas=3),), three),
        release(2, (proxied("web", three[1:], replicas=3),), three[1:]),
    )
    made["leaves the proxy"] = Pair(
        release(1, (proxied("web", three, replicas=2),), three),
        release(2, (service("web", three, replicas=2),), three),
    )
    made["grows from one host to three"] = Pair(
        release(1, (proxied("web", one, replicas=2),), one),
        release(2, (proxied("web", three, replicas=3),), three, versions={"web": 1}),
    )
    return made


SHAPES = shapes()


@pytest.mark.parametrize("shape", SHAPES)
def test_every_prefix_of_a_deploy_converges_to_either_release(shape: str) -> None:
    pair = SHAPES[shape]
    fleet = deployed(pair.fleet(), pair.old)
    steps = ORDERS[len(shape) % 2](planned(pair.new, fleet.snapshot()))
    assert every_prefix(fleet, steps, voyages(pair)) > 6 * len(steps)


@pytest.mark.exhaustive
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_prefix_in_every_order_of_lanes_converges(shape: str, order: object) -> None:
    pair = SHAPES[shape]
    fleet = deployed(pair.fleet(), pair.old)
    assert callable(order)
    steps = order(planned(pair.new, fleet.snapshot()))
    every_prefix(fleet, steps, voyages(pair))


@pytest.mark.parametrize("shape", ["rolling on 3", "blue-green on 1", "app with database"])
def test_every_prefix_of_a_first_deploy_converges_to_it_or_to_nothing(shape: str) -> None:
    pair = SHAPES[shape]
    fleet = pair.fleet()
    steps = ORDERS[1](planned(pair.old, fleet.snapshot()))
    every_prefix(fleet, steps, [(pair.old, DEPLOY), (nothing(pair.old), UNDO)])


@FEW
@given(pairs(), st.data())
def test_random_apps_converge_from_random_prefixes(pair: Pair, data: st.DataObject) -> None:
    random_voyage(pair, data, depth=6)


@pytest.mark.exhaustive
@MANY
@given(pairs(), st.data())
def test_many_random_apps_converge_from_random_prefixes(pair: Pair, data: st.DataObject) -> None:
    random_voyage(pair, data, depth=20)


@settings(FEW, max_examples=40)
@given(st.lists(st.sampled_from(Strategy), min_size=2, max_size=2), st.data())
def test_an_edge_never_takes_a_name_s_former_place_for_its_own(
    strategies: list[Strategy], data: st.DataObject
) -> None:
    """A name that a stop has freed is used again at another port, while edges know the former."""
    where = hosts(2)
    old, new = (
        release(n, (proxied("web", where, replicas=3, health=HEALTH, strategy=s),), where, edges=2)
        for n, s in enumerate(strategies, start=1)
    )
    random_voyage(Pair(old, new), data, depth=12)


def random_voyage(pair: Pair, data: st.DataObject, *, depth: int) -> None:
    """Interrupt runs one after the other, forward and back, then let one of them end.

    Between them health checks may begin to fail of replicas that serve all the same.
    """
    try:
        fleet = deployed(pair.fleet(), pair.old)
    except RefusedError:
        assume(condition=False)
    for _ in range(depth):
        target, policy = data.draw(st.sampled_from(voyages(pair)))
        converge(fleet.fork(), target, policy)
        steps = data.draw(st.sampled_from(ORDERS))(planned(target, fleet.snapshot(), policy))
        for step in steps[: data.draw(st.integers(0, len(steps)))]:
            fleet.apply(step)
            assert not fleet.violations
        if data.draw(st.booleans()):
            fleet.settle()
        checked = sorted(
            box.name
            for host in fleet.hosts.values()
            for box in host.boxes.values()
            if box.has_healthcheck and box.is_running and not box.is_retired
        )
        if checked and data.draw(st.booleans()):
            fleet.sicken(data.draw(st.sets(st.sampled_from(checked))))
