"""What the replicas write, from all hosts: up to now, or as it comes.

Followed, it goes on across replacements: containers that come are read from their first line, and
it ends when the user ends it.
"""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from underway.api.session import Session, current_release
from underway.errors import UnderwayError, UsageError
from underway.errors.suggestion import name_hint
from underway.model.event import Level
from underway.model.names import ContainerName, HostName, ServiceName
from underway.model.snapshot import ContainerState, ContainerStatus, Role, Snapshot
from underway.ports import LogLine
from underway.rollout.naming import RETIRED_SUFFIX

LOOK_S: Final = 1.0
"""How often hosts are asked for containers that came: their lines are read from the first on."""
_WAIT_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class ReplicaLine:
    """One line of one replica's output."""

    host: HostName
    service: ServiceName
    container: ContainerName
    line: LogLine


def logs(
    session: Session,
    services: tuple[ServiceName, ...] = (),
    *,
    tail: int = 100,
    follow: bool = False,
    since_s: float = 0,
) -> Iterator[ReplicaLine]:
    """The output of the replicas of `services` (all if empty), live with `follow`.

    Without `follow`, lines come sorted by time; with it they come until `session.cancel` is set or
    the iterator is closed. `since_s` is seconds since the epoch. Raises UsageError.
    """
    snapshot = session.observe()
    for lost in snapshot.unreachable:
        text = f"{lost.name} did not answer, its lines are missing: {lost.reason}"
        session.voice.note(Level.WARNING, "logs-lost", text)
    _require_known(session, snapshot, services)
    reading = _Reading(session, frozenset(services), tail, since_s)
    yield from reading.followed() if follow else reading.merged(snapshot)


def _require_known(session: Session, snapshot: Snapshot, services: tuple[ServiceName, ...]) -> None:
    release = current_release(snapshot)
    names = {service.name for service in (release.spec if release else session.spec).services}
    for host in snapshot.reachable:
        names |= {c.service for c in host.containers if _is_replica(session, c)}
    for name in sorted(set(services) - names):
        raise UsageError(
            "service-unknown",
            f"the app has no service `{name}`",
            hint=name_hint(name, names) if names else "Nothing of it runs yet: underway deploy.",
        )


def _is_replica(session: Session, container: ContainerState) -> bool:
    return container.app == session.app and container.role == Role.REPLICA


@dataclass(slots=True)
class _Reader:
    """One container's lines: the thread that reads them, and how far it came."""

    thread: threading.Thread | None = None
    last: str = ""


@dataclass(slots=True)
class _Reading:
    session: Session
    services: frozenset[ServiceName]
    tail: int
    since_s: float
    lines: queue.Queue[ReplicaLine] = field(default_factory=lambda: queue.Queue(maxsize=1000))
    over: threading.Event = field(default_factory=threading.Event)
    readers: dict[str, _Reader] = field(default_factory=dict)
    silent: set[HostName] = field(default_factory=set)

    def merged(self, snapshot: Snapshot) -> Iterator[ReplicaLine]:
        """All that was written so far, by time."""
        lines = [
            line
            for host in snapshot.reachable
            for container in host.containers
            if self._is_wanted(container)
            for line in self._lines(host.name, container, self.tail, follow=False)
        ]
        yield from sorted(lines, key=lambda entry: entry.line.time)

    def followed(self) -> Iterator[ReplicaLine]:
        """What is written from now on, by containers that are there and that come."""
        for host in sorted(self.session.world.engines):
            threading.Thread(target=self._watch, args=(host,), daemon=True).start()
        try:
            while not self.session.cancel.is_set():
                try:
                    yield self.lines.get(timeout=_WAIT_S)
                except queue.Empty:
                    continue
        finally:
            self.over.set()

    def _is_wanted(self, container: ContainerState) -> bool:
        is_named = not self.services or container.service in self.services
        return is_named and _is_replica(self.session, container)

    def _watch(self, host: HostName) -> None:
        """Read every container of a host that is there or comes, until it is over."""
        tail = self.tail
        while not self.over.is_set():
            try:
                seen = self.session.world.engine(host).containers()
            except UnderwayError as error:
                self._lost(host, f"{host}: {error.message}: its lines are missing until it is back")
            else:
                self.silent.discard(host)
                for container in seen:
                    if self._is_wanted(container):
                        self._start(host, container, tail)
                tail = 0
            self.over.wait(LOOK_S)

    def _start(self, host: HostName, container: ContainerState, tail: int) -> None:
        """Read a container that nobody reads; one that ended is read again once it runs."""
        reader = self.readers.setdefault(container.id, _Reader())
        if reader.thread and (
            reader.thread.is_alive() or container.status is not ContainerStatus.RUNNING
        ):
            return
        reader.thread = threading.Thread(
            target=self._read, args=(host, container, reader, tail), daemon=True
        )
        reader.thread.start()

    def _read(self, host: HostName, container: ContainerState, reader: _Reader, tail: int) -> None:
        is_again = bool(reader.last)
        try:
            for line in self._lines(host, container, 0 if is_again else tail, follow=True):
                if self.over.is_set():
                    return
                if is_again and line.line.time <= reader.last:
                    continue
                reader.last = line.line.time
                self._put(line)
        except UnderwayError as error:
            if error.code != "container-missing":
                what = f"{container.name} on {host}: {error.message}"
                self._lost(host, f"{what}: its lines are missing until it is back")

    def _put(self, line: ReplicaLine) -> None:
        while not self.over.is_set():
            try:
                self.lines.put(line, timeout=_WAIT_S)
            except queue.Full:
                continue
            return

    def _lost(self, host: HostName, text: str) -> None:
        """Say once that a host's lines are missing."""
        if host not in self.silent and not self.over.is_set():
            self.silent.add(host)
            self.session.voice.note(Level.WARNING, "logs-lost", text)

    def _lines(
        self, host: HostName, container: ContainerState, tail: int, *, follow: bool
    ) -> Iterator[ReplicaLine]:
        """By id: a container that retires is renamed, and keeps its prefix."""
        engine = self.session.world.engine(host)
        name = ContainerName(container.name.removesuffix(RETIRED_SUFFIX))
        for line in engine.logs(container.id, tail=tail, follow=follow, since_s=self.since_s):
            yield ReplicaLine(host, container.service, name, line)
