"""Answers recorded from real proxies (2.6 and 3.0), read into the domain's words.

Recorded with replica `one` READY on side a, `two` DRAIN on side b, another app, and after its
reload: on the old worker one WebSocket, two slow requests, one idle connection; on the new worker
one WebSocket.
"""

from pathlib import Path

import pytest

from underway.adapters.haproxy.server_rows import check_statuses
from underway.adapters.haproxy.sessions_text import sessions_of
from underway.adapters.haproxy.state_text import edge_state
from underway.errors import IntegrityError
from underway.model.names import AppName, ServiceName
from underway.model.spec import ProbeSpec, ProxySpec
from underway.model.traffic import ObservedServer, Server, ServerMode, Sessions, Side, Upstream
from underway.rollout.haproxy_config import fragment_digest

APP, WEB = AppName("app"), ServiceName("web")
RECORDED = Path(__file__).with_name("recorded")
VERSIONS = ["2.6", "3.0"]


def recorded(what: str, version: str) -> str:
    return (RECORDED / f"{what}-{version}.txt").read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_requests_tunnels_and_idle_connections_are_counted(version: str) -> None:
    found = sessions_of(recorded("sessions", version), APP, WEB)
    assert found == {"one": Sessions(requests=3, tunnels=2)}


@pytest.mark.parametrize("version", VERSIONS)
def test_another_service_has_no_part_in_them(version: str) -> None:
    assert sessions_of(recorded("sessions", version), APP, ServiceName("api")) == {}
    assert sessions_of(recorded("sessions", version), AppName("ap"), WEB) == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_servers_routes_and_runs_are_read(version: str) -> None:
    state = edge_state(recorded("state", version))
    assert state.version.startswith(version)
    assert state.http_port == 80
    assert state.runs == ((APP, 1), (AppName("other"), 1))
    app, other = state.upstreams
    assert (app.app, app.service, app.live, app.hosts) == (APP, WEB, Side.A, ("app.test",))
    assert app.servers == (
        ObservedServer("one", Side.A, "127.0.0.1", 20001, ServerMode.READY, "L7OK", is_up=True),
        ObservedServer("two", Side.B, "127.0.0.1", 20002, ServerMode.DRAIN, "L7OK", is_up=True),
    )
    assert (other.app, other.servers) == (AppName("other"), ())


@pytest.mark.parametrize("version", VERSIONS)
def test_the_digest_of_options_is_that_of_the_wish(version: str) -> None:
    proxy = ProxySpec(("app.test",), 8080, probe=ProbeSpec(path="/up", fall=2))
    wish = Upstream(APP, WEB, proxy, Side.B, (Server("x", Side.A, "1.2.3.4", 1, ServerMode.READY),))
    app, _ = edge_state(recorded("state", version)).upstreams
    assert app.fragment == fragment_digest(wish), "neither servers nor the live side count"


def test_a_proxy_that_runs_another_structure_has_no_digest() -> None:
    text = recorded("state", "3.0").replace("description: underway-", "description: underway-0")
    assert {upstream.fragment for upstream in edge_state(text).upstreams} == {""}


def test_routes_that_name_both_sides_are_no_whole_change() -> None:
    line = "0x7f0 www.test/ uw:app:web:b\n"
    text = recorded("state", "3.0").replace("==> map\n", f"==> map\n{line}")
    app, other = edge_state(text).upstreams
    assert app.fragment == ""
    assert app.hosts == ("app.test", "www.test")
    assert other.fragment


@pytest.mark.parametrize("what", ["state", "sessions"])
def test_an_answer_that_is_cut_off_is_not_believed(what: str) -> None:
    text = recorded(what, "3.0")
    for size in (0, 100, len(text) // 2, len(text) - len("==> end\n")):
        with pytest.raises(IntegrityError):
            (edge_state(text[:size]) if what == "state" else sessions_of(text[:size], APP, WEB))


@pytest.mark.parametrize(("told", "check"), [("* L7OK", "L7OK"), ("INI", ""), ("L4CON", "L4CON")])
def test_a_check_that_runs_shows_its_last_result(told: str, check: str) -> None:
    lines = ["# pxname,svname,status,check_status", f"uw:app:web:a,one,UP,{told}", ""]
    assert list(check_statuses(lines).values()) == [check]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_in_maintenance_that_no_file_names_is_gone(version: str) -> None:
    known = "4 uw:app:web:b 1 two 127.0.0.1 2 0 "
    lost = "4 uw:app:web:b 2 lost 127.0.0.1 0 1 100 100 1 15 3 2 6 0 0 0 - 20003 - 0 0 - - 0\n"
    text = recorded("state", version).replace(known, lost + known)
    assert lost in text
    app, _ = edge_state(text).upstreams
    assert [server.name for server in app.servers] == ["one", "two"]
    active = text.replace("lost 127.0.0.1 0 1", "lost 127.0.0.1 0 0")
    assert [s.name for s in edge_state(active).upstreams[0].servers] == ["lost", "one", "two"]
