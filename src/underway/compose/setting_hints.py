"""What a setting of `x-underway` takes, in words: read from the shapes that check it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import inspect

from underway.compose.wishes import AppWish, PortWish, ServiceWish, VolumeWish
from underway.errors.suggestion import meant_hint

_HOMES: Final[tuple[tuple[str, type[msgspec.Struct]], ...]] = (
    ("at the top of the file", AppWish),
    ("of a service: `services.NAME.x-underway`", ServiceWish),
    ("of a volume: `volumes.NAME.x-underway`", VolumeWish),
    ("of a port in its long form", PortWish),
)
_ENUM: Final = re.compile(r"^Invalid enum value '([^']*)'")
_MISSING: Final = re.compile(r"^Object missing required field `([^`]*)`")
_KINDS: Final = re.compile(r"^Expected `([^`]+)`, got `([^`]+)`")
_BOUND: Final = re.compile(r"^Expected `int` (<=|>=) (\d+)")
_WORDS: Final = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "null": "nothing",
    "object": "a mapping",
    "str": "text",
}
_DURATION: Final = "a duration has a unit, such as `30s` or `1m30s`"
_REFERENCE: Final = "See the reference of x-underway."
_LIST_ENTRY: Final = "..."


def cause_of(sentence: str, wanted: Sequence[inspect.Type]) -> str:
    """Why a value cannot be taken: msgspec's sentence in words of ours."""
    if "matching regex" in sentence or (_is_number(sentence) and _takes_duration(wanted)):
        return _DURATION
    if missing := _MISSING.match(sentence):
        return f"`{missing[1]}` is missing in it"
    if enum := _ENUM.match(sentence):
        return f"there is no `{enum[1]}`"
    if bound := _BOUND.match(sentence):
        return f"it must be {bound[2]} " + ("at most" if bound[1] == "<=" else "at least")
    if kinds := _KINDS.match(sentence):
        names = [_WORDS.get(one.strip(), one.strip()) for one in kinds[1].split("|")]
        got = _WORDS.get(kinds[2], kinds[2])
        return f"it must be {' or '.join(dict.fromkeys(names))}, and is {got}"
    return sentence


def value_hint(sentence: str, name: str, wanted: Sequence[inspect.Type]) -> str:
    """What to write for the setting `name`, whose value is not one of the `wanted` types."""
    if "matching regex" in sentence or (_is_number(sentence) and _takes_duration(wanted)):
        return "Write a number and a unit: `500ms`, `30s`, `10m`, `1h30m`."
    choices = [str(value) for info in wanted for value in _choices(info)]
    if enum := _ENUM.match(sentence):
        listed = f"Write one of {', '.join(f'`{choice}`' for choice in choices)}."
        return meant_hint(enum[1], choices, listed if choices else _REFERENCE)
    if missing := _MISSING.match(sentence):
        fields = [field for info in wanted for field in _fields(info)]
        told = next((f": {_told(field.type)}" for field in fields if field.name == missing[1]), "")
        return f"Add `{missing[1]}`{told}"
    told = next((text for info in wanted if (text := _told(info))), "")
    names = [f"`{field.name}`" for info in wanted for field in _fields(info)]
    inside = f" It has {', '.join(names)}." if names else ""
    return f"`{name}`: {told}{inside}" if told else _REFERENCE


def elsewhere_hint(name: str, kind: type[msgspec.Struct]) -> str:
    """Where the setting `name` belongs, if it is one of another level; else ""."""
    if name in all_fields(kind):
        return ""
    homes = [where for where, home in _HOMES if name in home.__struct_fields__]
    return f"`{name}` stands in the x-underway {homes[0]}." if homes else ""


def wanted_at(kind: type[msgspec.Struct], path: Iterable[str | int]) -> list[inspect.Type]:
    """The types that may stand at `path` below `kind`, described as the shapes describe them."""
    found = [inspect.type_info(kind)]
    for step in path:
        found = [below for info in found for below in _below(info, step)]
    return found


def all_fields(kind: type[msgspec.Struct]) -> set[str]:
    """The names of all settings below `kind`: the misspelt one may stand in any of its structs."""
    names: set[str] = set()
    todo = [inspect.type_info(kind)]
    while todo:
        for info in _plain(todo.pop()):
            if isinstance(info, inspect.StructType):
                names |= {field.name for field in info.fields}
                todo += [field.type for field in info.fields]
            elif isinstance(info, inspect.ListType):
                todo.append(info.item_type)
            elif isinstance(info, inspect.DictType):
                todo.append(info.value_type)
    return names


def _below(info: inspect.Type, step: str | int) -> Iterator[inspect.Type]:
    for plain in _plain(info):
        if isinstance(plain, inspect.StructType):
            yield from (field.type for field in plain.fields if field.name == step)
        elif isinstance(plain, inspect.DictType) and isinstance(step, str):
            yield plain.value_type
        elif isinstance(plain, inspect.ListType) and (isinstance(step, int) or step == _LIST_ENTRY):
            yield plain.item_type


def _plain(info: inspect.Type) -> Iterator[inspect.Type]:
    """The type without its description, each of them where there are several."""
    if isinstance(info, inspect.Metadata):
        yield from _plain(info.type)
    elif isinstance(info, inspect.UnionType):
        for member in info.types:
            yield from _plain(member)
    else:
        yield info


def _fields(info: inspect.Type) -> list[inspect.Field]:
    structs = [one for one in _plain(info) if isinstance(one, inspect.StructType)]
    return [field for struct in structs for field in struct.fields]


def _choices(info: inspect.Type) -> list[object]:
    literals = [one for one in _plain(info) if isinstance(one, inspect.LiteralType)]
    return [value for literal in literals for value in literal.values]


def _told(info: inspect.Type) -> str:
    """What the shape says of the setting."""
    if not isinstance(info, inspect.Metadata):
        return ""
    return str((info.extra_json_schema or {}).get("description", "")) or _told(info.type)


def _is_number(sentence: str) -> bool:
    kinds = _KINDS.match(sentence)
    return kinds is not None and kinds[2] in {"int", "float"}


def _takes_duration(wanted: Sequence[inspect.Type]) -> bool:
    return any(
        isinstance(one, inspect.StrType) and "ms" in (one.pattern or "")
        for info in wanted
        for one in _plain(info)
    )
