"""What a change of the edge does, and what it must not do."""

import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.contract.edge.place import (
    APP,
    HOST,
    SCRIPTS,
    WEB,
    EdgePlace,
    Replica,
    eventually,
    replica,
    upstream,
)
from underway.adapters.haproxy.bundle import archived, upstream_bundle
from underway.errors import ConfigurationError, EngineError, IntegrityError, RefusedError
from underway.model.names import AppName, RunNumber
from underway.model.traffic import ServerMode, Side
from underway.rollout.haproxy_config import claims_text, fragment_digest, fragment_text, routes_text

READY, DRAIN = ServerMode.READY, ServerMode.DRAIN


def run(number: int) -> RunNumber:
    return RunNumber(number)


@pytest.fixture
def one() -> Iterator[Replica]:
    with replica("one") as started:
        yield started


@pytest.fixture
def two() -> Iterator[Replica]:
    with replica("two", "v2") as started:
        yield started


def test_an_edge_that_knows_nothing_says_so(edge: EdgePlace) -> None:
    assert "200 OK" in edge.answers("/.underway/edge", "nobody.test")
    assert " 404 " in edge.answers("/", "nobody.test")
    state = edge.state()
    assert (state.upstreams, state.runs, state.http_port) == ((), (), edge.port)


def test_what_is_read_back_is_what_was_wished(edge: EdgePlace, one: Replica, two: Replica) -> None:
    wish = upstream(one.server(READY), two.server(DRAIN, Side.B))
    edge.proxy.apply(wish, run(4))
    seen = edge.observed()
    assert seen is not None
    assert (seen.live, seen.hosts, seen.fragment) == (Side.A, (HOST,), fragment_digest(wish))
    as_servers = [(s.name, s.side, s.address, s.port, s.mode) for s in seen.servers]
    assert as_servers == [(s.name, s.side, s.address, s.port, s.mode) for s in wish.servers]
    state = edge.state()
    assert state.runs == ((APP, 4),)
    edge.await_passed("one", "two")
    assert "x-replica: one" in edge.answers("/version", f"{HOST.upper()}:8080").lower()


def test_a_new_server_is_checked_and_gets_no_request(
    edge: EdgePlace, one: Replica, two: Replica
) -> None:
    edge.proxy.apply(upstream(one.server(READY)), run(1))
    edge.await_passed("one")
    before = edge.worker()
    edge.proxy.apply(upstream(one.server(READY), two.server(DRAIN)), run(1))
    edge.await_passed("two")
    answers = [edge.answers("/version", HOST).lower() for _ in range(20)]
    assert all("x-replica: one" in answer for answer in answers)
    edge.proxy.apply(upstream(two.server(READY)), run(1))
    assert "x-replica: two" in edge.answers("/version", HOST).lower()
    seen = edge.observed()
    assert seen is not None
    assert [s.name for s in seen.servers] == ["two"]
    assert edge.worker() == before, "servers come and go without a reload"


def test_no_server_answers_with_a_text_of_ours(edge: EdgePlace) -> None:
    edge.proxy.apply(upstream(), run(1))
    answer = edge.answers("/", HOST)
    assert " 503 " in answer
    assert "not available" in answer


def test_an_invalid_change_changes_nothing(edge: EdgePlace, one: Replica) -> None:
    wish = upstream(one.server(READY))
    edge.proxy.apply(wish, run(1))
    files, worker = edge.files(), edge.worker()
    broken = upstream(one.server(READY), path="/new")
    bundle = upstream_bundle(broken, run(2))
    content = bundle.content.replace(b"balance roundrobin", b"balance roundrobix")
    assert content != bundle.content
    with pytest.raises(ConfigurationError) as caught:
        edge.proxy._change(type(bundle)(content))
    assert caught.value.code == "edge-config-invalid"
    assert any("app:web.cfg:" in line for line in caught.value.detail), caught.value.detail
    assert (edge.files(), edge.worker()) == (files, worker)
    assert edge.state().runs == ((APP, 1),)
    edge.restart()
    edge.await_passed("one")
    assert "x-replica: one" in edge.answers("/version", HOST).lower()


