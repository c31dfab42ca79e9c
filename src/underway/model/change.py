"""What changes of a service between two releases: names of what differs, never values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from underway.model.names import NO_RELEASE, ReleaseNumber, ServiceName

HIDDEN: Final = "(sensitive)"
"""Stands where a sensitive value would."""


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


@dataclass(frozen=True, slots=True, order=True)
class Detail:
    """One difference with what stood and what stands there, "" where nothing did.

    A sensitive value is `HIDDEN`.
    """

    kind: str
    name: str
    turn: Turn
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class PartChange:
    """What differs of one service, or of the app itself where `service` is ""."""

    service: ServiceName
    turn: Turn
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs from one release to another; release 0 is the file, as it is now.

    `unknown` are services whose images only a build tells.
    """

    before: ReleaseNumber
    after: ReleaseNumber
    parts: tuple[PartChange, ...] = ()
    unknown: tuple[ServiceName, ...] = ()
