"""A host name changes hands between two services of an app: one change, under load nothing lost."""

import dataclasses
from collections.abc import Iterator

import pytest

from lab.load.background import Load
from lab.load.order import MIB, Mix
from tests.contract.edge.place import (
    APP,
    HOST,
    WEB,
    EdgePlace,
    Replica,
    eventually,
    replica,
    upstream,
)
from tests.contract.edge.test_under_load import neighbour_before_each_step
from underway.errors import RefusedError
from underway.model.names import RunNumber, ServiceName
from underway.model.traffic import ServerMode, Side, Upstream
from underway.rollout.haproxy_config import fragment_digest

READY, DRAIN = ServerMode.READY, ServerMode.DRAIN
RUN = RunNumber(1)
SITE = ServiceName("site")
ROUTE = f"{HOST}/"
MIX = Mix(
    keep_alive_per_s=60,
    fresh_per_s=20,
    post_per_s=15,
    slow_per_s=2,
    upload_per_s=0.3,
    websockets=4,
    upload_bytes=2 * MIB,
    upload_bytes_per_s=MIB,
)
OFTEN = Mix(keep_alive_per_s=60, fresh_per_s=40, post_per_s=15, slow_per_s=1, websockets=2)


def web(one: Replica, *routes: str, mode: ServerMode = READY, side: Side = Side.A) -> Upstream:
    wish = upstream(one.server(mode, side), live=side)
    return dataclasses.replace(wish, routes=routes)


def site(one: Replica, *routes: str, mode: ServerMode = READY) -> Upstream:
    return dataclasses.replace(web(one, *routes, mode=mode), service=SITE)


def seen_routes(edge: EdgePlace, service: ServiceName) -> tuple[str, ...]:
    seen = edge.observed(service=service)
    assert seen is not None
    return seen.routes


@pytest.fixture
def old() -> Iterator[Replica]:
    with replica("old", "v1") as started:
        yield started


@pytest.fixture
def new() -> Iterator[Replica]:
    with replica("new", "v2", "listen-after:1.5") as started:
        yield started


def await_passed(edge: EdgePlace, service: ServiceName) -> None:
    def passed() -> bool:
        seen = edge.observed(service=service)
        return seen is not None and all(s.has_passed and s.is_up for s in seen.servers)

    eventually(passed, f"the edge's check of {service} passes")


def await_drained(edge: EdgePlace, service: ServiceName, name: str) -> None:
    def is_drained() -> bool:
        left = edge.proxy.sessions(APP, service)
        return name not in left or left[name].requests == 0

    eventually(is_drained, f"{name} has only tunnels left", 40.0)


def test_a_service_without_routes_gets_none_and_keeps_its_side(
    edge: EdgePlace, old: Replica, new: Replica
) -> None:
    edge.proxy.apply(web(old, ROUTE, side=Side.B), RUN)
    edge.proxy.apply(site(new), RUN)
    await_passed(edge, SITE)
    assert "x-replica: old" in edge.answers("/version", HOST).lower()
    before = edge.worker()
    edge.proxy.apply(site(new, ROUTE), RUN)
    assert edge.worker() == before, "a route changes hands without a reload"
    assert "x-replica: new" in edge.answers("/version", HOST).lower()
    assert (seen_routes(edge, WEB), seen_routes(edge, SITE)) == ((), (ROUTE,))
    giver = edge.observed()
    assert giver is not None
    assert giver.live is Side.B, "it goes back to where it was"
    assert giver.fragment == fragment_digest(web(old, side=Side.B))


def test_a_name_of_another_app_is_refused_before_the_cut_over(
    edge: EdgePlace, old: Replica, new: Replica
) -> None:
    edge.proxy.apply(web(old, ROUTE), RUN)
    thief = dataclasses.replace(upstream(new.server(DRAIN), app="thief"), routes=())
    with pytest.raises(RefusedError) as caught:
        edge.proxy.apply(thief, RUN)
    assert caught.value.code == "host-taken"


def test_a_restart_after_the_hand_over_serves_the_new_one(
    edge: EdgePlace, old: Replica, new: Replica
) -> None:
    edge.proxy.apply(web(old, ROUTE), RUN)
    edge.proxy.apply(site(new), RUN)
    await_passed(edge, SITE)
    edge.proxy.apply(site(new, ROUTE), RUN)
    edge.restart()
    assert "x-replica: new" in edge.answers("/version", HOST).lower()
    assert (seen_routes(edge, WEB), seen_routes(edge, SITE)) == ((), (ROUTE,))


@pytest.mark.parametrize("has_neighbour", [False, True], ids=["alone", "neighbour"])
def test_a_renamed_service_takes_over_goes_back_and_takes_over_for_good(
    edge: EdgePlace, old: Replica, new: Replica, *, has_neighbour: bool
) -> None:
    pause = neighbour_before_each_step(edge) if has_neighbour else lambda: None
    edge.proxy.apply(web(old, ROUTE), RUN)
    await_passed(edge, WEB)
    with Load([f"127.0.0.1:{edge.port}"], host=HOST, mix=MIX) as load:
        load.wait_until(lambda found: found.requests > 200, what="traffic")
        edge.proxy.apply(site(new, mode=DRAIN), RUN)
        pause()
        await_passed(edge, SITE)
        edge.proxy.apply(site(new, ROUTE), RUN)
        pause()
        edge.proxy.apply(web(old, ROUTE), RUN)
        pause()
        edge.proxy.apply(site(new, ROUTE), RUN)
        edge.proxy.remove(APP, WEB, RUN)
        pause()
        await_drained(edge, WEB, old.name)
        old.stop()
        pause()
        seen = load.snapshot().requests
        load.wait_until(lambda found: found.requests > seen + 200, what="traffic")
        found = load.stop()
    print(found.table())  # noqa: T201 - shown by pytest -rP
    found.check()
    assert set(found.versions) == {"v1", "v2"}


def test_a_name_that_goes_to_and_fro_loses_nothing(edge: EdgePlace) -> None:
    """Twelve hand-overs of which each falls on running requests of every kind."""
    with replica("old", "v1") as one, replica("new", "v2") as two:
        edge.proxy.apply(web(one, ROUTE), RUN)
        edge.proxy.apply(site(two), RUN)
        await_passed(edge, WEB)
        await_passed(edge, SITE)
        with Load([f"127.0.0.1:{edge.port}"], host=HOST, mix=OFTEN) as load:
            for turn in range(12):
                seen = load.snapshot().requests
                load.wait_until(lambda found, s=seen: found.requests > s + 40, what="traffic")
                edge.proxy.apply(site(two, ROUTE) if turn % 2 == 0 else web(one, ROUTE), RUN)
            found = load.stop()
        found.check()
        assert set(found.versions) == {"v1", "v2"}
