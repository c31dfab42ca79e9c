"""A host name that changes hands has somebody who serves under it at every moment, on every edge.

Renamed services, host names that move, that are swapped, paths carved out of others' and given
back: forward, undone, rolled back, and from every interrupted prefix.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from tests.fakes.simulated_edge import served
from tests.property.fleets import HEALTH, Pair, database, hosts, release, service
from tests.property.test_interruption import every_prefix, voyages
from tests.property.voyage import (
    DEPLOY,
    ORDERS,
    ROLLBACK,
    UNDO,
    Floor,
    converge,
    deployed,
    lane_after_lane,
    planned,
)
from underway.model.names import HostName, ServiceName
from underway.model.plan import Plan
from underway.model.release import Release
from underway.model.spec import HostSpec, PortSpec, ProxySpec, ServiceSpec, Strategy
from underway.model.step import (
    ConfirmUpstream,
    RemoveUpstream,
    SetUpstream,
    StartContainer,
    Step,
    StopContainer,
)

ONE, THREE = hosts(1), hosts(3)


def serving(
    name: str, where: tuple[HostSpec, ...], *names: str, path: str = "/", **changes: object
) -> ServiceSpec:
    proxy = ProxySpec(names, 8000, path=path)
    return service(name, where, proxy=proxy, replicas=2, health=HEALTH, **changes)


def pair(
    where: tuple[HostSpec, ...],
    old: tuple[ServiceSpec, ...],
    new: tuple[ServiceSpec, ...],
    *,
    keeps: bool = False,
) -> Pair:
    """Two releases; with `keeps` the second runs the same images, so that routes alone change."""
    versions = {one.name: 1 for one in new} if keeps else None
    edges = min(2, len(where))
    return Pair(
        release(1, old, where, edges=edges), release(2, new, where, edges=edges, versions=versions)
    )


def shapes() -> dict[str, Pair]:
    made: dict[str, Pair] = {}
    for where in (ONE, THREE):
        at = f" on {len(where)}"
        for strategy in (Strategy.ROLLING, Strategy.BLUE_GREEN, Strategy.RECREATE):
            web = serving("web", where, "a.test", "b.test", strategy=strategy)
            made[f"rename, {strategy.value}{at}"] = pair(
                where, (web,), (replace(web, name="site"),)
            )
        web = serving("web", where, "a.test", "b.test", strategy=Strategy.BLUE_GREEN)
        api = serving("api", where, "c.test")
        for keeps in (True, False):
            what = ", same images" if keeps else ""
            made[f"move{what}{at}"] = pair(
                where,
                (web, api),
                (serving("web", where, "a.test"), serving("api", where, "b.test", "c.test")),
                keeps=keeps,
            )
            made[f"swap{what}{at}"] = pair(
                where,
                (web, api),
                (replace(web, proxy=api.proxy), replace(api, proxy=web.proxy)),
                keeps=keeps,
            )
    made["move to one that is new"] = pair(
        THREE,
        (serving("web", THREE, "a.test", "b.test"),),
        (serving("web", THREE, "a.test"), serving("api", THREE, "b.test")),
    )
    made["move from one that goes"] = pair(
        ONE,
        (serving("web", ONE, "a.test"), serving("api", ONE, "b.test")),
        (serving("web", ONE, "a.test", "b.test"),),
    )
    made["from one that leaves the proxy"] = pair(
        THREE,
        (serving("web", THREE, "a.test"), serving("api", THREE, "b.test")),
        (serving("web", THREE, "a.test", "b.test"), service("api", THREE, replicas=2)),
    )
    made["a path carved out, another given back"] = pair(
        THREE,
        (serving("web", THREE, "a.test"), serving("old", THREE, "a.test", path="/old")),
        (serving("web", THREE, "a.test"), serving("api", THREE, "a.test", path="/api")),
    )
    made["paths swapped, and a star"] = pair(
        ONE,
        (serving("web", ONE, "*.test"), serving("api", ONE, "a.test", path="/api")),
        (serving("web", ONE, "a.test", path="/api"), serving("api", ONE, "*.test", "a.test")),
    )
    return made


SHAPES: Final = shapes()


@pytest.mark.parametrize("shape", SHAPES)
def test_nobody_is_asked_and_nobody_loses_a_host_name(shape: str) -> None:
    """There and back, through every order of lanes."""
    both = SHAPES[shape]
    for order in ORDERS:
        fleet = deployed(both.fleet(), both.old)
        for target, policy in ((both.new, DEPLOY), (both.old, ROLLBACK), (both.new, UNDO)):
            plan = planned(target, fleet.snapshot(), policy)
            stops = {s.name for s in target.spec.services if s.strategy is Strategy.RECREATE}
            assert set(plan.interrupts) <= stops
            floor = Floor.of(fleet, target, plan.interrupts)
            assert floor.routes
            assert all(least for _, _, least in floor.routes)
            for step in order(plan):
                fleet.apply(step)
                floor.check(fleet, step)
            assert planned(target, fleet.snapshot(), policy).is_empty


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.endswith(" on 1") or " on " not in s])
def test_from_every_prefix_a_host_name_is_served(shape: str) -> None:
    converge_from_everywhere(SHAPES[shape], lane_after_lane)


@pytest.mark.exhaustive
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_from_every_prefix_in_every_order_a_host_name_is_served(
    shape: str, order: Callable[[Plan], list[Step]]
) -> None:
    converge_from_everywhere(SHAPES[shape], order)


def converge_from_everywhere(both: Pair, order: Callable[[Plan], list[Step]]) -> None:
    fleet = deployed(both.fleet(), both.old)
    steps = order(planned(both.new, fleet.snapshot()))
    every_prefix(fleet, steps, voyages(both))


def until_commit(both: Pair) -> tuple[Release, list[Step]]:
    fleet = deployed(both.fleet(), both.old)
    steps = lane_after_lane(planned(both.new, fleet.snapshot()))
    first = next(n for n, step in enumerate(steps) if isinstance(step, StopContainer))
    return both.new, steps[:first]


def test_a_route_moves_only_to_what_passed_on_every_edge_and_is_read_back() -> None:
    both = SHAPES["rename, rolling on 3"]
    _, steps = until_commit(both)
    kinds = [
        (type(s), s.upstream.routes) if isinstance(s, SetUpstream | ConfirmUpstream) else type(s)
        for s in steps
        if isinstance(s, SetUpstream | ConfirmUpstream | RemoveUpstream)
    ]
    routes = ("a.test/", "b.test/")
    assert kinds == [
        *[(SetUpstream, ())] * 2,
        *[(SetUpstream, routes)] * 2,
        *[(ConfirmUpstream, routes)] * 2,
        *[RemoveUpstream] * 2,
    ]


def test_going_back_before_the_commit_point_starts_nothing_and_gives_the_names_back() -> None:
    both = SHAPES["rename, blue-green on 3"]
    fleet = deployed(both.fleet(), both.old)
    before = fleet.running(both.old.spec.services[0].name)
    for step in until_commit(both)[1]:
        fleet.apply(step)
    assert served(fleet, HostName("app1"), "a.test/")
    converge(fleet, both.old, UNDO)
    assert fleet.running(both.old.spec.services[0].name) == before


def test_takers_come_ahead_of_givers() -> None:
    """A new version that does not know a host name any more is never asked under it."""
    both = SHAPES["move on 1"]
    fleet = deployed(both.fleet(), both.old)
    web = ServiceName("web")
    known = fleet.running(web)
    for step in planned(both.new, fleet.snapshot()).steps():
        fleet.apply(step)
        asked = served(fleet, HostName("app1"), "b.test/")
        assert not asked & (fleet.running(web) - known)


def renamed_database(*, port: int = 0) -> Pair:
    """A service that cannot run twice, for its volume or for a port, under another name."""
    db = database(ONE)
    if port:
        db = service("db", ONE, ports=(PortSpec(5432, port),))
    return Pair(release(1, (db,), ONE), release(2, (replace(db, name=ServiceName("pg")),), ONE))


@pytest.mark.parametrize("port", [0, 5432])
def test_what_cannot_run_twice_stops_first_under_its_old_name(port: int) -> None:
    """Two databases on one volume would destroy it: the plan says that it interrupts."""
    both = renamed_database(port=port)
    fleet = deployed(both.fleet(), both.old)
    plan = planned(both.new, fleet.snapshot())
    assert plan.interrupts == ("pg",)
    steps = lane_after_lane(plan)
    stop = next(n for n, step in enumerate(steps) if isinstance(step, StopContainer))
    start = next(n for n, step in enumerate(steps) if isinstance(step, StartContainer))
    assert stop < start
    every_prefix(fleet, steps, voyages(both))
