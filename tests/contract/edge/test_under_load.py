"""Replacing what serves, under load of every kind: no request may be lost.

Between all steps another app comes or goes, which reloads the proxy: the worst neighbour.
"""

import itertools
from collections.abc import Callable

import pytest

from lab.load.background import Load
from lab.load.order import Mix
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
from underway.model.names import RunNumber
from underway.model.traffic import ServerMode, Side

READY, DRAIN = ServerMode.READY, ServerMode.DRAIN
RUN = RunNumber(1)
MIX = Mix(
    keep_alive_per_s=60, fresh_per_s=20, post_per_s=15, slow_per_s=2, upload_per_s=0.1, websockets=4
)
DRAIN_S = 40.0


def neighbour_before_each_step(edge: EdgePlace) -> Callable[[], None]:
    numbers = itertools.count()

    def come_or_go() -> None:
        number = next(numbers)
        worker = edge.worker()
        name = f"n{number // 2}"
        if number % 2:
            edge.proxy.remove(upstream(app=name).app, None, RUN)
        else:
            edge.proxy.apply(upstream(app=name, host=f"{name}.test"), RUN)
        assert edge.worker() != worker, "the neighbour reloads the proxy"

    return come_or_go


def servers(edge: EdgePlace) -> list[tuple[str, Side, ServerMode]]:
    seen = edge.observed()
    assert seen is not None
    return [(server.name, server.side, server.mode) for server in seen.servers]


def await_drained(edge: EdgePlace, *names: str) -> None:
    def is_drained() -> bool:
        left = edge.proxy.sessions(APP, WEB)
        return all(left[name].requests == 0 for name in names if name in left)

    eventually(is_drained, f"{names} have only tunnels left", DRAIN_S)


def replace_rolling(edge: EdgePlace, old: Replica, new: Replica, pause: Callable[[], None]) -> None:
    edge.proxy.apply(upstream(old.server(READY), new.server(DRAIN)), RUN)
    pause()
    edge.await_passed(new.name)
    edge.proxy.apply(upstream(old.server(READY), new.server(READY)), RUN)
    pause()
    edge.proxy.apply(upstream(old.server(DRAIN), new.server(READY)), RUN)
    pause()
    await_drained(edge, old.name)
    old.stop()
    pause()
    edge.proxy.apply(upstream(new.server(READY)), RUN)


def replace_blue_green(
    edge: EdgePlace, old: Replica, new: Replica, pause: Callable[[], None]
) -> None:
    edge.proxy.apply(upstream(old.server(READY), new.server(DRAIN, Side.B)), RUN)
    pause()
    edge.await_passed(new.name)
    edge.proxy.apply(upstream(old.server(READY), new.server(READY, Side.B)), RUN)
    pause()
    flipped = upstream(old.server(READY), new.server(READY, Side.B), live=Side.B)
    edge.proxy.apply(flipped, RUN)
    pause()
    edge.proxy.apply(upstream(old.server(DRAIN), new.server(READY, Side.B), live=Side.B), RUN)
    await_drained(edge, old.name)
    old.stop()
    pause()
    edge.proxy.apply(upstream(new.server(READY, Side.B), live=Side.B), RUN)


@pytest.mark.parametrize("has_neighbour", [False, True], ids=["alone", "neighbour"])
@pytest.mark.parametrize("replace", [replace_rolling, replace_blue_green])
def test_replacing_a_replica_loses_nothing(
    edge: EdgePlace, replace: Callable[..., None], *, has_neighbour: bool
) -> None:
    with (
        replica("old", "v1") as old,
        replica("new", "v2", "listen-after:1.5") as new,
    ):
        neighbour = neighbour_before_each_step(edge)
        edge.proxy.apply(upstream(old.server(READY)), RUN)
        edge.await_passed("old")
        with Load([f"127.0.0.1:{edge.port}"], host=HOST, mix=MIX) as load:
            load.wait_until(lambda found: found.requests > 200, what="traffic")
            replace(edge, old, new, neighbour if has_neighbour else lambda: None)
            replaced_at = load.snapshot().requests
            load.wait_until(lambda found: found.requests > replaced_at + 200, what="traffic")
            found = load.stop()
        print(found.table())  # noqa: T201 - shown by pytest -rP
        found.check()
        assert set(found.versions) == {"v1", "v2"}


def test_a_restart_at_each_step_changes_nothing(edge: EdgePlace) -> None:
    """Requests in flight die with the proxy; all that come when it is back are served."""

    def restart_and_ask() -> None:
        before = servers(edge)
        edge.restart()
        after = servers(edge)
        assert after == before
        with Load([f"127.0.0.1:{edge.port}"], host=HOST, mix=MIX) as load:
            load.wait_until(lambda found: found.requests > 100, what="traffic")
            load.stop().check()

    with replica("old") as old, replica("new", "v2") as new, replica("last", "v3") as last:
        edge.proxy.apply(upstream(old.server(READY)), RUN)
        replace_rolling(edge, old, new, restart_and_ask)
        replace_blue_green(edge, new, last, restart_and_ask)
