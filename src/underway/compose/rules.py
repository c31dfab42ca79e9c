"""The words of the table of Compose keys: where a key stands, and what becomes of it."""

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What Underway does with a key."""

    HONOURED = "honoured"
    NOTED = "noted"
    REFUSED = "refused"


class Level(StrEnum):
    """Where a key stands."""

    TOP = "top"
    SERVICE = "service"
    BUILD = "build"
    DEPENDENCY = "dependency"
    DEPLOY = "deploy"
    RESERVATION = "reservation"
    HEALTHCHECK = "healthcheck"
    PORT = "port"
    MOUNT = "mount"
    ATTACHMENT = "attachment"
    VOLUME = "volume"
    NETWORK = "network"
    IPAM = "ipam"
    SUBNET = "subnet"
    SECRET = "secret"  # noqa: S105 - the section's name
    CONFIG = "config"


class Rule(NamedTuple):
    """One row. `text` is the remedy of a refused key, and says what to know of the others."""

    level: Level
    key: str
    verdict: Verdict
    text: str = ""


def honoured(level: Level, **keys: str) -> tuple[Rule, ...]:
    """Rows of keys that have their effect."""
    return tuple(Rule(level, key, Verdict.HONOURED, text) for key, text in keys.items())


def noted(level: Level, **keys: str) -> tuple[Rule, ...]:
    """Rows of keys without effect; the text says why."""
    return tuple(Rule(level, key, Verdict.NOTED, text) for key, text in keys.items())


def refused(level: Level, **keys: str) -> tuple[Rule, ...]:
    """Rows of keys that end the command; the text is the remedy."""
    return tuple(Rule(level, key, Verdict.REFUSED, text) for key, text in keys.items())
