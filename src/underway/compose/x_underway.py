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
from underway.compose.wishes import AppWish, ServiceWish, SourceWish, VolumeWish
from underway.errors import ConfigurationError
from underway.errors.suggestion import meant_hint, nearest

KEY: Final = "x-underway"

Wish = TypeVar("Wish", bound=msgspec.Struct)

_UNKNOWN: Final = re.compile(r"^Object contains unknown field `(?P<name>[^`]*)`")
_PLACE: Final = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_ENUM: Final = re.compile(r"^Invalid enum value '([^']*)'")
_CHOICES: Final = (
    *("rolling", "blue-green", "recreate"),
    *("local", "shared", "per-host"),
    *("dump", "quiesce", "pause", "files"),
    "tests",
)
_DURATION_SENTENCE: Final = "a duration has a unit, such as `30s` or `1m30s`"
_ANY_KEY: Final = "..."
_MISSPELT: Final = 0.8
"""How like `x-underway` an extension's name is that can only be meant for it."""
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
    if key == KEY or not nearest(key, [KEY], at_least=_MISSPELT):
        return
    refuse(
        "key-unknown",
        f"`{key}` looks like `{KEY}`, and would be ignored",
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
            place=positions.place(*path, *inner, name),
            hint=_suggestion(name, kind),
        )
    return ConfigurationError(
        "x-underway-invalid",
        f"`{_shown((*path, *inner))}` is not what it must be",
        cause=_DURATION_SENTENCE if "matching regex" in sentence else sentence,
        place=positions.place(*path, *inner),
        hint=_choice(sentence) or "See the reference of x-underway.",
    )


def _choice(sentence: str) -> str:
    wrong = _ENUM.match(sentence)
    if wrong is None:
        return ""
    return meant_hint(wrong[1], _CHOICES)


def _suggestion(name: str, kind: type[msgspec.Struct]) -> str:
    here = ", ".join(f"`{entry}`" for entry in kind.__struct_fields__)
    return meant_hint(name, _all_fields(kind), f"It knows {here}.")


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


def _all_fields(kind: type[msgspec.Struct]) -> set[str]:
    """The names of all settings below `kind`: the misspelt one may stand in any of its structs."""
    names: set[str] = set()
    for field in msgspec.structs.fields(kind):
        names.add(field.name)
        names |= _fields_within(msgspec.inspect.type_info(field.type))
    return names


def _fields_within(info: msgspec.inspect.Type) -> set[str]:
    names: set[str] = set()
    if isinstance(info, msgspec.inspect.StructType):
        return _all_fields(info.cls)
    if isinstance(info, msgspec.inspect.Metadata):
        return _fields_within(info.type)
    if isinstance(info, msgspec.inspect.UnionType):
        for member in info.types:
            names |= _fields_within(member)
    if isinstance(info, msgspec.inspect.ListType):
        return _fields_within(info.item_type)
    if isinstance(info, msgspec.inspect.DictType):
        return _fields_within(info.value_type)
    return names


def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(
        name or (_ANY_KEY if number == _ANY_KEY else int(number))
        for name, number in _STEP.findall(path)
    )


def _shown(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path)
