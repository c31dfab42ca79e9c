"""`--limit`: hosts that are not named keep what they run, and every way on or back converges."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.fakes.simulation import Simulation
from tests.property.fleets import Pair, hosts, pairs, proxied, release, service, with_secret
from tests.property.test_interruption import FEW, MANY, every_prefix
from tests.property.voyage import (
    DEPLOY,
    ROLLBACK,
    UNDO,
    converge,
    deployed,
    lane_after_lane,
    planned,
)
from underway.errors import RefusedError
from underway.model.names import HostName
from underway.model.release import Limit
from underway.model.snapshot import ContainerStatus, Role
from underway.model.spec import BeforeSpec, Strategy
from underway.model.step import CreateContainer, StartContainer, StopContainer
from underway.rollout.beside import Beside, check_beside
from underway.rollout.scene import Policy


def limit_to(pair: Pair, *names: HostName) -> Policy:
    return replace(DEPLOY, beside=Beside(frozenset(names), pair.old))


@st.composite
def limits(draw: st.DrawFn, most_services: int = 3) -> tuple[Pair, Policy]:
    """Two releases that may serve side by side, and some of their hosts."""
    pair = draw(pairs(most_services=most_services))
    names = [host.name for host in pair.old.spec.hosts]
    assume(len(names) > 1)
    some = draw(st.sets(st.sampled_from(names), min_size=1, max_size=len(names) - 1))
    policy = limit_to(pair, *some)
    # What is drawn to differ in more than its own replicas takes the old shape, in the new version.
    shapes = {one.name: one for one in pair.new.spec.services}
    kept = tuple(
        replace(one, environment=shapes.get(one.name, one).environment)
        for one in pair.old.spec.services
    )
    images = {entry.service: entry for entry in (*pair.old.images, *pair.new.images)}
    new = replace(
        pair.new,
        spec=replace(pair.old.spec, services=kept),
        images=tuple(images[one.name] for one in kept),
    )
    pair = replace(pair, new=new)
    try:
        check_beside(new, policy.beside)
    except RefusedError:
        assume(condition=False)
    return pair, policy


def outside(fleet: Simulation, policy: Policy) -> dict[str, set[str]]:
    """The replicas of hosts that keep what they run."""
    assert policy.beside
    return {
        name: {box.name for box in host.boxes.values() if box.role == Role.REPLICA.value}
        for name, host in fleet.hosts.items()
        if name not in policy.beside.hosts
    }


def check_limited(pair: Pair, policy: Policy) -> None:
    assert policy.beside
    fleet = deployed(pair.fleet(), pair.old)
    before = outside(fleet, policy)
    for step in planned(pair.new, fleet.snapshot(), policy).steps():
        if isinstance(step, CreateContainer | StartContainer | StopContainer):
            assert step.host in policy.beside.hosts, step
    converge(fleet, pair.new, policy)
    assert outside(fleet, policy) == before
    for host in fleet.hosts.values():
        assert host.ledger
        hosts_ = tuple(sorted(policy.beside.hosts))
        assert host.ledger.limit == Limit(hosts_, pair.old.number)
    for way, target in ((DEPLOY, pair.new), (ROLLBACK, pair.old)):
        whole = converge(fleet.fork(), target, way)
        assert all(h.ledger and h.ledger.limit is None for h in whole.hosts.values())


@FEW
@given(limits())
def test_other_hosts_are_not_touched_and_a_whole_deploy_completes_it(
    drawn: tuple[Pair, Policy],
) -> None:
    check_limited(*drawn)


@pytest.mark.exhaustive
@MANY
@given(limits())
def test_other_hosts_are_not_touched_in_many_apps(drawn: tuple[Pair, Policy]) -> None:
    check_limited(*drawn)


def check_prefixes(pair: Pair, policy: Policy) -> None:
    fleet = deployed(pair.fleet(), pair.old)
    steps = lane_after_lane(planned(pair.new, fleet.snapshot(), policy))
    ways = [(pair.new, policy), (pair.old, UNDO), (pair.old, ROLLBACK), (pair.new, DEPLOY)]
    assert every_prefix(fleet, steps, ways) > 0
    sailed = converge(fleet, pair.new, policy)
    steps = lane_after_lane(planned(pair.new, sailed.snapshot()))
    back = replace(UNDO, beside=policy.beside)
    ways = [(pair.new, DEPLOY), (pair.new, back), (pair.old, ROLLBACK), (pair.new, policy)]
    assert every_prefix(sailed, steps, ways) > 0


WHERE = hosts(2)


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param(s, marks=[] if s is Strategy.ROLLING else pytest.mark.exhaustive)
        for s in Strategy
    ],
)
def test_every_prefix_of_a_limited_deploy_and_of_its_completion_converges(
    strategy: Strategy,
) -> None:
    web = with_secret(proxied("web", WHERE, replicas=3, strategy=strategy))
    worker = service("worker", WHERE, before=BeforeSpec(("migrate",)))
    old = release(1, (web, worker), WHERE, edges=2)
    pair = Pair(old, release(2, (web, worker), WHERE, edges=2))
    check_prefixes(pair, limit_to(pair, WHERE[0].name))


@pytest.mark.exhaustive
@settings(MANY, max_examples=40)
@given(limits())
def test_every_prefix_of_many_limited_deploys_converges(drawn: tuple[Pair, Policy]) -> None:
    check_prefixes(*drawn)


@FEW
@given(limits(), st.data())
def test_what_is_missing_on_either_side_is_mended_with_its_own_release(
    drawn: tuple[Pair, Policy], data: st.DataObject
) -> None:
    pair, policy = drawn
    fleet = converge(deployed(pair.fleet(), pair.old), pair.new, policy)
    boxes = [
        (host, box)
        for host in fleet.hosts.values()
        for box in host.boxes.values()
        if box.role == Role.REPLICA.value
    ]
    assume(boxes)
    host, box = data.draw(st.sampled_from(boxes))
    fleet.excused.add(box.name)
    host.boxes[box.name] = replace(box, status=ContainerStatus.EXITED, exit_code=1)
    fleet.settle()
    converge(fleet, pair.new, policy)
    running = {name for name in host.boxes if host.boxes[name].status is ContainerStatus.RUNNING}
    assert box.image in {host.boxes[name].image for name in running}
