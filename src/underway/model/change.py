"""What changes of a service between two releases: names of what differs, never values."""

from dataclasses import dataclass
from enum import StrEnum

from underway.model.names import NO_RELEASE, ReleaseNumber, ServiceName


class Turn(StrEnum):
    """What became of one thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One thing that differs: `kind` is Compose's key (`environment`), `name` which one, or ""."""

    kind: str
    name: str
    turn: Turn

    def __str__(self) -> str:
        """`environment DATABASE_URL changed`."""
        return " ".join(part for part in (self.kind, self.name, self.turn.value) if part)


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """Why replicas of a service are made or ended.

    `since` is the release that its replicas are of now, `differences` what the plan's release has
    otherwise (empty where nothing differs), `cause` all of it in words.
    """

    service: ServiceName
    cause: str
    since: ReleaseNumber = NO_RELEASE
    differences: tuple[Difference, ...] = ()
