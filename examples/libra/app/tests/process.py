"""A running Libra and a client for it, over real sockets."""

import base64
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from websockets.sync.client import ClientConnection, connect

TEST_KEY = base64.b64encode(bytes(range(32))).decode()
DEADLINE_S = 20.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not is_true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class LibraProcess:
    def __init__(self, environment: dict[str, str], port: int) -> None:
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "libra"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def wait_until_up(self) -> None:
        wait_for("/up", self.is_up)

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.output()
        return self.status_of("/up") == 200

    def status_of(self, path: str) -> int:
        try:
            return self.request("GET", path).status
        except OSError:
            return 0

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def log_in(self, name: str, password: str = "libra-demo") -> "User":  # noqa: S107
        body = json.dumps({"name": name, "password": password}).encode()
        answer = self.request("POST", "/api/login", body)
        assert answer.status == 200, answer.body
        return User(self, answer.document["token"])

    def end(self, sig: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(timeout=60)

    def output(self) -> str:
        self.process.wait(timeout=60)
        assert self.process.stdout is not None
        return self.process.stdout.read().decode()


@dataclass(frozen=True, slots=True)
class User:
    libra: LibraProcess
    token: str

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        headers["Authorization"] = f"Bearer {self.token}"
        return self.libra.request(method, path, body, **headers)

    def matter(self, title: str) -> str:
        matters = self.request("GET", "/api/matters").document["matters"]
        (found,) = [matter["id"] for matter in matters if matter["title"] == title]
        return str(found)

    def upload(self, matter_id: str, name: str, body: bytes) -> Answer:
        return self.request("POST", f"/api/matters/{matter_id}/files?name={name}", body)

    @contextmanager
    def listen(self) -> Iterator[ClientConnection]:
        with connect(
            f"ws://127.0.0.1:{self.libra.port}/live",
            additional_headers={"Authorization": f"Bearer {self.token}"},
            open_timeout=DEADLINE_S,
        ) as websocket:
            assert json.loads(websocket.recv(DEADLINE_S))["type"] == "hello"
            yield websocket
