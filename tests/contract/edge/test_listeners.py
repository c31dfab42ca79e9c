"""Listeners of the edge: how services reach several replicas of another one, by TCP and by HTTP."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from tests.contract.edge.place import (
    APP,
    HOST,
    WEB,
    EdgePlace,
    Replica,
    eventually,
    free_port,
    is_open,
    replica,
    upstream,
)
from underway.errors import EngineError, RefusedError
from underway.model.names import AppName, RunNumber
from underway.model.spec import ProxySpec
from underway.model.traffic import Server, ServerMode, Sessions, Side, Upstream
from underway.rollout.haproxy_config import KEEP_ALIVE_S, fragment_digest

READY, DRAIN = ServerMode.READY, ServerMode.DRAIN
RUN = RunNumber(1)
OTHER = AppName("other")


@pytest.fixture
def one() -> Iterator[Replica]:
    with replica("one") as started:
        yield started


@pytest.fixture
def two() -> Iterator[Replica]:
    with replica("two", "v2") as started:
        yield started


def tcp(port: int, *servers: Server, live: Side = Side.A, app: AppName = APP) -> Upstream:
    """A service that users do not reach."""
    listens = (f"127.0.0.1:{port}",)
    return Upstream(app, WEB, ProxySpec((), 8080), live, tuple(sorted(servers)), listens)


def http(port: int, *servers: Server, live: Side = Side.A) -> Upstream:
    """A service that users reach too."""
    return replace(upstream(*servers, live=live), listens=(f"127.0.0.1:{port}",))


@contextlib.contextmanager
def asked(port: int, path: str = "/version", *headers: str) -> Iterator[socket.socket]:
    lines = [f"GET {path} HTTP/1.1", f"Host: web:{port}", *headers, "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall("\r\n".join(lines).encode())
        yield wire


def call(port: int) -> str:
    """The whole answer to one call; OSError or "" where there is none."""
    with asked(port, "/version", "Connection: close") as wire:
        return b"".join(iter(lambda: wire.recv(65536), b"")).decode().lower()


def sessions(edge: EdgePlace) -> dict[str, Sessions]:
    return dict(edge.proxy.sessions(APP, WEB))


@pytest.mark.parametrize("kind", [tcp, http])
def test_a_listener_is_read_back_as_it_was_wished_and_leads_to_the_live_side(
    edge: EdgePlace, one: Replica, two: Replica, kind: type[Upstream]
) -> None:
    port = free_port()
    wish = kind(port, one.server(READY), two.server(READY, Side.B))
    edge.proxy.apply(wish, RUN)
    edge.await_passed("one", "two")
    seen = edge.observed()
    assert seen is not None
    assert (seen.live, seen.listens, seen.hosts) == (Side.A, wish.listens, wish.proxy.hosts)
    assert seen.fragment == fragment_digest(wish)
    assert all("x-replica: one" in call(port) for _ in range(5))
    worker = edge.worker()
    wish = kind(port, one.server(READY), two.server(READY, Side.B), live=Side.B)
    edge.proxy.apply(wish, RUN)
    assert all("x-replica: two" in call(port) for _ in range(5))
    assert edge.worker() == worker, "a cut-over is no reload"
    edge.restart()
    edge.await_passed("two")
    assert "x-replica: two" in call(port)


def test_a_listener_stands_on_its_own_address_and_no_host_name_leads_to_it(
    edge: EdgePlace, one: Replica
) -> None:
    port = free_port()
    edge.proxy.apply(tcp(port, one.server(READY)), RUN)
    edge.await_passed("one")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=5)
    for name in ("127.0.0.1", f"127.0.0.1:{port}", f":{port}", f"127.0.0.1%3A{port}"):
        assert " 404 " in edge.answers("/", name), name


def test_a_service_that_is_not_needed_any_more_is_not_listened_for(
    edge: EdgePlace, one: Replica
) -> None:
    port = free_port()
    edge.proxy.apply(http(port, one.server(READY)), RUN)
    edge.await_passed("one")
    assert "x-replica: one" in call(port)
    edge.proxy.apply(upstream(one.server(READY)), RUN)
    eventually(lambda: not is_open(port), "nobody listens")
    seen = edge.observed()
    assert seen is not None
    assert seen.listens == ()
    edge.proxy.apply(tcp(port, one.server(READY)), RUN)
    eventually(lambda: is_open(port), "somebody listens again")
    edge.proxy.remove(APP, WEB, RUN)
    eventually(lambda: not is_open(port), "nobody listens")
    assert edge.state().upstreams == ()


def test_a_tcp_session_counts_until_it_ends_over_all_workers(edge: EdgePlace, one: Replica) -> None:
    port = free_port()
    edge.proxy.apply(tcp(port, one.server(READY)), RUN)
    edge.await_passed("one")
    with asked(port) as first:
        assert b"x-replica: one" in first.recv(4096).lower()
        assert sessions(edge) == {"one": Sessions(requests=1, tunnels=0)}, "though it is silent"
        worker = edge.worker()
        edge.proxy.apply(upstream(app="neighbour", host="neighbour.test"), RUN)
        assert edge.worker() != worker
        with asked(port) as second:
            assert second.recv(4096)
            assert sessions(edge) == {"one": Sessions(2, 0)}, "the old worker's counts"
            edge.proxy.apply(tcp(port, one.server(DRAIN)), RUN)
            assert sessions(edge) == {"one": Sessions(2, 0)}, "a drain cuts nothing"
        eventually(lambda: sessions(edge) == {"one": Sessions(1, 0)}, "one is left")
    eventually(lambda: sessions(edge) == {}, "nothing is left")


def test_an_idle_http_connection_of_an_old_worker_counts_for_its_own_service(
    edge: EdgePlace, one: Replica
) -> None:
    port = free_port()
    edge.proxy.apply(http(port, one.server(READY)), RUN)
    edge.await_passed("one")
    with asked(port) as idle:
        assert b"x-replica: one" in idle.recv(4096).lower()
        assert sessions(edge) == {}
        edge.proxy.apply(upstream(app="neighbour", host="neighbour.test"), RUN)
        assert sessions(edge) == {"one": Sessions(1, 0)}
        assert dict(edge.proxy.sessions(AppName("neighbour"), WEB)) == {}
        eventually(lambda: sessions(edge) == {}, "it is closed", KEEP_ALIVE_S + 2)


def next_request(listener: socket.socket, heard: list[str]) -> str:
    """Answer the next request, a check of the edge or a call, and keep it."""
    wire, _ = listener.accept()
    with wire:
        heard.append(wire.recv(65536).decode().lower())
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    return heard[-1]


def test_headers_of_a_service_arrive_as_it_sent_them(edge: EdgePlace) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        ear = Server("ear", Side.A, "127.0.0.1", listener.getsockname()[1], READY)
        edge.proxy.apply(http(port, ear), RUN)
        with asked(port, "/hear", "X-Forwarded-For: 198.51.100.7"):
            heard: list[str] = []
            eventually(lambda: "get /hear" in next_request(listener, heard), "the call arrives")
    assert "x-forwarded-for: 198.51.100.7" in heard[-1]
    assert f"host: web:{port}" in heard[-1]


def test_a_listener_belongs_to_the_app_that_took_it_first(edge: EdgePlace, one: Replica) -> None:
    port = free_port()
    edge.proxy.apply(tcp(port, one.server(READY)), RUN)
    files = edge.files()
    with pytest.raises(RefusedError) as caught:
        edge.proxy.apply(tcp(port, one.server(READY), app=OTHER), RUN)
    assert caught.value.code == "listener-taken"
    assert str(APP) in caught.value.message
    assert edge.files() == files


def test_a_port_that_is_held_leaves_all_as_it_was(edge: EdgePlace, one: Replica) -> None:
    edge.proxy.apply(upstream(one.server(READY)), RUN)
    edge.await_passed("one")
    with socket.create_server(("127.0.0.1", 0)) as holder:
        wish = http(holder.getsockname()[1], one.server(READY))
        with pytest.raises(EngineError) as caught:
            edge.proxy.apply(wish, RUN)
        assert caught.value.code == "edge-reload-failed"
        assert "x-replica: one" in edge.answers("/version", HOST).lower()
        seen = edge.observed()
        assert seen is not None
        assert seen.listens == ()


@dataclass
class Caller:
    """Calls without a pause, each on a connection of its own."""

    port: int
    answers: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.is_over.is_set():
            try:
                answer = call(self.port)
            except OSError as error:
                answer = repr(error)
            (self.answers if answer.startswith("http/1.1 200") else self.failures).append(answer)

    def await_some(self, version: str, count: int = 20) -> None:
        before = len(self.answers)

        def seen() -> bool:
            return sum(f"x-replica: {version}" in a for a in self.answers[before:]) >= count

        eventually(seen, f"{count} answers of {version}")


@contextlib.contextmanager
def calling(port: int) -> Iterator[Caller]:
    caller = Caller(port)
    threads = [threading.Thread(target=caller.run) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield caller
    finally:
        caller.is_over.set()
        for thread in threads:
            thread.join(20)


@pytest.mark.parametrize("kind", [tcp, http])
def test_a_replica_is_replaced_and_no_call_fails(
    edge: EdgePlace, one: Replica, two: Replica, kind: type[Upstream]
) -> None:
    port = free_port()
    edge.proxy.apply(kind(port, one.server(READY)), RUN)
    edge.await_passed("one")
    with calling(port) as caller:
        caller.await_some("one")
        edge.proxy.apply(kind(port, one.server(READY), two.server(DRAIN)), RUN)
        edge.await_passed("two")
        worker = edge.worker()
        edge.proxy.apply(upstream(app="neighbour", host="neighbour.test"), RUN)
        assert edge.worker() != worker
        edge.proxy.apply(kind(port, one.server(DRAIN), two.server(READY)), RUN)
        eventually(lambda: "one" not in sessions(edge), "the old one is drained")
        one.stop()
        edge.proxy.apply(kind(port, two.server(READY)), RUN)
        caller.await_some("two")
    assert not caller.failures, caller.failures[:3]
