"""What the replicas write, from all hosts: up to now, or as it comes.

Followed, it goes on across replacements: containers that come are read from their first line, and
it ends when the user ends it.
"""

import queue
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from underway.api.session import Session, current_release
from underway.errors import UnderwayError, UsageError
from underway.errors.suggestion import name_hint
from underway.model.event import Level
from underway.model.names import ContainerName, HostName, ServiceName
from underway.model.snapshot import ContainerState, ContainerStatus, HostState, Role, Snapshot
from underway.ports.output import LogLine
from underway.rollout.naming import RETIRED_SUFFIX

LOOK_S: Final = 1.0
"""How often hosts are asked for containers that came: their lines are read from the first on."""
_WAIT_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class ReplicaLine:
    """One line of one replica's output; `replica` is its number."""

    host: HostName
    service: ServiceName
    container: ContainerName
    line: LogLine
    replica: int = 0


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines are wanted; what is empty keeps nothing out.

    `replicas` are numbers of replicas or names of containers. `pattern` is searched in each line.
    `since_s` and `until_s` are seconds since the epoch.
    """

    services: tuple[ServiceName, ...] = ()
    hosts: tuple[HostName, ...] = ()
    replicas: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None
    since_s: float = 0
    until_s: float = 0

    def takes_host(self, host: HostName) -> bool:
        """Whether lines of the host are wanted."""
        return not self.hosts or host in self.hosts

    def takes(self, container: ContainerState) -> bool:
        """Whether lines of the container are wanted, wherever it is."""
        if self.services and container.service not in self.services:
            return False
        own = {str(container.replica), _shown_name(container)}
        return not self.replicas or not own.isdisjoint(self.replicas)

    def takes_line(self, text: str) -> bool:
        """Whether the line is wanted."""
        return self.pattern is None or self.pattern.search(text) is not None


_ALL: Final = LogFilter()


def logs(
    session: Session, wanted: LogFilter = _ALL, *, tail: int = 100, follow: bool = False
) -> Iterator[ReplicaLine]:
    """The output of the app's replicas, live with `follow`; of the last `tail` lines of each.

    Without `follow`, lines come sorted by time; with it they come until `session.cancel` is set or
    the iterator is closed. `tail` 0 looks at all lines. Raises UsageError.
    """
    snapshot = session.observe()
    for lost in snapshot.unreachable:
        if wanted.takes_host(lost.name):
            text = f"{lost.name} did not answer, its lines are missing: {lost.reason}"
            session.voice.note(Level.WARNING, "logs-lost", text)
    require_services(session, snapshot, wanted.services)
    require_hosts(snapshot, wanted.hosts)
    _require_replicas(session, snapshot, wanted.replicas)
    reading = _Reading(session, wanted, tail)
    yield from reading.followed() if follow else reading.merged(snapshot)


def require_services(session: Session, snapshot: Snapshot, services: Iterable[ServiceName]) -> None:
    """Raise UsageError for a service that is neither of the current release nor runs."""
    release = current_release(snapshot)
    names = {service.name for service in (release.spec if release else session.spec).services}
    names |= {container.service for container in _replicas(session, snapshot)}
    for name in sorted(set(services) - names):
        raise UsageError(
            "service-unknown",
            f"the app has no service `{name}`",
            hint=name_hint(name, names) if names else "Nothing of it runs yet: underway deploy.",
        )


def _require_replicas(session: Session, snapshot: Snapshot, wanted: Iterable[str]) -> None:
    replicas = _replicas(session, snapshot)
    numbers = {str(container.replica) for container in replicas}
    shown = {_shown_name(container) for container in replicas}
    for replica in sorted(set(wanted) - numbers - shown):
        raise UsageError(
            "replica-unknown",
            f"the app has no replica `{replica}`",
            hint=name_hint(replica, shown) if shown else "Nothing of it runs yet: underway deploy.",
        )


def _replicas(session: Session, snapshot: Snapshot) -> list[ContainerState]:
    return [c for h in snapshot.reachable for c in h.containers if _is_replica(session, c)]


def require_hosts(snapshot: Snapshot, names: Iterable[HostName]) -> None:
    """Raise UsageError for a host that the app does not have."""
    known = {host.name for host in snapshot.hosts}
    for name in sorted(set(names) - known):
        raise UsageError(
            "look-host-unknown", f"the app has no host `{name}`", hint=name_hint(name, known)
        )


def _shown_name(container: ContainerState) -> ContainerName:
    """A container that retires is renamed, and keeps its prefix."""
    return ContainerName(container.name.removesuffix(RETIRED_SUFFIX))


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
    wanted: LogFilter
    tail: int
    lines: queue.Queue[ReplicaLine] = field(default_factory=lambda: queue.Queue(maxsize=1000))
    over: threading.Event = field(default_factory=threading.Event)
    readers: dict[str, _Reader] = field(default_factory=dict)
    silent: set[HostName] = field(default_factory=set)

    def merged(self, snapshot: Snapshot) -> Iterator[ReplicaLine]:
        """All that was written so far, by time."""
        lines = [
            line
            for host in snapshot.reachable
            for container in self._chosen(host)
            for line in self._lines(host.name, container, self.tail, follow=False)
        ]
        yield from sorted(lines, key=lambda entry: entry.line.time)

    def followed(self) -> Iterator[ReplicaLine]:
        """What is written from now on, by containers that are there and that come."""
        for host in filter(self.wanted.takes_host, sorted(self.session.world.engines)):
            threading.Thread(target=self._watch, args=(host,), daemon=True).start()
        try:
            while not self.session.cancel.is_set():
                try:
                    yield self.lines.get(timeout=_WAIT_S)
                except queue.Empty:
                    continue
        finally:
            self.over.set()

    def _chosen(self, host: HostState) -> list[ContainerState]:
        is_wanted = self.wanted.takes_host(host.name)
        return [c for c in host.containers if self._is_wanted(c)] if is_wanted else []

    def _is_wanted(self, container: ContainerState) -> bool:
        return _is_replica(self.session, container) and self.wanted.takes(container)

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
        """By id: the name of a container that retires changes while it is read."""
        engine, wanted = self.session.world.engine(host), self.wanted
        name = _shown_name(container)
        for line in engine.logs(
            container.id, tail=tail, follow=follow, since_s=wanted.since_s, until_s=wanted.until_s
        ):
            if wanted.takes_line(line.text):
                yield ReplicaLine(host, container.service, name, line, container.replica)
