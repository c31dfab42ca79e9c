"""The words of Compose's keys: which one somebody meant who wrote another, or wrote it elsewhere.

Keys of the levels that Underway judges stand in `keys`; those below are Compose's own business,
and stand here for suggestions alone.
"""

from collections.abc import Sequence
from typing import Final

from underway.compose.keys import RULES
from underway.compose.rules import Level
from underway.errors.suggestion import is_misspelt, meant_hint, nearest

_EXTENSION: Final = "x-underway"
_JUDGED: Final = {
    "build": (Level.BUILD,),
    "depends_on": (Level.DEPENDENCY,),
    "healthcheck": (Level.HEALTHCHECK,),
    "ipam": (Level.IPAM, Level.SUBNET),
    "networks": (Level.ATTACHMENT,),
    "ports": (Level.PORT,),
    "volumes": (Level.MOUNT,),
}
"""Settings of a service or a network whose keys the table has."""
_BELOW: Final[dict[str, tuple[str, ...]]] = {
    **{
        parent: tuple(rule.key for rule in RULES if rule.level in levels)
        for parent, levels in _JUDGED.items()
    },
    "logging": ("driver", "options"),
    "resources": ("limits", "reservations", "cpus", "memory", "pids", "devices"),
    "restart_policy": ("condition", "delay", "max_attempts", "window"),
    "update_config": (
        "delay", "failure_action", "max_failure_ratio", "monitor", "order", "parallelism",
    ),
}  # fmt: skip
_LEVELS: Final = {
    "services": Level.SERVICE,
    "volumes": Level.VOLUME,
    "networks": Level.NETWORK,
    "secrets": Level.SECRET,
    "configs": Level.CONFIG,
}
_NAMED: Final = 2
"""How deep a named service or volume stands: `services`, its name."""


def key_hint(key: str, parent: Sequence[str]) -> str:
    """What to do about a `key` below `parent` that Compose does not know."""
    if is_misspelt(key, _EXTENSION):
        return f"Write `{_EXTENSION}`, or give an extension of your own a name that begins `x-`."
    here = _words_at(parent)
    near = nearest(key, here)
    elsewhere = "" if near == key else _home_of(key)
    if elsewhere:
        return f"`{key}` stands {elsewhere}."
    otherwise = "Take it out, or begin its name with `x-` if it is a note of your own."
    return meant_hint(key, here, otherwise)


def _words_at(parent: Sequence[str]) -> tuple[str, ...]:
    if not parent:
        return (*_rules(Level.TOP), _EXTENSION)
    if len(parent) == _NAMED and parent[0] in _LEVELS:
        return (*_rules(_LEVELS[parent[0]]), _EXTENSION)
    if parent[-1] == "deploy":
        return _rules(Level.DEPLOY)
    return next((_BELOW[step] for step in reversed(parent) if step in _BELOW), ())


def _home_of(key: str) -> str:
    """Where a key that exists belongs, in words; "" for one that exists nowhere."""
    if key in _rules(Level.TOP):
        return "at the top of the file, without indentation"
    if key in _rules(Level.SERVICE):
        return "in a service: `services.NAME`"
    if key in _rules(Level.DEPLOY):
        return "under `deploy` of a service"
    homes = [parent for parent, words in _BELOW.items() if key in words]
    return f"under `{homes[0]}`" if len(homes) == 1 else ""


def _rules(level: Level) -> tuple[str, ...]:
    return tuple(rule.key for rule in RULES if rule.level is level)
