"""What the edge says a server still has: requests, tunnels, and what may still come."""

import base64
import contextlib
import os
import socket
import time
from collections.abc import Iterator

import pytest

from tests.contract.edge.place import APP, HOST, WEB, EdgePlace, eventually, replica, upstream
from underway.model.names import RunNumber
from underway.model.traffic import Server, ServerMode, Sessions, Side
from underway.rollout.haproxy_config import KEEP_ALIVE_S

READY, DRAIN = ServerMode.READY, ServerMode.DRAIN
RUN = RunNumber(1)


@contextlib.contextmanager
def asked(edge: EdgePlace, path: str, *headers: str) -> Iterator[socket.socket]:
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", *headers, "", ""]
    with socket.create_connection(("127.0.0.1", edge.port), timeout=20) as wire:
        wire.sendall("\r\n".join(lines).encode())
        yield wire


@contextlib.contextmanager
def websocket(edge: EdgePlace) -> Iterator[socket.socket]:
    key = base64.b64encode(os.urandom(16)).decode()
    headers = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    with asked(edge, "/live", *headers, f"Sec-WebSocket-Key: {key}") as wire:
        assert wire.recv(4096).startswith(b"HTTP/1.1 101")
        yield wire


def sessions(edge: EdgePlace) -> dict[str, Sessions]:
    return dict(edge.proxy.sessions(APP, WEB))


def reload(edge: EdgePlace, name: str) -> None:
    worker = edge.worker()
    edge.proxy.apply(upstream(app=name, host=f"{name}.test"), RUN)
    assert edge.worker() != worker


def test_requests_and_tunnels_are_told_apart_over_all_workers(edge: EdgePlace) -> None:
    with replica("one") as one:
        edge.proxy.apply(upstream(one.server(READY)), RUN)
        assert sessions(edge) == {}
        with websocket(edge), asked(edge, "/slow?s=4", "Connection: close") as slow:
            both = {"one": Sessions(requests=1, tunnels=1)}
            eventually(lambda: sessions(edge) == both, "one of each")
            reload(edge, "second")
            assert sessions(edge) == both, "the old worker's sessions count"
            with websocket(edge):
                eventually(lambda: sessions(edge) == {"one": Sessions(1, 2)}, "both workers'")
                reload(edge, "third")
                assert sessions(edge) == {"one": Sessions(1, 2)}
                edge.proxy.apply(upstream(one.server(DRAIN)), RUN)
                assert slow.recv(4096).startswith(b"HTTP/1.1 200")
                eventually(lambda: sessions(edge) == {"one": Sessions(0, 2)}, "only tunnels")
        eventually(lambda: sessions(edge) == {}, "nothing left")


def test_an_event_stream_is_a_request_and_is_not_held_back(edge: EdgePlace) -> None:
    with replica("one") as one:
        edge.proxy.apply(upstream(one.server(READY)), RUN)
        with asked(edge, "/events") as stream:
            assert stream.recv(4096)
            first = time.monotonic()
            assert stream.recv(4096)
            assert stream.recv(4096)
            assert time.monotonic() - first < 3
            assert sessions(edge) == {"one": Sessions(1, 0)}
        eventually(lambda: sessions(edge) == {}, "a client that left leaves nothing")


def test_an_idle_connection_of_an_old_worker_may_still_become_a_request(edge: EdgePlace) -> None:
    with replica("one") as one, replica("two") as two:
        edge.proxy.apply(upstream(one.server(READY), two.server(DRAIN)), RUN)
        with asked(edge, "/version") as idle:
            assert idle.recv(4096).startswith(b"HTTP/1.1 200")
            assert sessions(edge) == {}, "the current worker knows who is drained"
            reload(edge, "second")
            edge.proxy.apply(upstream(one.server(DRAIN), two.server(READY)), RUN)
            assert sessions(edge) == {"one": Sessions(1, 0)}
            idle.sendall(f"GET /version HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            answer = idle.recv(4096).lower()
            assert b"x-replica: one" in answer, "the old worker knows the old servers only"
            assert b"connection: close" in answer
        eventually(lambda: sessions(edge) == {}, "the connection is gone")


def test_an_idle_connection_of_an_old_worker_ends_in_time(edge: EdgePlace) -> None:
    with replica("one") as one:
        edge.proxy.apply(upstream(one.server(READY)), RUN)
        with asked(edge, "/version") as idle:
            assert idle.recv(4096).startswith(b"HTTP/1.1 200")
            reload(edge, "second")
            assert sessions(edge) == {"one": Sessions(1, 0)}
            eventually(lambda: sessions(edge) == {}, "it is closed", KEEP_ALIVE_S + 2)


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x_forwarded_for", "Forwarded", "X-Real-IP"])
def test_forwarded_headers_of_a_client_do_not_arrive(edge: EdgePlace, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ear = Server("ear", Side.A, "127.0.0.1", listener.getsockname()[1], READY)
        edge.proxy.apply(upstream(ear), RUN)
        heard = hear(edge, listener, f"{name}: 6.6.6.6")
    assert "6.6.6.6" not in heard
    assert "x-forwarded-for: 127.0.0.1" in heard
    assert "x-forwarded-proto: http" in heard
    assert f"x-forwarded-host: {HOST}" in heard


def hear(edge: EdgePlace, listener: socket.socket, header: str) -> str:
    """What a server is sent for one request with `header`; it answers the edge's checks too."""
    with asked(edge, "/hear", header):
        while True:
            wire, _ = listener.accept()
            with wire:
                heard = wire.recv(65536).decode().lower()
                wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            if heard.startswith("get /hear"):
                return heard
