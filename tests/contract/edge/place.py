"""An edge without a container: the image's own scripts in a directory, HAProxy as a process."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from underway.adapters.haproxy import HaproxyProxy
from underway.errors import EngineError
from underway.model.names import EDGE_CONTAINER, EDGE_SUCCESSOR, AppName, HostName, ServiceName
from underway.model.spec import ProbeSpec, ProxySpec
from underway.model.traffic import EdgeState, ObservedUpstream, Server, ServerMode, Side, Upstream
from underway.ports.output import ExecResult
from underway.rollout.haproxy_config import base_text

ROOT = Path(__file__).parents[3]
EDGE = HostName("edge")
SCRIPTS = ROOT / "tools-image" / "scripts"
BEACON = ROOT / "lab" / "beacon" / "beacon.py"
APP, WEB = AppName("app"), ServiceName("web")
HOST = "app.test"


def haproxies() -> list[str]:
    """The programs to test against; UNDERWAY_TEST_HAPROXY names several, separated by colons."""
    found = os.environ.get("UNDERWAY_TEST_HAPROXY") or shutil.which("haproxy") or ""
    return [program for program in found.split(os.pathsep) if program]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def eventually(holds: Callable[[], object], what: str, timeout_s: float = 20.0) -> None:
    """Poll until `holds()`; AssertionError names what did not happen."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.05)


@dataclass
class ScriptEngine:
    """Runs the scripts as an engine would run them in the containers of an edge."""

    containers: dict[str, dict[str, str]]
    host: HostName = EDGE

    def execute(
        self, name: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30
    ) -> ExecResult:
        environment = self.containers.get(name or EDGE_CONTAINER)
        if environment is None:
            raise EngineError("container-missing", f"no {name}", status=404)
        done = subprocess.run(
            [str(SCRIPTS / command[0]), *command[1:]],
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            env=environment,
            check=False,
        )
        return ExecResult(done.returncode, done.stdout, done.stderr)


@dataclass
class EdgePlace:
    """One edge: its directory, its process, the adapter to talk to it."""

    directory: Path
    haproxy: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    base: str = ""
    self_id: str = "1"

    def __post_init__(self) -> None:
        self.base = self.base or base_text(self.port)
        self.engine = ScriptEngine({EDGE_CONTAINER: self.environment})
        self.proxy = HaproxyProxy(self.engine)  # type: ignore[arg-type]

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "UNDERWAY_EDGE_BASE": self.base,
            "UNDERWAY_EDGE_DIR": str(self.directory),
            "UNDERWAY_EDGE_SELF": self.self_id,
            "UNDERWAY_EDGE_HAPROXY": self.haproxy,
            "UNDERWAY_EDGE_PORT": str(self.port),
        }

    def start(self) -> None:
        self.begin()
        eventually(lambda: self.proxy.state() is not None, "the edge answers")
        eventually(lambda: self.answers("/.underway/edge", "any"), "the edge takes requests")

    def begin(self) -> None:
        log = (self.directory.parent / f"{self.directory.name}.log").open("ab")
        self.process = subprocess.Popen(
            [str(SCRIPTS / "edge-serve")],
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def kill(self) -> None:
        """End master and workers at once, as a crash of the container does."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def restart(self) -> None:
        self.kill()
        eventually(lambda: not is_open(self.port), "the port is free again")
        self.start()

    def answers(self, path: str, host: str, *headers: str) -> str:
        """The whole answer to one GET on a connection of its own; "" where there is none."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as wire:
                wire.sendall("\r\n".join([*lines, "", ""]).encode())
                return b"".join(iter(lambda: wire.recv(65536), b"")).decode()
        except OSError:
            return ""

    def admin(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(str(self.directory / "run" / self.self_id / "admin.sock"))
            wire.sendall(command.encode() + b"\n")
            wire.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: wire.recv(65536), b"")).decode()

    def worker(self) -> str:
        """The pid of the worker that serves: another one shows a reload."""
        return next(w for w in self.admin("show info").splitlines() if w.startswith("Pid: "))

    def state(self) -> EdgeState:
        state = self.proxy.state()
        assert state is not None
        return state

    def files(self) -> str:
        return str((self.directory / "live").readlink())

    def observed(self, app: AppName = APP, service: ServiceName = WEB) -> ObservedUpstream | None:
        wanted = (app, service)
        return next((u for u in self.state().upstreams if (u.app, u.service) == wanted), None)

    def await_passed(self, *names: str, app: AppName = APP) -> None:
        def passed() -> bool:
            seen = self.observed(app)
            if seen is None or not set(names) <= {server.name for server in seen.servers}:
                return False
            # A replica may stand on both sides, and each is checked for itself.
            return all(s.has_passed and s.is_up for s in seen.servers if s.name in names)

        eventually(passed, f"the edge's own check passes for {names}")


def is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def successor_of(edge: EdgePlace, haproxy: str, base: str) -> EdgePlace:
    """Another container with the same volume and port, not started; the edge's engine knows it."""
    made = EdgePlace(edge.directory, haproxy, edge.port, None, base, "2")
    edge.engine.containers[EDGE_SUCCESSOR] = made.environment
    made.engine, made.proxy = edge.engine, edge.proxy
    return made


@contextlib.contextmanager
def edge_place(directory: Path, haproxy: str) -> Iterator[EdgePlace]:
    directory.mkdir()
    place = EdgePlace(directory, haproxy)
    try:
        place.start()
        yield place
    finally:
        place.kill()


@dataclass
class Replica:
    """A beacon as a process."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def server(self, mode: ServerMode, side: Side = Side.A) -> Server:
        return Server(self.name, side, "127.0.0.1", self.port, mode)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


@contextlib.contextmanager
def replica(name: str, version: str = "v1", fail: str = "") -> Iterator[Replica]:
    port = free_port()
    environment = {
        **os.environ,
        "BEACON_PORT": str(port),
        "BEACON_ADDRESS": "127.0.0.1",
        "BEACON_REPLICA": name,
        "BEACON_VERSION": version,
        "BEACON_FAIL": fail,
        "BEACON_UNREADY": f"/nonexistent/{name}",
    }
    with subprocess.Popen(
        [sys.executable, str(BEACON), "serve"], env=environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            yield Replica(name, port, process)
        finally:
            process.kill()


def upstream(
    *servers: Server, live: Side = Side.A, app: str = "app", host: str = HOST, path: str = "/"
) -> Upstream:
    probe = ProbeSpec(path="/up")
    proxy = ProxySpec(hosts=(host,), port=8080, path=path, probe=probe)
    return Upstream(AppName(app), WEB, proxy, live, tuple(sorted(servers)))
