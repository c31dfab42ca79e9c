"""The edge in its container on a real engine, from both complete base images."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.laboratory import Laboratory, down
from tests.engine.laboratory_probe import docker, eventually
from underway.adapters.connector import DockerConnector
from underway.adapters.haproxy import HaproxyProxy
from underway.model.names import EDGE_CONTAINER, AppName, HostName, RunNumber, ServiceName
from underway.model.spec import HostSpec, ProbeSpec, ProxySpec
from underway.model.traffic import ObservedUpstream, Server, ServerMode, Side, Upstream
from underway.ports import Engine
from underway.rollout.edge import EDGE_VOLUME, edge_container
from underway.rollout.haproxy_config import EDGE_HEALTH_PATH

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="the laboratory needs root"),
]

ROOT = Path(__file__).parents[2]
NAME = f"edge-{os.getpid()}"
APP, WEB = AppName("app"), ServiceName("web")
PORT = 8088
STARTED = ("inspect", "-f", "{{.State.StartedAt}}", EDGE_CONTAINER)
WORKER = (
    "echo 'show proc' | socat -t 5 - UNIX:$(echo /edge/run/*/master.sock)"
    " | awk '$2 == \"worker\" {print $1}'"
)


@dataclass(frozen=True)
class Place:
    laboratory: Laboratory
    engine: Engine
    proxy: HaproxyProxy

    def docker(self, *arguments: str) -> str:
        return docker(self.laboratory, "h1", *arguments, timeout_s=120)

    def observed(self) -> ObservedUpstream | None:
        state = self.proxy.state()
        return state.upstreams[0] if state and state.upstreams else None

    def health(self) -> int:
        address = self.laboratory.hosts[0].address
        with urllib.request.urlopen(f"http://{address}:{PORT}{EDGE_HEALTH_PATH}") as answer:
            return int(answer.status)


@pytest.fixture(scope="module")
def laboratory() -> Iterator[Laboratory]:
    try:
        yield Laboratory.up(NAME, 1)
    finally:
        down(NAME)


@pytest.fixture(params=["tools-base", "tools-base-2"])
def place(request: pytest.FixtureRequest, laboratory: Laboratory) -> Iterator[Place]:
    base = laboratory.images[request.param]
    image = docker(
        laboratory,
        "h1",
        *("build", "-q", "--network", "none", "--build-arg", f"BASE={base}"),
        str(ROOT / "tools-image"),
        timeout_s=120,
    )
    engine = DockerConnector().connect(HostSpec(HostName("h1"), laboratory.hosts[0].url))
    proxy = HaproxyProxy(engine)
    assert proxy.state() is None, "there is no edge yet"
    try:
        engine.create(edge_container(image, PORT), {})
        engine.start(EDGE_CONTAINER)
        eventually(lambda: proxy.state() is not None)
        yield Place(laboratory, engine, proxy)
    finally:
        engine.remove(EDGE_CONTAINER)
        engine.remove_volume(EDGE_VOLUME)
        engine.close()


def wish(mode: ServerMode, live: Side = Side.A) -> Upstream:
    servers = tuple(Server("one", side, "127.0.0.1", 20001, mode) for side in Side)
    return Upstream(APP, WEB, ProxySpec(("app.test",), 8080, probe=ProbeSpec("/up")), live, servers)


def is_served(seen: ObservedUpstream | None, wished: Upstream) -> bool:
    return seen is not None and (seen.live, [s.mode for s in seen.servers]) == (
        wished.live,
        [s.mode for s in wished.servers],
    )


def test_the_edge_is_what_it_was_after_every_kind_of_end(place: Place) -> None:
    wished = wish(ServerMode.READY, Side.B)
    place.proxy.apply(wish(ServerMode.DRAIN), RunNumber(1))
    place.proxy.apply(wished, RunNumber(2))
    assert is_served(place.observed(), wished)
    assert place.health() == 200
    for end in (
        ("exec", EDGE_CONTAINER, "bash", "-c", f"kill -9 $({WORKER})"),
        ("restart", EDGE_CONTAINER),
        ("kill", EDGE_CONTAINER),
    ):
        started = place.docker(*STARTED)
        place.docker(*end)
        if end[0] == "kill":
            assert place.proxy.state() is None
            place.engine.start(EDGE_CONTAINER)
        eventually(lambda before=started: place.docker(*STARTED) != before)
        eventually(lambda: is_served(place.observed(), wished))
        assert place.health() == 200


def test_the_edge_has_no_right_it_does_not_need(place: Place) -> None:
    status = place.docker(
        *("exec", EDGE_CONTAINER, "bash", "-c"),
        "cd /proc; for p in [0-9]*; do if grep -q -- '-x\\|-W' $p/cmdline 2>/dev/null;"
        " then grep -H '^Uid' $p/status; fi; done; stat -c %a /edge/run/*/*.sock",
    )
    assert any("\t0\t" not in line for line in status.splitlines() if "Uid" in line), status
    assert status.splitlines()[-2:] == ["600", "600"]
    with pytest.raises(AssertionError, match="Read-only"):
        place.docker("exec", EDGE_CONTAINER, "touch", "/usr/here")


CHANGE = """
import sys
from tests.engine.test_edge_container import *
engine = DockerConnector().connect(HostSpec(HostName("h1"), sys.argv[1]))
print("connected", flush=True)
HaproxyProxy(engine).apply(wish(ServerMode(sys.argv[2]), Side(sys.argv[3])), RunNumber(1))
"""


def test_a_client_killed_in_a_change_leaves_the_old_or_the_new(place: Place) -> None:
    place.proxy.apply(wish(ServerMode.READY), RunNumber(1))
    before = wish(ServerMode.READY)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    for turn in range(6):
        live = Side.B if turn % 2 == 0 else Side.A
        after = wish(ServerMode.DRAIN if turn % 2 == 0 else ServerMode.READY, live)
        url = place.laboratory.hosts[0].url
        argv = [sys.executable, "-c", CHANGE, url, after.servers[0].mode, live]
        environment = {**os.environ, "PYTHONPATH": paths}
        with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment) as client:
            assert client.stdout is not None
            assert client.stdout.readline() == b"connected\n"
            time.sleep(turn * 0.05)
            client.kill()
        eventually(lambda: not is_changing(place))
        seen = place.observed()
        assert is_served(seen, before) or is_served(seen, after), seen
        place.proxy.apply(after, RunNumber(1))
        assert is_served(place.observed(), after)
        before = after


def is_changing(place: Place) -> bool:
    return "edge-apply" in place.docker("top", EDGE_CONTAINER, "-eo", "pid,args")
