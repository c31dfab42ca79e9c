"""Reading what Compose writes: YAML 1.2 scalars only, and the doubled dollars made single again.

Compose writes `$` as `$$`, so that its output can be read by Compose again. PyYAML's YAML 1.1
scalars (`on`, `12:30`, `=`) would turn strings that Compose leaves unquoted into something else.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from underway.errors import ConfigurationError

Tree = Mapping[str, Any]


class _CoreLoader(yaml.CSafeLoader):
    """Scalars of YAML's core schema, as Compose writes them."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"]
)
_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def read_canonical(text: str, *, is_interpolated: bool) -> Tree:
    """The tree of Compose's canonical YAML; raises ConfigurationError where it is none."""
    if is_interpolated:
        text = text.replace("$$", "$")
    try:
        tree = yaml.load(text, Loader=_CoreLoader)  # noqa: S506 - derived from the safe loader
    except yaml.YAMLError as error:
        raise ConfigurationError(
            "compose-invalid",
            "Compose's output cannot be read",
            cause=str(error).splitlines()[0],
            hint="Run `docker compose config` and look at what it prints.",
        ) from error
    return tree if isinstance(tree, dict) else {}


def mapping_of(value: object) -> dict[str, Any]:
    """`value` as a mapping: Compose's own, its `KEY=VALUE` list form, or {} for null."""
    if isinstance(value, dict):
        return {str(key): entry for key, entry in value.items()}
    if isinstance(value, list):
        pairs = (str(entry).partition("=") for entry in value)
        return {key: (rest if equals else None) for key, equals, rest in pairs}
    return {}


def list_of(value: object) -> list[Any]:
    """`value` as a list: a single entry becomes one, null becomes []."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def text_of(value: object) -> str:
    """A scalar as Compose writes it into a container: `true`, `1`, or the text itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
