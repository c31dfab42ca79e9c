"""What is true on the hosts, asked of Docker, HAProxy and the application, never of Underway."""

import json
import re
import socket
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.e2e.client import eventually
from tests.laboratories import Fleet

if TYPE_CHECKING:
    from tests.e2e.project import Wish

READY_WEIGHT: Final = 100
LOCK_DEAD_S: Final = 5.0
_SERVER = re.compile(
    r"^\s*server (?P<name>\S+) (?P<address>\S+).* weight (?P<weight>\d+)", re.MULTILINE
)


@dataclass(frozen=True)
class Container:
    """One container of a host, as its engine tells it."""

    host: str
    id: str
    name: str
    status: str
    started_at: str
    restarts: int
    labels: dict[str, str]
    environment: dict[str, str]

    @property
    def role(self) -> str:
        return self.labels.get("underway.role", "")

    @property
    def service(self) -> str:
        return self.labels.get("underway.service", "")

    @property
    def version(self) -> str:
        return self.environment.get("BEACON_VERSION", "")


@dataclass(frozen=True, order=True)
class SeenServer:
    """One server of a service at an edge: its side, its replica's name, its weight."""

    side: str
    name: str
    weight: int


@dataclass(frozen=True)
class SeenEdge:
    """An edge's running servers, its live side ("" for none), and the servers of a cold start."""

    servers: list[SeenServer]
    live_side: str
    filed: list[str]


@dataclass(frozen=True)
class Answer:
    """One answer of the application."""

    status: int
    version: str
    replica: str
    body: bytes


@dataclass(frozen=True)
class Sight:
    """Looks at a fleet. `edges` are addresses by host name, `host` is the app's own name."""

    fleet: Fleet
    edges: dict[str, str]
    host: str
    app: str

    def containers(self) -> list[Container]:
        """All containers of all hosts but those of other apps, stopped ones too."""
        found: list[Container] = []
        for host in self.fleet.laboratory.hosts:
            ids = self.fleet.docker(host.name, "ps", "-aq", "--no-trunc").split()
            found += _inspected(self.fleet, host.name, ids) if ids else []
        return [one for one in found if one.labels.get("underway.app", self.app) == self.app]

    def replicas(self, service: str = "web") -> list[Container]:
        """All containers of a service, whatever their state, sorted by host and name."""
        found = [c for c in self.containers() if c.role == "replica" and c.service == service]
        return sorted(found, key=lambda c: (c.host, c.name))

    def get(self, path: str, edge: str = "") -> Answer:
        """One GET on a connection of its own through an edge (the first by default)."""
        return self._ask("GET", path, edge, b"")

    def put(self, path: str, body: bytes, edge: str = "") -> Answer:
        """One PUT in the same way."""
        return self._ask("PUT", path, edge, body)

    def _ask(self, method: str, path: str, edge: str, body: bytes) -> Answer:
        address = self.edges[edge or min(self.edges)]
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{length}Connection: close\r\n\r\n"
        with socket.create_connection((address, 80), timeout=10) as wire:
            wire.sendall(head.encode() + body)
            whole = b"".join(iter(lambda: wire.recv(65536), b""))
        start, _, content = whole.partition(b"\r\n\r\n")
        first, *lines = start.decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        return Answer(
            status=int(first.split()[1]),
            version=headers.get("x-version", ""),
            replica=headers.get("x-replica", ""),
            body=content,
        )

    def versions(self, count: int = 12) -> dict[str, Counter[str]]:
        """Who answers `count` requests through each edge; statuses other than 200 by number."""
        found: dict[str, Counter[str]] = {}
        for edge in self.edges:
            answers = [self.get("/version", edge) for _ in range(count)]
            found[edge] = Counter(a.version if a.status == 200 else str(a.status) for a in answers)
        return found

    def edge(self, name: str) -> "SeenEdge":
        """What one edge serves for the app, in memory and in its files."""
        text = self.fleet.docker(name, "exec", "underway-edge", "edge-state")
        parts = re.split(r"^==> (.*)$", text, flags=re.MULTILINE)
        return _seen_edge(dict(zip(parts[1::2], parts[2::2], strict=True)), self.app, self.host)

    def servers(self, edge: str) -> list[SeenServer]:
        """The servers that the running proxy of an edge has."""
        return self.edge(edge).servers

    def expect_settled(self, wish: "Wish") -> None:
        """Exactly what `wish` says runs and serves everywhere, and nothing of any run is left."""
        self.expect_no_leftovers(wish)
        self.expect_answers(wish)

    def expect_answers(self, wish: "Wish") -> None:
        """Every edge answers with this version only, with this version's values to the byte."""
        for edge, seen in self.versions(4 * wish.replicas).items():
            assert set(seen) == {wish.version}, f"edge {edge} answers {dict(seen)}"
            for _ in range(2 * wish.replicas):
                assert self.get("/env/BEACON_MOTTO", edge).body == wish.motto.encode()
                assert self.get("/env/BEACON_PLAIN", edge).body == wish.plain.encode()
                told = json.loads(self.get("/secret/token", edge).body)
                assert told["sha256"] == wish.token_sha256, "the secret file is another one"

    def expect_no_leftovers(self, wish: "Wish") -> None:
        """As many running replicas as wished, nothing stopped, half made, locked or forgotten."""
        self.expect_lock_free(15.0)
        found = self.containers()
        self._expect_replicas(found, wish)
        known = {"replica", "anchor", "edge", "before", "lock"}
        strange = [c for c in found if c.role not in known]
        assert not strange, f"left: {strange}"
        names = sorted(c.name for c in found if c.role == "replica" and c.service == "web")
        for edge in self.edges:
            seen = self.edge(edge)
            assert [s.name for s in seen.servers] == names, f"edge {edge}: {seen}, not {names}"
            assert {s.weight for s in seen.servers} == {READY_WEIGHT}, f"edge {edge}: {seen}"
            assert {s.side for s in seen.servers} == {seen.live_side}, f"edge {edge}: {seen}"
            assert seen.filed == names, f"a cold start of {edge} serves others: {seen}"
        self._expect_volumes(found)

    def _expect_replicas(self, found: list[Container], wish: "Wish") -> None:
        wished = Counter({"web": wish.replicas})
        if wish.worker is not None:
            deploy: Any = wish.worker.get("deploy", {})
            wished["worker"] = deploy.get("replicas", 1)
        replicas = [c for c in found if c.role == "replica"]
        assert Counter(c.service for c in replicas) == wished, [c.name for c in replicas]
        for replica in replicas:
            assert replica.status == "running", replica
            assert replica.version == wish.version, replica
            assert not replica.name.endswith("-retired"), replica

    def _expect_volumes(self, found: list[Container]) -> None:
        """Secret files of what runs or is recorded only, on the hosts where it stands."""
        for host in self.fleet.laboratory.hosts:
            ours = ("--filter", f"label=underway.app={self.app}")
            listing = ("volume", "ls", "-q", "--filter", "label=underway.role=files", *ours)
            volumes = self.fleet.docker(host.name, *listing).split()
            here = {c.labels["underway.generation"][:6] for c in found if _uses_files(c, host.name)}
            left = [v for v in volumes if v.rpartition("-")[2] not in here]
            assert not left, f"{host.name} still has {left}; generations are {here}"

    def expect_no_lock(self, timeout_s: float = 15.0) -> None:
        """No lock is left, or not for longer than `timeout_s` seconds."""
        eventually(lambda: not self._locks(), "no lock is left on any host", timeout_s)

    def expect_lock_free(self, timeout_s: float) -> None:
        """The next run gets the lock after at most `timeout_s` seconds.

        A client that dies between making a lock and starting it leaves one that counts as dead
        after five seconds; the next run takes it away.
        """
        began = time.monotonic()

        def is_free() -> bool:
            is_dead = time.monotonic() > began + LOCK_DEAD_S
            return all(lock.status == "created" and is_dead for lock in self._locks())

        eventually(is_free, "the lock is free on every host", timeout_s)

    def _locks(self) -> list[Container]:
        return [c for c in self.containers() if c.role == "lock"]

    def expect_nothing(self) -> None:
        """Neither replicas nor secret files are on any host, and no edge serves the app."""
        self.expect_no_lock()
        left = [c for c in self.containers() if c.role not in {"anchor", "edge"}]
        assert not left, f"left: {left}"
        for edge in self.edges:
            if any(c.role == "edge" and c.host == edge for c in self.containers()):
                assert self.servers(edge) == []
                assert self.get("/version", edge).status in {404, 503}
        self._expect_volumes([])