def test_a_change_that_arrives_cut_off_changes_nothing(edge: EdgePlace, one: Replica) -> None:
    edge.proxy.apply(upstream(one.server(READY)), run(1))
    files = edge.files()
    bundle = upstream_bundle(upstream(), run(2))
    for size in (0, 1, 700, len(bundle.content) - 1):
        command = ["edge-apply", bundle.digest]
        result = edge.engine.execute("", command, stdin=bundle.content[:size])
        assert result.exit_code == 20
        with pytest.raises(IntegrityError):
            edge.proxy._text(result)
    assert edge.files() == files


def test_an_older_run_is_refused(edge: EdgePlace, one: Replica) -> None:
    edge.proxy.apply(upstream(one.server(READY)), run(7))
    edge.proxy.apply(upstream(one.server(READY), app="other", host="o.test"), run(1))
    files = edge.files()
    with pytest.raises(RefusedError) as caught:
        edge.proxy.apply(upstream(), run(6))
    assert caught.value.code == "newer-run"
    with pytest.raises(RefusedError):
        edge.proxy.remove(APP, WEB, run(6))
    assert edge.files() == files


def test_a_host_name_belongs_to_the_app_that_took_it_first(edge: EdgePlace, one: Replica) -> None:
    edge.proxy.apply(upstream(one.server(READY)), run(1))
    with pytest.raises(RefusedError) as caught:
        edge.proxy.apply(upstream(one.server(READY), app="thief", path="/x"), run(1))
    assert caught.value.code == "host-taken"
    assert HOST in caught.value.message
    assert "belongs to app" in caught.value.message
    edge.proxy.remove(APP, None, run(1))
    edge.proxy.apply(upstream(one.server(READY), app="thief"), run(1))
    assert edge.observed(AppName("thief")) is not None


def test_the_longest_path_wins_and_ends_at_a_slash(
    edge: EdgePlace, one: Replica, two: Replica
) -> None:
    edge.proxy.apply(upstream(one.server(READY)), run(1))
    api = upstream(two.server(READY), path="/env")
    edge.proxy.apply(type(api)(APP, WEB.__class__("api"), api.proxy, api.live, api.servers), run(1))
    edge.await_passed("one")
    replies = {path: edge.answers(path, HOST).lower() for path in ("/", "/env", "/env/x", "/envy")}
    answered = {path: "two" if "x-replica: two" in a else "one" for path, a in replies.items()}
    assert answered == {"/": "one", "/env": "two", "/env/x": "two", "/envy": "one"}


def test_names_with_a_star_are_asked_last(edge: EdgePlace, one: Replica, two: Replica) -> None:
    edge.proxy.apply(upstream(one.server(READY), host="*.test"), run(1))
    edge.proxy.apply(upstream(two.server(READY), app="any", host="*"), run(1))
    assert "x-replica: one" in edge.answers("/version", "a.test").lower()
    assert "x-replica: two" in edge.answers("/version", "a.example").lower()


def test_an_unknown_service_may_be_removed(edge: EdgePlace) -> None:
    edge.proxy.remove(APP, WEB, run(1))
    edge.proxy.remove(APP, None, run(1))
    assert edge.state().upstreams == ()


def test_a_server_with_another_address_is_replaced(
    edge: EdgePlace, one: Replica, two: Replica
) -> None:
    edge.proxy.apply(upstream(one.server(READY)), run(1))
    moved = type(one)("one", two.port, two.process)
    edge.proxy.apply(upstream(moved.server(READY)), run(1))
    assert "x-replica: two" in edge.answers("/version", HOST).lower()


