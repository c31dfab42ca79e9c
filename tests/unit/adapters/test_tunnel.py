"""Tunnels through a stand-in for ssh: what is left when one is closed, and how slow one may be."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from underway.adapters import tunnel
from underway.adapters.endpoint import SshEndpoint
from underway.adapters.program import end_group
from underway.adapters.ssh import SshRoute
from underway.adapters.tunnel import Tunnel, TunnelDirectory, answers
from underway.model.look import Way
from underway.model.names import HostName

_SSH = """#!/bin/sh
for word; do
  case $word in
    *.sock:*) touch "${word%%:*}"; exec sleep 600;;
    *dial-stdio) sleep 0.5; printf 'HTTP/1.1 200 OK\\r\\n\\r\\n'; exit 0;;
  esac
done
"""
"""It makes the socket that it is told to forward, but nobody listens there."""
ENDPOINT = SshEndpoint("h1")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TunnelDirectory]:
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(_SSH)
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{ssh.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = TunnelDirectory()
    yield made
    made.remove()


def test_a_tunnel_that_is_closed_leaves_the_directory_to_the_next(
    directory: TunnelDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much time its programs are given before they are ended."""

    def end_late(process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + 0.5
        while directory.path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        end_group(process)

    monkeypatch.setattr(tunnel, "end_group", end_late)
    made = Tunnel(ENDPOINT, directory.new_socket())
    assert made.await_socket(), made.stderr
    made.close()
    assert directory.path.is_dir()
    assert not made.socket_path.exists()


def test_a_login_that_takes_longer_than_an_answer_is_waited_for(
    directory: TunnelDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "_PING_S", 0.1)
    route = SshRoute(HostName("h1"), ENDPOINT, directory)
    try:
        assert route.socket_path().exists()
        assert route.way is Way.DIAL
    finally:
        route.close()


def test_a_socket_that_was_just_made_is_asked_until_somebody_listens(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert not answers(tmp_path / "s")

        def serve() -> None:
            server.listen()
            with server.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Timer(0.1, serve)
        thread.start()
        assert answers(tmp_path / "s")
        thread.join()
