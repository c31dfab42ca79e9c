"""Reading `x-underway`, strictly.

Every unknown or ill-typed setting is told with its place and its likely meaning.
"""

import re
import shlex
from typing import Final, TypeVar

import msgspec

from underway.compose.canonical import Tree, mapping_of
from underway.compose.notebook import refuse
from underway.compose.positions import Positions
from underway.compose.quantities import duration_s
from underway.compose.setting_hints import (
    all_fields,
    cause_of,
    elsewhere_hint,
    value_hint,
    wanted_at,
)
from underway.compose.wishes import AppWish, ServiceWish, SourceWish, VolumeWish
from underway.errors import ConfigurationError
from underway.errors.suggestion import is_misspelt, meant_hint

KEY: Final = "x-underway"

Wish = TypeVar("Wish", bound=msgspec.Struct)

_UNKNOWN: Final = re.compile(r"^Object contains unknown field `(?P<name>[^`]*)`")
_PLACE: Final = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_ANY_KEY: Final = "..."
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def app_wish(tree: Tree, positions: Positions) -> AppWish:
    """The app's own `x-underway`."""
    return read_wish(tree.get(KEY), AppWish, positions, (KEY,))


def sensitive_sources(raw: Tree, positions: Positions) -> dict[str, SourceWish]:
    """The commands that print sensitive values, read before anything is interpolated."""
    sources = mapping_of(mapping_of(raw.get(KEY)).get("sensitive"))
    return {
        name: read_wish(source, SourceWish, positions, (KEY, "sensitive", name))
        for name, source in sorted(sources.items())
    }


def service_wish(service: Tree, name: str, positions: Positions) -> ServiceWish:
    """A service's `x-underway`."""
    return read_wish(service.get(KEY), ServiceWish, positions, ("services", name, KEY))


def volume_wish(volume: Tree, name: str, positions: Positions) -> VolumeWish:
    """A volume's `x-underway`."""
    return read_wish(volume.get(KEY), VolumeWish, positions, ("volumes", name, KEY))


def refuse_misspelt(key: str, path: tuple[str, ...], positions: Positions) -> None:
    """Refuse a key below `path` that looks like `x-underway`: Compose would ignore it."""
    if not is_misspelt(key, KEY):
        return
    refuse(
        "key-unknown",
        f"`{key}` looks like `{KEY}`, and would be ignored",
        cause="Compose ignores every key that begins with `x-`",
        place=positions.place(*path, key),
        hint=f"Write `{KEY}`, or give an extension of your own another name.",
    )


def read_wish(
    value: object, kind: type[Wish], positions: Positions, path: tuple[str | int, ...]
) -> Wish:
    """`value` as `kind`; raises ConfigurationError `x-underway-unknown` or `x-underway-invalid`."""
    try:
        return msgspec.convert({} if value is None else value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(str(error), kind, value, positions, path) from error


def command_of(value: str | list[str], place: str) -> tuple[str, ...]:
    """The arguments of a command, a line split as Compose splits `command`."""
    if isinstance(value, list):
        return tuple(value)
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        refuse(
            "x-underway-invalid",
            f"`{value}` is not a command line",
            cause=str(error),
            place=place,
            hint="Close the quotes, or give the arguments as a list.",
        )


def wished_duration_s(text: str, place: str) -> float:
    """Seconds of a duration in `x-underway`."""
    try:
        return duration_s(text)
    except ValueError:
        refuse(
            "x-underway-invalid",
            f"`{text}` is not a duration",
            place=place,
            hint="Write a number and a unit, such as `30s`, `10m` or `1m30s`.",
        )


def _explained(
    text: str,
    kind: type[msgspec.Struct],
    value: object,
    positions: Positions,
    path: tuple[str | int, ...],
) -> ConfigurationError:
    """Make msgspec's sentence as an error with place, words of ours and a suggestion."""
    where = _PLACE.search(text)
    sentence = text[: where.start()] if where else text
    unknown = _UNKNOWN.match(sentence)
    name = unknown["name"] if unknown else ""
    inner = _resolve(value, _steps(where["path"]) if where else (), name) or ()
    if unknown is not None:
        return ConfigurationError(
            "x-underway-unknown",
            f"`{_shown((*path, *inner))}` has no setting `{name}`",
            cause="what is not known would do nothing, and nobody would notice",
            place=positions.place(*path, *inner, name),
            hint=_suggestion(name, kind),
        )
    wanted = wanted_at(kind, inner)
    return ConfigurationError(
        "x-underway-invalid",
        f"`{_shown((*path, *inner))}` is not what it must be",
        cause=cause_of(sentence, wanted),
        place=positions.place(*path, *inner),
        hint=value_hint(sentence, str((*path, *inner)[-1]), wanted),
    )


def _suggestion(name: str, kind: type[msgspec.Struct]) -> str:
    here = ", ".join(f"`{entry}`" for entry in kind.__struct_fields__)
    known = f"It knows {here}."
    return elsewhere_hint(name, kind) or meant_hint(name, all_fields(kind), known)


def _resolve(
    value: object, steps: tuple[str | int, ...], name: str
) -> tuple[str | int, ...] | None:
    """The path itself: msgspec writes `[...]` for a mapping's key, which is searched here."""
    if not steps:
        return () if not name or (isinstance(value, dict) and name in value) else None
    first, rest = steps[0], steps[1:]
    candidates: list[tuple[str | int, object]] = []
    if isinstance(value, list):
        candidates = [(first, value[first])] if isinstance(first, int) else []
    elif isinstance(value, dict) and first == _ANY_KEY:
        candidates = list(value.items())
    elif isinstance(value, dict) and first in value:
        candidates = [(first, value[first])]
    for key, below in candidates:
        inner = _resolve(below, rest, name)
        if inner is not None:
            return (key, *inner)
    return None


def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(
        name or (_ANY_KEY if number == _ANY_KEY else int(number))
        for name, number in _STEP.findall(path)
    )


def _shown(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path)
