"""Semantic versions: the one of a commit, and the next one. Pure.

A commit has one version: the highest version tag that git has on it, else the one under which it
was shipped before. Where it has neither, the next version is computed from the highest that is
known, if the team asked for that.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from underway.errors import ConfigurationError

_SEMVER: Final = re.compile(
    r"v?((?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)"
    r"(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z.-]+)?)"
)


class Bump(StrEnum):
    """Which part of a version grows; those after it begin at 0."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


@dataclass(frozen=True, slots=True)
class VersionWish:
    """What was asked for: a version in words, or which part of the last one grows."""

    given: str = ""
    bump: Bump | None = None


def read_version(text: str) -> str:
    """A version given with or without a leading `v`; ConfigurationError (`tag-invalid`)."""
    found = _SEMVER.fullmatch(text)
    if found is None:
        raise ConfigurationError(
            "tag-invalid",
            f"`{text}` is not a semantic version",
            hint="Give it as MAJOR.MINOR.PATCH.",
        )
    return found[1]


def highest(tags: tuple[str, ...]) -> str:
    """The highest version among tags, or "": what is no version does not count."""
    versions = [found[1] for tag in tags if (found := _SEMVER.fullmatch(tag))]
    return max(versions, key=precedence, default="")


def following(version: str, bump: Bump) -> str:
    """The version after `version` ("" before the first); a pre-release leads to its release."""
    core, _, pre = (version or "0.0.0").partition("+")[0].partition("-")
    major, minor, patch = (int(number) for number in core.split("."))
    match bump:
        case Bump.MAJOR:
            major, minor, patch = (major if pre and not (minor or patch) else major + 1), 0, 0
        case Bump.MINOR:
            minor, patch = (minor if pre and not patch else minor + 1), 0
        case Bump.PATCH:
            patch = patch if pre else patch + 1
    return f"{major}.{minor}.{patch}"


def precedence(version: str) -> tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]:
    """Order of versions after semver.org, section 11: a pre-release comes before its release."""
    core, _, pre = version.partition("+")[0].partition("-")
    parts = tuple(
        (not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in pre.split(".")
    )
    return tuple(int(number) for number in core.split(".")), not pre, parts if pre else ()