def identities(containers: Iterable[Container]) -> set[tuple[str, str, str, int]]:
    """Which processes these are: a container that was restarted or replaced is another one."""
    return {(c.host, c.id, c.started_at, c.restarts) for c in containers}


def _seen_edge(sections: dict[str, str], app: str, host: str) -> SeenEdge:
    running, side = [], ""
    for line in sections["servers"].splitlines():
        fields = line.split()
        if len(fields) > 18 and fields[0].isdigit() and fields[1].startswith(f"uw:{app}:"):
            name, weight = fields[3], int(fields[7])
            running.append(SeenServer(fields[1].rpartition(":")[2], name, weight))
    for line in sections["map"].splitlines():
        if f"{host}/" in line.split():
            side = line.rpartition(":")[2].strip()
    filed = [
        match["name"]
        for name, text in sections.items()
        if name.startswith(f"file {app}:")
        for match in _SERVER.finditer(text)
    ]
    return SeenEdge(sorted(running), side, sorted(filed))


def _uses_files(container: Container, host: str) -> bool:
    """A finished `before` is its own record, and keeps what it ran with until a prune."""
    return container.host == host and container.role in {"replica", "before"}


def _inspected(fleet: Fleet, host: str, ids: list[str]) -> list[Container]:
    """All of `ids` that are still there: lock containers go between listing and inspecting."""
    try:
        told = json.loads(fleet.docker(host, "inspect", "--type", "container", *ids))
    except AssertionError:
        left = set(fleet.docker(host, "ps", "-aq", "--no-trunc").split()) & set(ids)
        if left == set(ids):
            raise
        return _inspected(fleet, host, sorted(left)) if left else []
    return [_container(host, one) for one in told]


def _container(host: str, told: dict[str, Any]) -> Container:
    pairs = (entry.partition("=") for entry in told["Config"]["Env"] or ())
    return Container(
        host=host,
        id=told["Id"],
        name=told["Name"].lstrip("/"),
        status=told["State"]["Status"],
        started_at=told["State"]["StartedAt"],
        restarts=told["RestartCount"],
        labels=told["Config"]["Labels"] or {},
        environment={name: value for name, _, value in pairs},
    )