def test_the_same_wish_again_changes_nothing(edge: EdgePlace, one: Replica) -> None:
    edge.proxy.apply(upstream(one.server(READY)), run(1))
    files, worker = edge.files(), edge.worker()
    edge.proxy.apply(upstream(one.server(READY)), run(1))
    assert (edge.files(), edge.worker()) == (files, worker)


def test_what_somebody_changed_by_hand_is_seen_and_mended(edge: EdgePlace, one: Replica) -> None:
    wish = upstream(one.server(READY))
    edge.proxy.apply(wish, run(1))
    edge.admin("set server uw:app:web:a/one state maint")
    seen = edge.observed()
    assert seen is not None
    assert [s.mode for s in seen.servers] == [DRAIN]
    edge.admin(f"set map {edge.directory}/live/routes.map {HOST}/ uw:app:web:b")
    edge.admin("add server uw:app:web:b/stray 127.0.0.1:9")
    edge.proxy.apply(wish, run(1))
    seen = edge.observed()
    assert seen is not None
    assert [(s.name, s.mode) for s in seen.servers] == [("one", READY)]
    assert seen.live is Side.A


def test_a_change_killed_at_any_moment_is_ended_by_the_next(
    edge: EdgePlace, one: Replica, two: Replica
) -> None:
    first = upstream(one.server(READY))
    second = upstream(one.server(DRAIN), two.server(READY, Side.B), live=Side.B)
    other_options = upstream(two.server(READY), path="/version")
    edge.proxy.apply(first, run(1))
    for step in range(24):
        wish = (first, second, other_options)[step % 3]
        bundle = upstream_bundle(wish, run(step + 1))
        argv = [str(SCRIPTS / "edge-apply"), bundle.digest]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, env=edge.environment) as change:
            assert change.stdin is not None
            change.stdin.write(bundle.content)
            change.stdin.close()
            time.sleep(step * 0.012)
            change.kill()
        assert edge.answers("/version", HOST).startswith("HTTP/1.1 200"), f"after step {step}"
        edge.proxy.apply(wish, run(step + 1))
        seen = edge.observed()
        assert seen is not None
        assert (seen.live, seen.fragment) == (wish.live, fragment_digest(wish))
        assert [(s.name, s.mode) for s in seen.servers] == [(s.name, s.mode) for s in wish.servers]


def test_another_apps_reload_and_a_restart_leave_every_server_as_it_was(
    edge: EdgePlace, one: Replica, two: Replica
) -> None:
    wish = upstream(one.server(READY), two.server(DRAIN), two.server(READY, Side.B))
    edge.proxy.apply(wish, run(1))
    edge.await_passed("one", "two")
    before = edge.observed()
    worker = edge.worker()
    edge.proxy.apply(upstream(app="other", host="o.test"), run(1))
    assert edge.worker() != worker, "a new app is a reload"
    edge.await_passed("one", "two")
    eventually(lambda: edge.observed() == before, "all as before the reload")
    edge.restart()
    eventually(lambda: edge.observed() == before, "all as before the restart")


def test_a_configuration_that_cannot_be_loaded_leaves_what_served(
    edge: EdgePlace, one: Replica
) -> None:
    wish = upstream(one.server(READY))
    edge.proxy.apply(wish, run(1))
    edge.await_passed("one")
    files = edge.files()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listener = f"frontend clash\n    bind 127.0.0.1:{taken.getsockname()[1]}\n    mode http\n"
        parts = {
            "wish": "verb apply\napp app\nservice web\nrun 2\n",
            "claims": claims_text(wish),
            "fragment.cfg": fragment_text(wish) + listener,
            "routes": routes_text(wish),
        }
        with pytest.raises(EngineError) as caught:
            edge.proxy._change(archived(parts))
    assert caught.value.code == "edge-reload-failed"
    assert edge.files() == files
    assert "x-replica: one" in edge.answers("/version", HOST).lower()
    edge.proxy.apply(upstream(one.server(READY), path="/version"), run(2))
    edge.await_passed("one")
    assert "x-replica: one" in edge.answers("/version", HOST).lower()
