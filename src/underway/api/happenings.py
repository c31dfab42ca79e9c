"""What happened on an app's hosts: its runs by their records, its containers by their engines."""

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from underway.api.output import LOOK_S, require_hosts, require_services
from underway.api.session import Session, runs_of
from underway.errors import UnderwayError
from underway.model.event import Level
from underway.model.happening import ContainerEvent, Happening
from underway.model.names import HostName, ServiceName
from underway.model.snapshot import Role, Snapshot

_SHOWN: Final = {Role.REPLICA.value, Role.BEFORE.value}
_WAIT_S: Final = 0.2


def events(
    session: Session,
    services: Sequence[ServiceName] = (),
    hosts: Sequence[HostName] = (),
    *,
    since_s: float,
    until_s: float = 0,
) -> tuple[Happening, ...]:
    """What happened between two moments (`until_s` 0: now), oldest first. Raises UsageError.

    Of runs as far as they are recorded, of containers as far as their engines remember.
    """
    snapshot = session.observe()
    _require_known(session, snapshot, services, hosts)
    end_s = until_s or session.clock.now()
    found = [] if services or hosts else list(_runs(snapshot, since_s, end_s))
    for host in snapshot.reachable:
        if hosts and host.name not in hosts:
            continue
        try:
            told = session.world.engine(host.name).container_events(
                session.app, since_s=since_s, until_s=end_s
            )
            for one in told:
                if _is_wanted(one, services, _SHOWN):
                    found.append(_of(host.name, one))
        except UnderwayError as error:
            _lost(session, host.name, error)
    return tuple(sorted(found, key=lambda one: one.time_s))


def follow_events(
    session: Session, services: Sequence[ServiceName] = (), hosts: Sequence[HostName] = ()
) -> Iterator[Happening]:
    """What happens from now on, until `session.cancel` is set or the iterator is closed.

    A run is told by the lock that it takes. Raises UsageError.
    """
    snapshot = session.observe()
    _require_known(session, snapshot, services, hosts)
    roles = _SHOWN if services else {*_SHOWN, Role.LOCK.value}
    following = _Following(session, tuple(services), frozenset(roles))
    places = [h for h in sorted(session.world.engines) if not hosts or h in hosts]
    yield from following.all(places)


def _require_known(
    session: Session,
    snapshot: Snapshot,
    services: Sequence[ServiceName],
    hosts: Sequence[HostName],
) -> None:
    require_services(session, snapshot, services)
    require_hosts(snapshot, hosts)
    for lost in snapshot.unreachable:
        text = f"{lost.name} did not answer, its events are missing: {lost.reason}"
        session.voice.note(Level.WARNING, "events-lost", text)


def _is_wanted(
    event: ContainerEvent, services: Sequence[ServiceName], roles: set[str] | frozenset[str]
) -> bool:
    return event.role in roles and (not services or event.service in services)


def _of(host: HostName, event: ContainerEvent) -> Happening:
    return Happening(event.time_s, host, event)


def _runs(snapshot: Snapshot, since_s: float, until_s: float) -> Iterator[Happening]:
    for run in runs_of(snapshot):
        for text, is_end in ((run.started_at, False), (run.ended_at, True)):
            moment_s = datetime.fromisoformat(text).timestamp() if text else 0.0
            if text and since_s <= moment_s <= until_s:
                yield Happening(moment_s, run=run, is_end=is_end)


def _lost(session: Session, host: HostName, error: UnderwayError) -> None:
    text = f"{host}: {error.message}: its events are missing"
    session.voice.note(Level.WARNING, "events-lost", text)


@dataclass(slots=True)
class _Following:
    session: Session
    services: tuple[ServiceName, ...]
    roles: frozenset[str]
    told: queue.Queue[Happening] = field(default_factory=lambda: queue.Queue(maxsize=1000))
    over: threading.Event = field(default_factory=threading.Event)

    def all(self, hosts: Sequence[HostName]) -> Iterator[Happening]:
        """From every host at once."""
        for host in hosts:
            threading.Thread(target=self._watch, args=(host,), daemon=True).start()
        try:
            while not self.session.cancel.is_set():
                try:
                    yield self.told.get(timeout=_WAIT_S)
                except queue.Empty:
                    continue
        finally:
            self.over.set()

    def _watch(self, host: HostName) -> None:
        """One host's, from where it was lost where it comes back; that it is lost is said once."""
        last_s, is_silent = self.session.clock.now(), False
        while not self.over.is_set():
            try:
                engine = self.session.world.engine(host)
                for event in engine.container_events(self.session.app, since_s=last_s):
                    is_silent = False
                    if self.over.is_set():
                        return
                    if event.time_s > last_s and _is_wanted(event, self.services, self.roles):
                        self._put(_of(host, event))
                    last_s = max(last_s, event.time_s)
            except UnderwayError as error:
                if not is_silent:
                    is_silent = True
                    _lost(self.session, host, error)
            self.over.wait(LOOK_S)

    def _put(self, happening: Happening) -> None:
        while not self.over.is_set():
            try:
                self.told.put(happening, timeout=_WAIT_S)
            except queue.Full:
                continue
            return
