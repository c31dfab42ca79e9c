"""What tags may be composed of, and tags that were given to a release after it was made. Values."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from underway.model.names import NO_RELEASE, HostName, ReleaseNumber

PLACEHOLDERS: Final = ("build", "commit", "date", "environment", "semver")
"""What immutable tags are composed of, beside text."""
MOVING_PLACEHOLDERS: Final = ("environment",)
"""What moving tags are composed of: known wherever a recorded release is deployed."""


@dataclass(frozen=True, slots=True, order=True)
class ReleaseTag:
    """A tag that somebody gave to a recorded release, or took from it (`is_removed`)."""

    tag: str
    release: ReleaseNumber
    at: str = ""
    by: str = ""
    is_removed: bool = False


class TagKind(StrEnum):
    """Where a tag comes from.

    OWN: the file's strategies made it. GIVEN: somebody gave it to a release. MOVING: it follows
    what serves. FOREIGN: no record of this app names it.
    """

    OWN = "own"
    GIVEN = "given"
    MOVING = "moving"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class TagStatus:
    """A tag of one repository: what it names, and where that runs.

    `digest` is the manifest's in a registry, the configuration's where there is none; `size_bytes`
    what is stored of it; `release` 0 where no recorded release has this image.
    """

    repository: str
    tag: str
    kind: TagKind
    digest: str
    created_at: str = ""
    size_bytes: int = 0
    release: ReleaseNumber = NO_RELEASE
    hosts: tuple[HostName, ...] = ()
