"""Who works on an app."""

from dataclasses import dataclass

from underway.model.names import HostName


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds the lock. `since` is RFC 3339."""

    host: HostName
    holder: str
    since: str
    run: str
