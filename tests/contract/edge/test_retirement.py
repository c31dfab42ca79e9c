"""The last app takes the proxy with it, and never one that another app has come behind."""

from collections.abc import Iterator

import pytest

from tests.contract.edge.place import APP, EdgePlace, Replica, replica, upstream
from underway.adapters.haproxy.bundle import upstream_bundle
from underway.adapters.haproxy.refusal import ScriptExit
from underway.model.names import AppName, RunNumber
from underway.model.traffic import ServerMode


@pytest.fixture
def one() -> Iterator[Replica]:
    with replica("one") as started:
        yield started


def test_a_proxy_that_an_app_uses_does_not_go(edge: EdgePlace, one: Replica) -> None:
    edge.proxy.apply(upstream(one.server(ServerMode.READY), app="other"), RunNumber(1))
    assert not edge.proxy.retire()
    edge.proxy.apply(upstream(one.server(ServerMode.READY), host="mine.test"), RunNumber(1))


def test_a_proxy_that_is_about_to_go_takes_no_app(edge: EdgePlace, one: Replica) -> None:
    assert edge.proxy.retire()
    wish = upstream_bundle(upstream(one.server(ServerMode.READY)), RunNumber(1))
    refused = edge.engine.execute("", ["edge-apply", wish.digest], stdin=wish.content)
    assert refused.exit_code == ScriptExit.BUSY
    assert b"about to be removed" in refused.stderr


def test_a_proxy_that_was_started_again_takes_apps(edge: EdgePlace, one: Replica) -> None:
    assert edge.proxy.retire()
    edge.restart()
    edge.proxy.apply(upstream(one.server(ServerMode.READY)), RunNumber(1))


def test_an_app_that_is_gone_leaves_no_run(edge: EdgePlace, one: Replica) -> None:
    edge.proxy.apply(upstream(one.server(ServerMode.READY)), RunNumber(7))
    edge.proxy.apply(upstream(one.server(ServerMode.READY), app="b", host="b.test"), RunNumber(1))
    edge.proxy.remove(APP, None, RunNumber(8))
    assert edge.state().runs == ((AppName("b"), 1),)
    assert not edge.proxy.retire()
    edge.proxy.remove(AppName("b"), None, RunNumber(2))
    assert edge.proxy.retire()
