"""A proxy that takes over from another one: another base, another HAProxy, and no request lost."""

import contextlib
import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lab.load.background import Load
from tests.contract.edge.conftest import PROGRAMS
from tests.contract.edge.place import (
    HOST,
    EdgePlace,
    Replica,
    eventually,
    replica,
    successor_of,
    upstream,
)
from tests.contract.edge.test_sessions import sessions, websocket
from tests.contract.edge.test_under_load import DRAIN, MIX, READY, RUN, replace_rolling
from underway.adapters.haproxy.refusal import ScriptExit
from underway.errors import StepFailedError
from underway.model.names import EDGE_CONTAINER, EDGE_SUCCESSOR
from underway.model.traffic import Sessions, Side

NEWER = "\n# a newer base\n"


@pytest.fixture(params=list(itertools.product(PROGRAMS, PROGRAMS)) or [("", "")])
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The HAProxy that serves, and the one that takes over."""
    return tuple(request.param)


@contextlib.contextmanager
def succeeded(edge: EdgePlace, haproxy: str, base: str = NEWER) -> Iterator[EdgePlace]:
    """Another container beside `edge`, started; what is asked of the edge reaches either."""
    made = successor_of(edge, haproxy, edge.base + base)
    try:
        made.begin()
        yield made
    finally:
        made.kill()


def test_a_successor_loses_nothing_while_two_apps_go_on(
    edge: EdgePlace, pair: tuple[str, str]
) -> None:
    """One app is under load, and both are changed while the proxy changes hands."""
    if edge.haproxy != pair[0]:
        pytest.skip("the other parameter's turn")
    with replica("old") as old, replica("new", "v2") as new, replica("other") as other:
        edge.proxy.apply(upstream(old.server(READY)), RUN)
        edge.proxy.apply(upstream(other.server(READY), app="other", host="other.test"), RUN)
        edge.await_passed("old")
        with (
            Load([f"127.0.0.1:{edge.port}"], host=HOST, mix=MIX) as load,
            Load(
                [f"127.0.0.1:{edge.port}"], host="other.test", mix=replace(MIX, slow_per_s=1)
            ) as neighbour,
        ):
            load.wait_until(lambda found: found.requests > 200, what="traffic")
            with succeeded(edge, pair[1]) as after:
                change = threading.Thread(target=replace_other, args=(edge, other))
                change.start()
                edge.proxy.succeed()
                change.join()
                assert edge.state().container == EDGE_SUCCESSOR
                assert edge.state().version.split(".")[:2] == version_of(after)
                since = load.snapshot().requests
                load.wait_until(lambda found: found.requests > since + 200, what="traffic")
                replace_rolling(edge, old, new, lambda: None)
                since = load.snapshot().requests
                load.wait_until(lambda found: found.requests > since + 100, what="traffic")
                both = load.stop(), neighbour.stop()
        for found in both:
            print(found.table())  # noqa: T201 - shown by pytest -rP
            found.check()
        assert set(both[0].versions) == {"v1", "v2"}


def replace_other(edge: EdgePlace, other: Replica) -> None:
    """What another app's client does at the same moment: changes that wait for the hand-over."""
    for turn in range(6):
        more = other.server(DRAIN, Side.B)
        servers = [other.server(READY), *([more] if turn % 2 == 0 else [])]
        edge.proxy.apply(upstream(*servers, app="other", host="other.test"), RUN)


def version_of(edge: EdgePlace) -> list[str]:
    info = edge.admin("show info").splitlines()
    return next(w for w in info if w.startswith("Version: ")).split()[1].split(".")[:2]


def test_a_socket_of_the_former_proxy_lives_and_counts(edge: EdgePlace) -> None:
    with replica("one") as one:
        edge.proxy.apply(upstream(one.server(READY)), RUN)
        edge.await_passed("one")
        with websocket(edge) as wire, succeeded(edge, edge.haproxy):
            edge.proxy.succeed()
            eventually(lambda: sessions(edge) == {"one": Sessions(0, 1)}, "the socket counts")
            wire.settimeout(10)
            assert wire.recv(4096), "the application's frames still arrive"
            assert edge.process is not None
            assert edge.process.poll() is None, "the former proxy ends what it has"
        # The socket is closed now: nothing is left of the former one.
        eventually(lambda: edge.process is not None and edge.process.poll() is not None, "it ends")


def test_a_former_proxy_that_is_started_again_rests(edge: EdgePlace) -> None:
    with succeeded(edge, edge.haproxy) as after:
        edge.proxy.succeed()
        assert edge.process is not None
        edge.process.wait(30)
        edge.begin()
        said = edge.engine.execute(EDGE_CONTAINER, ["edge-state"])
        assert said.exit_code == ScriptExit.SUCCEEDED
        eventually(lambda: edge.state().rested == ("1",), "it is told as one that rests")
        assert edge.state().container == EDGE_SUCCESSOR
        after.restart()
        assert edge.state().container == EDGE_SUCCESSOR


def test_a_successor_whose_base_is_refused_leaves_all_as_it_was(edge: EdgePlace) -> None:
    with replica("one") as one:
        edge.proxy.apply(upstream(one.server(READY)), RUN)
        files = edge.files()
        with succeeded(edge, edge.haproxy, "\nnonsense here\n"):
            with pytest.raises(StepFailedError, match="does not take over") as caught:
                edge.proxy.succeed()
            assert any("nonsense" in line for line in caught.value.detail)
            state = edge.state()
            assert state.container == EDGE_CONTAINER
            assert edge.files() == files
            eventually(lambda: edge.state().rested == ("2",), "it rests")
            edge.proxy.apply(upstream(one.server(DRAIN)), RUN)


def test_a_successor_that_cannot_listen_leaves_all_as_it_was(edge: EdgePlace) -> None:
    with replica("one") as one:
        edge.proxy.apply(upstream(one.server(READY)), RUN)
        before = edge.state()
        taken = f"\nfrontend taken from underway\n    bind 127.0.0.1:{one.port}\n"
        with succeeded(edge, edge.haproxy, taken) as after:
            assert after.process is not None
            after.process.wait(30)
            after.begin()  # as the engine does
            with pytest.raises(StepFailedError, match="does not take over"):
                edge.proxy.succeed()
            assert edge.state().upstreams[0].fragment == before.upstreams[0].fragment
            assert "200 OK" in edge.answers("/.underway/edge", "any")
            edge.proxy.apply(upstream(one.server(DRAIN)), RUN)
