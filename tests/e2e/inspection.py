"""What `docker inspect` tells, as flat fields that can be compared one by one."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

Fields = dict[str, str]
"""By path (`HostConfig.Memory`, `Config.Labels[a.b]`), the value as JSON."""

_WORD: Final = re.compile(r"^[A-Za-z0-9]+$")
_BY: Final = {"Mounts": "Destination", "Env": "=", "HostConfig.Mounts": "Target"}
"""Lists whose entries have a name of their own: what tells them apart."""
_ORDERLESS: Final = {"Aliases", "CapAdd", "CapDrop", "Binds", "DNSNames", "ExtraHosts", "Ulimits"}
_EMPTY: Final = ("null", "{}", "[]", '""', "0", "false")


def fields_of(body: Mapping[str, Any]) -> Fields:
    """All that an object tells, but for what is empty: an engine writes that in several ways."""
    return {path: text for path, text in _walk(body, "") if text not in _EMPTY}


def differing(one: Fields, other: Fields) -> Iterator[tuple[str, str, str]]:
    """The paths at which two objects differ, with both values; "" stands for none."""
    for path in sorted({*one, *other}):
        left, right = one.get(path, ""), other.get(path, "")
        if left != right:
            yield path, left, right


def _walk(value: object, path: str) -> Iterator[tuple[str, str]]:
    key = path.rpartition(".")[2]
    if isinstance(value, dict):
        for name, below in value.items():
            plain = bool(_WORD.match(name)) and key not in {"Labels", "Annotations", "Sysctls"}
            yield from _walk(below, f"{path}.{name}".lstrip(".") if plain else f"{path}[{name}]")
    elif isinstance(value, list) and (path in _BY or key in _BY):
        mark = _BY.get(path) or _BY[key]
        for entry in value:
            if mark == "=":
                name, _, text = str(entry).partition("=")
                yield f"{path}[{name}]", json.dumps(text)
            else:
                yield from _walk(entry, f"{path}[{entry[mark]}]")
    elif isinstance(value, list) and key in _ORDERLESS:
        yield path, json.dumps(sorted(value, key=json.dumps), sort_keys=True)
    else:
        yield path, json.dumps(value, sort_keys=True)
