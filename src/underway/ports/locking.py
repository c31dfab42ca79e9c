"""Protocols of the lock that keeps runs of one app apart."""

from types import TracebackType
from typing import Protocol, Self

from underway.model.lock import LockHolder
from underway.model.names import AppName, HostName


class Lock(Protocol):
    """The lock of one app on all its hosts: attached containers that end with their client."""

    def confirm(self) -> None:
        """Wait until a claimed lock is held on every host; nothing may be changed before."""

    def check(self, host: HostName | None = None) -> None:
        """Raise LockLostError unless the lock was confirmed a moment ago.

        A client that lost it on every host may have been replaced: it must change nothing more.
        One that lost it on some hosts only (a partition) still keeps others out, as they need
        every host's; with `host`, the lock there is taken again before anything happens there.
        """

    def release(self) -> None:
        """Give the lock back; never raises."""

    def __enter__(self) -> Self:
        """The lock is held."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release it."""


class Locks(Protocol):
    """Takes and tells locks."""

    def acquire(self, app: AppName, purpose: str, *, wait_s: float) -> Lock:
        """Claim the lock and confirm it."""

    def claim(self, app: AppName, purpose: str, *, wait_s: float) -> Lock:
        """Keep everybody else out, on every host in sorted order; LockedError names the holder.

        The lock is not held before it is confirmed: it still starts.
        """

    def holders(self, app: AppName) -> tuple[LockHolder, ...]:
        """Who holds it now."""

    def close(self) -> None:
        """Give back what was claimed and never given back; raises nothing."""
