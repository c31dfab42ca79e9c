"""An engine that refuses what is older than API 1.44, as engine 29 does.

A real engine stands behind a filter that refuses so, and says so in its answer to `/version`.
"""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contract.conftest import Site, clear
from underway.adapters.connector import DockerConnector
from underway.model.container import ContainerRequest
from underway.model.names import ContainerName, HostName
from underway.model.spec import HostSpec

FLOOR = 44
_VERSIONED = re.compile(rb"^[A-Z]+ /v1\.(\d+)/", re.MULTILINE)
_REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Filter:
    """A socket before an engine's; `refused` are the versions that were too old."""

    def __init__(self, path: Path, engine: Path) -> None:
        self.refused: list[int] = []
        self._engine = engine
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        engine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with client, engine, suppress(OSError):
            engine.connect(str(self._engine))
            answers = threading.Thread(target=self._answers, args=(engine, client), daemon=True)
            answers.start()
            while data := client.recv(65536):
                old = [int(v) for v in _VERSIONED.findall(data) if int(v) < FLOOR]
                if old:
                    self.refused += old
                    client.sendall(_REFUSAL)
                    return
                engine.sendall(data)
            engine.shutdown(socket.SHUT_WR)
            answers.join()

    def _answers(self, engine: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := engine.recv(65536):
                told = f'"MinAPIVersion":"1.{FLOOR}"'.encode()
                client.sendall(re.sub(rb'"MinAPIVersion":"1\.\d\d"', told, data))
            client.shutdown(socket.SHUT_WR)


@pytest.fixture
def floor(site: Site, tmp_path: Path) -> Iterator[Filter]:
    engine = Path(site.spec.url.removeprefix("unix://"))
    made = Filter(tmp_path / "engine.sock", engine)
    yield made
    made.close()


def test_an_engine_with_a_floor_is_spoken_to_above_it(
    floor: Filter, tmp_path: Path, site: Site
) -> None:
    host = HostSpec(HostName("h1"), f"unix://{tmp_path / 'engine.sock'}")
    with DockerConnector() as connector:
        engine = connector.connect(host)
        clear(engine)
        command = ("sh", "-c", "echo up; exec sleep infinity")
        engine.create(ContainerRequest(ContainerName("one"), site.image, command=command), {})
        engine.start("one")
        assert engine.execute("one", ("cat",), stdin=b"in and out").stdout == b"in and out"
        assert next(iter(engine.logs("one", follow=True))).text == "up"
        engine.stop("one", 0)
        engine.remove("one")
        assert int(engine.facts().api_version.partition(".")[2]) >= FLOOR
    assert not floor.refused


def test_the_filter_refuses_what_such_an_engine_refuses(floor: Filter, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as old:
        old.connect(str(tmp_path / "engine.sock"))
        old.sendall(b"GET /v1.41/info HTTP/1.1\r\nHost: docker\r\n\r\n")
        assert old.recv(12) == b"HTTP/1.1 400"
    assert floor.refused == [41]
