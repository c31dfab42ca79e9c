"""What goes gets the time that it was promised, though no release in force names it any more."""

from dataclasses import replace

from tests.fakes.simulation import Simulation
from tests.property.fleets import Pair, hosts, proxied, release, service
from tests.property.voyage import DEPLOY, converge, deployed, planned
from underway.model.names import ServiceName
from underway.model.plan import Plan
from underway.model.release import Release
from underway.model.step import AwaitDrained, StopContainer
from underway.rollout.removal import plan_removal

ONE, TWO = hosts(1), hosts(2)


def slow(number: int, *, edges: int = 1) -> Release:
    """A worker that takes ten minutes to stop, and a service with downloads of five."""
    web = proxied("web", TWO)
    assert web.proxy is not None
    web = replace(web, proxy=replace(web.proxy, drain_s=300.0))
    worker = service("worker", TWO, stop_grace_s=600.0)
    return release(number, (web, worker, service("other", TWO)), TWO, edges=edges)


def without(made: Release, *names: str) -> Release:
    kept = tuple(s for s in made.spec.services if s.name not in names)
    return replace(made, spec=replace(made.spec, services=kept))


def grace_periods(plan: Plan) -> set[float | None]:
    return {step.grace_s for step in plan.steps() if isinstance(step, StopContainer)}


def drains(plan: Plan) -> set[float]:
    return {step.timeout_s for step in plan.steps() if isinstance(step, AwaitDrained)}


def stopping(fleet: Simulation, target: Release, name: str) -> Simulation:
    """The fleet of a client that died while it stopped a container of `name`."""
    for step in planned(target, fleet.snapshot()).steps():
        if isinstance(step, StopContainer) and f"-{name}-" in step.container:
            fleet.apply(step, is_half=True)
            return fleet
        fleet.apply(step)
    raise AssertionError("nothing of it is stopped")


def test_removing_an_app_stops_and_drains_as_its_services_say():
    old = slow(1)
    fleet = deployed(Pair(old, old).fleet(), old)
    plan = plan_removal(old, fleet.snapshot(), replace(DEPLOY, keep_unreachable=True))
    assert grace_periods(plan) == {None}
    assert drains(plan) == {300.0}


def test_a_service_that_left_the_file_keeps_its_own_time():
    pair = Pair(slow(1), without(slow(2), "worker", "web"))
    new = replace(pair.new, images=tuple(e for e in pair.old.images if e.service == "other"))
    fleet = deployed(pair.fleet(), pair.old)
    fleet.releases[new.number] = new
    plan = planned(new, fleet.snapshot())
    assert grace_periods(plan) == {None}
    assert drains(plan) == {300.0}
    converge(fleet, new, DEPLOY)


def test_a_stop_that_a_dead_client_began_keeps_its_own_time():
    pair = Pair(slow(1), slow(2))
    fleet = stopping(deployed(pair.fleet(), pair.old), pair.new, "worker")
    again = planned(pair.new, fleet.snapshot())
    stops = [s for s in again.steps() if isinstance(s, StopContainer)]
    assert [s.grace_s for s in stops if "-worker-" in s.container and s.retired == s.container] == [
        None
    ]


def test_an_edge_that_is_none_any_more_drains_as_long_as_the_service_says():
    pair = Pair(slow(1, edges=2), slow(2, edges=1))
    new = replace(pair.new, images=pair.old.images)
    fleet = deployed(pair.fleet(), pair.old)
    fleet.releases[new.number] = new
    assert planned(new, fleet.snapshot()).interrupts == ()
    steps = planned(new, fleet.snapshot()).steps()
    assert {s.timeout_s for s in steps if isinstance(s, AwaitDrained)} <= {300.0}
    converge(fleet, new, DEPLOY)
    assert ServiceName("web") in {s.name for s in new.spec.services}
