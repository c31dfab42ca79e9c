"""`ports.Locks`: one attached container per host, which ends when its client is gone.

A lock is a container with a fixed name (the engine lets only one of a name exist), its standard
input attached here. A thread sends a beat every two seconds and reads the echo; the container ends
when its input ends (`kill -9` of the client) or stays silent for ten seconds (a partition), and
the engine removes it. Nobody else has to tidy up.
"""

import getpass
import platform
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from underway.adapters.beat import HostLock, age_s
from underway.adapters.engine import DockerEngine
from underway.errors import EngineError, LockedError, LockLostError
from underway.model.lock import LockHolder
from underway.model.names import (
    LABEL_APP,
    LABEL_HOLDER,
    LABEL_ROLE,
    LABEL_RUN,
    LABEL_SINCE,
    AppName,
    ContainerName,
    HostName,
)
from underway.model.snapshot import ContainerState, ContainerStatus, Role

_RETRY_S: Final = 0.25
_RETAKE_S: Final = 12.0
"""Longer than our own lost container stays (10 s of silence): it is nobody else's lock."""
_DEAD_AFTER_S: Final = 4.0
"""A claim that nobody started by then is a dead client's. Where its client lives and its engine is
only slow, it learns at the confirmation that it is gone, and has changed nothing by then."""
_ATTEMPTS_ON_DEAD: Final = 3
_LIVE: Final = {ContainerStatus.RUNNING, ContainerStatus.PAUSED, ContainerStatus.REMOVING}


def lock_name(app: AppName) -> ContainerName:
    """The name of the lock container of an app."""
    return ContainerName(f"underway-lock-{app}")


def backup_lock_name(app: AppName) -> ContainerName:
    """The name of the container that keeps two backups of an app apart; deploys go on beside."""
    return ContainerName(f"underway-backup-lock-{app}")


class AttachedLocks:
    """Takes and tells the locks of apps on a set of hosts."""

    def __init__(
        self,
        engines: Collection[DockerEngine],
        image: Callable[[HostName], str],
        *,
        now: Callable[[], float] = time.time,
        bring: Callable[[DockerEngine], object] | None = None,
        name_of: Callable[[AppName], ContainerName] = lock_name,
    ) -> None:
        """Lock on `engines`, those that join later too.

        `image(host)` is a reference to the tools image there; `bring` puts it where it is missing.
        `name_of` tells what is locked: runs that do not disturb each other have locks of their own.
        """
        self._name_of = name_of
        self._all = engines
        self._image = image
        self._now = now
        self._bring = bring
        self._claimed: list[HostLock] = []

    def close(self) -> None:
        """Give back what was claimed and never given back: an interrupted claim, say."""
        _release(self._claimed)
        self._claimed.clear()

    @property
    def _engines(self) -> list[DockerEngine]:
        return sorted(self._all, key=lambda engine: engine.host)

    def acquire(self, app: AppName, purpose: str, *, wait_s: float) -> "AttachedLock":
        """Claim the lock and see it confirmed; on a failure nothing stays held."""
        lock = self.claim(app, purpose, wait_s=wait_s)
        try:
            lock.confirm()
        except BaseException:
            lock.release()
            raise
        return lock

    def claim(self, app: AppName, purpose: str, *, wait_s: float) -> "AttachedLock":
        """Take the lock on every host in sorted order, waiting up to `wait_s` seconds for others.

        Raises LockedError (`locked`) naming the holder. On a failure nothing stays held.
        """
        deadline = time.monotonic() + wait_s
        labels = self._labels(app, purpose)
        held: list[HostLock] = []
        try:
            for engine in self._engines:
                lock = self._take(engine, app, labels, deadline)
                held.append(lock)
        except BaseException:
            _release(held)
            raise

        def again(lock: HostLock) -> HostLock:
            engine = next(e for e in self._engines if e.host == lock.host)
            lock.release()
            taken = self._take(engine, app, labels, time.monotonic() + _RETAKE_S)
            try:
                taken.confirm()
            except BaseException:
                taken.release()
                raise
            return taken

        return AttachedLock(held, again)

    def holders(self, app: AppName) -> tuple[LockHolder, ...]:
        """Who holds it now, by host."""
        found = []
        for engine in self._engines:
            state = engine.container(self._name_of(app))
            if state is not None and state.status in _LIVE:
                found.append(_holder(engine.host, state))
        return tuple(found)

    def _labels(self, app: AppName, purpose: str) -> dict[str, str]:
        since = datetime.fromtimestamp(self._now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            LABEL_APP: app,
            LABEL_ROLE: Role.LOCK.value,
            LABEL_HOLDER: f"{_user()}@{platform.node()}",
            LABEL_SINCE: since,
            LABEL_RUN: purpose,
        }

    def _take(
        self, engine: DockerEngine, app: AppName, labels: dict[str, str], deadline: float
    ) -> HostLock:
        dead_left = _ATTEMPTS_ON_DEAD
        bring = self._bring
        while True:
            try:
                return self._claim_on(engine, app, labels)
            except EngineError as error:
                if error.code == "image-missing" and bring is not None:
                    bring(engine)
                    bring = None
                    continue
                if error.code != "name-taken":
                    raise
            holder = engine.container(self._name_of(app))
            if holder is not None and dead_left and self._is_dead(engine, holder):
                dead_left -= 1
                with suppress(EngineError):  # another contender may be removing it
                    engine.remove(holder.id)
                continue
            if time.monotonic() >= deadline:
                if holder is None:
                    deadline = time.monotonic() + _RETRY_S  # just freed: try once more
                    continue
                raise _locked(engine.host, holder)
            time.sleep(min(_RETRY_S, max(0.05, deadline - time.monotonic())))

    def _claim_on(self, engine: DockerEngine, app: AppName, labels: dict[str, str]) -> HostLock:
        made = HostLock(engine, self._name_of(app), self._image(engine.host), labels)
        self._claimed.append(made)
        return made

    def _is_dead(self, engine: DockerEngine, holder: ContainerState) -> bool:
        """Whether a lock was left behind: a crash between create and start, an engine's restart.

        Its age is told by the host's clock against the host's own note of its creation.
        """
        if holder.status in _LIVE:
            return False
        return age_s(engine, holder.id) > _DEAD_AFTER_S


