"""Taking over from Compose: from every interrupted prefix it goes on, or everything comes back.

Two databases never write to one volume, no two hold the port of users, and users are served but
for the one switch of that port: the simulation and the watch below see it at each step.
"""

from collections.abc import Callable

import pytest

from tests.fakes.simulated_host import SimulatedHost
from tests.fakes.simulation import Simulation
from tests.property.composed import (
    ADOPT,
    BACK,
    PORT,
    PUBLISHED,
    RELEASES,
    RESTARTS,
    RETURN,
    composed,
)
from tests.property.voyage import ORDERS, interrupted, nothing, planned
from underway.model.names import (
    EDGE_CONTAINER,
    LABEL_COMPOSE_PROJECT,
    LABEL_PORT,
    HostName,
    ServiceName,
)
from underway.model.plan import Plan
from underway.model.release import Release
from underway.model.snapshot import Role
from underway.model.step import RenewProxy, StartContainer, StopContainer
from underway.report.step_text import step_text
from underway.rollout.removal import plan_removal


def served_by(found: Simulation) -> str:
    """Who answers users on the first host: Compose's container, the edge, or nobody ("")."""
    host = found.hosts[HostName("app1")]
    for one in host.boxes.values():
        if one.is_running and PUBLISHED in one.published:
            return "compose"
    edge = host.boxes.get(host.proxy)
    listens = edge is not None and edge.is_running and edge.label(LABEL_PORT) == str(PORT)
    is_served = bool(found.serving(host.name, ServiceName("web")))
    return "edge" if listens and is_served else ""


def by_compose(host: SimulatedHost) -> dict[str, tuple[bool, str]]:
    """The containers of Compose: whether they run, and their restart policy."""
    found = (one for one in host.boxes.values() if one.label(LABEL_COMPOSE_PROJECT))
    return {one.name: (one.is_running, one.restart) for one in found}


def expect_adopted(found: Simulation, made: Release) -> None:
    host = found.hosts[HostName("app1")]
    kept = by_compose(host)
    assert {name: how for name, how in kept.items() if how[1] != "no" or how[0]} == {
        "libra-web-1-adopted": (False, "unless-stopped")
    }
    assert "libra-db-1-adopted-always" in kept
    assert "libra-cache-1-adopted-on-failure-3" in kept
    assert served_by(found) == "edge"
    assert host.boxes[EDGE_CONTAINER].label(LABEL_PORT) == str(PORT)
    for wished in made.spec.services:
        assert found.running(wished.name)


def expect_returned(found: Simulation) -> None:
    host = found.hosts[HostName("app1")]
    assert by_compose(host) == {f"libra-{n}-1": (True, how) for n, how in RESTARTS.items()}
    assert served_by(found) == "compose"
    roles = {one.role for each in found.hosts.values() for one in each.boxes.values()}
    assert Role.REPLICA.value not in roles
    assert Role.EDGE.value not in {one.role for one in host.boxes.values()}


def goes_on(found: Simulation, made: Release) -> None:
    walk(found, lambda: planned(made, found.snapshot(), ADOPT))
    expect_adopted(found, made)


def goes_back(found: Simulation, made: Release) -> None:
    walk(found, lambda: planned(nothing(made), found.snapshot(), BACK))
    expect_returned(found)


def is_returned(found: Simulation, made: Release) -> None:
    walk(found, lambda: plan_removal(made, found.snapshot(), RETURN))
    expect_returned(found)


WAYS = (goes_on, goes_back, is_returned)


def walk(found: Simulation, plan: Callable[[], Plan]) -> None:
    """One plan to the end, then one that must be empty; runs of proxies may ask for another."""
    for _ in range(3):
        made = plan()
        for step in made.steps():
            found.apply(step)
            assert not found.violations, f"{step_text(step)}: {found.violations}"
        found.settle()
        if plan().is_empty:
            return
    again = plan()
    raise AssertionError([str(step_text(step)) for step in again.steps()])


@pytest.mark.parametrize("shape", RELEASES)
def test_users_are_served_but_for_the_switch_of_their_port(shape: str) -> None:
    made = RELEASES[shape]
    found = composed(made)
    plan = planned(made, found.snapshot(), ADOPT)
    assert "web" in plan.interrupts
    who = [served_by(found)]
    switching = False
    for step in plan.steps():
        is_web = isinstance(step, StopContainer) and step.container == "libra-web-1"
        switching = switching or is_web
        found.apply(step)
        assert not found.violations, f"{step_text(step)}: {found.violations}"
        if not switching:
            assert served_by(found), step_text(step)
        if isinstance(step, RenewProxy):
            switching = False
            assert served_by(found) == "edge"
        who.append(served_by(found))
    assert (who[0], who[-1]) == ("compose", "edge")
    if shape != "a web that cannot run twice":
        gap = [i for i, one in enumerate(who) if not one]
        assert len(gap) <= 2, "nothing stands between the end of the one and the start of the other"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", RELEASES)
def test_every_prefix_goes_on_or_goes_back(shape: str, way: Callable[..., None]) -> None:
    made = RELEASES[shape]
    found = composed(made)
    steps = ORDERS[len(shape) % 2](planned(made, found.snapshot(), ADOPT))
    assert any(isinstance(step, StartContainer) for step in steps)
    for where, state in interrupted(found, steps):
        state.settle()
        try:
            way(state, made)
        except Exception as error:
            error.add_note(f"interrupted {where}")
            raise


@pytest.mark.parametrize("shape", RELEASES)
def test_every_prefix_of_the_way_back_goes_back_or_on(shape: str) -> None:
    made = RELEASES[shape]
    found = composed(made)
    goes_on(found, made)
    steps = list(plan_removal(made, found.snapshot(), RETURN).steps())
    for where, state in interrupted(found, steps):
        state.settle()
        other = state.fork()
        try:
            is_returned(state, made)
            goes_on(other, made)
        except Exception as error:
            error.add_note(f"interrupted {where}")
            raise