class AttachedLock:
    """The lock of one app on all its hosts. Leave the block, or `release`, to give it back.

    Invariant: while `check` passes, no other client can hold the lock on every host of the app.
    From the claim on nobody else gets it, so what is read before `confirm` stands still too.
    """

    def __init__(self, held: Sequence[HostLock], again: Callable[[HostLock], HostLock]) -> None:
        """Hold all of `held`; `again` takes one anew whose connection broke."""
        self._held = list(held)
        self._again = again
        self._guard = threading.Lock()

    def confirm(self) -> None:
        """See `ports.Lock.confirm`; raises what kept it from starting on a host."""
        for lock in self._held:
            lock.confirm()
        for lock in self._held:
            lock.fence(self.check)

    def check(self, host: HostName | None = None) -> None:
        """See `ports.Lock.check`; a host that does not answer raises UnreachableError."""
        doubts = {lock.host: lock.doubt() for lock in self._held}
        if all(doubts.values()):
            first = min(doubts)
            raise _lost(first, doubts[first])
        if host is not None and doubts.get(host):
            self._retake(host)

    def _retake(self, host: HostName) -> None:
        with self._guard:
            for index, lock in enumerate(self._held):
                if lock.host != host or not lock.doubt():
                    continue
                try:
                    self._held[index] = self._again(lock)
                except LockedError as error:
                    raise _lost(host, error.message) from error

    def release(self) -> None:
        """Give the lock back on every host; never raises."""
        for lock in self._held:
            lock.fence(None)
        _release(self._held)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _lost(host: HostName, reason: str) -> LockLostError:
    return LockLostError(
        "lock-lost",
        f"{host}: the lock is no longer ours",
        cause=reason,
        hint="Nothing more is changed. Run the command again: it takes the lock anew"
        " and goes on from what stands.",
    )


def _release(held: Sequence[HostLock]) -> None:
    """All hosts at once: one that does not answer holds up no other."""
    with ThreadPoolExecutor(max(1, len(held))) as pool:
        for lock in held:
            pool.submit(lock.release)


def _holder(host: HostName, state: ContainerState) -> LockHolder:
    return LockHolder(
        host,
        state.label(LABEL_HOLDER) or "somebody",
        state.label(LABEL_SINCE),
        state.label(LABEL_RUN),
    )


def _locked(host: HostName, state: ContainerState) -> LockedError:
    holder = _holder(host, state)
    return LockedError(
        "locked",
        f"{state.app} is locked by {holder.holder} since {holder.since} ({holder.run}, on {host})",
        hint="Wait until it ends (`--wait 5m` waits for you), or end it where it runs: the lock"
        " frees itself within seconds.",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
