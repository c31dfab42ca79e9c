"""The reference pages and the JSON Schema, generated from the table of keys and the wishes."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

from underway.compose.backup_wishes import (
    BackupSourceWish,
    BackupWish,
    KeepWish,
    MailWish,
    NotifyWish,
    VerifyWish,
    VolumeBackupWish,
)
from underway.compose.deviations import DEVIATIONS
from underway.compose.keys import RULES
from underway.compose.rules import Level
from underway.compose.wishes import (
    AppWish,
    BeforeWish,
    EdgeWish,
    HealthWish,
    HostWish,
    KeyWish,
    PolicyWish,
    PortWish,
    ProxyWish,
    ResultWish,
    ServiceWish,
    SigningWish,
    SourceWish,
    SuiteWish,
    VolumeWish,
)

_TITLES: Final = {
    Level.TOP: "At the top of the file",
    Level.SERVICE: "`services.NAME`",
    Level.BUILD: "`services.NAME.build`",
    Level.DEPENDENCY: "A service under `services.NAME.depends_on`",
    Level.DEPLOY: "`services.NAME.deploy`",
    Level.RESERVATION: "`services.NAME.deploy.resources.reservations`",
    Level.HEALTHCHECK: "`services.NAME.healthcheck`",
    Level.PORT: "An entry of `services.NAME.ports`",
    Level.MOUNT: "An entry of `services.NAME.volumes`",
    Level.ATTACHMENT: "A network under `services.NAME.networks`",
    Level.VOLUME: "`volumes.NAME`",
    Level.NETWORK: "`networks.NAME`",
    Level.IPAM: "`networks.NAME.ipam`",
    Level.SUBNET: "An entry of `networks.NAME.ipam.config`",
    Level.SECRET: "`secrets.NAME`",
    Level.CONFIG: "`configs.NAME`",
}

_WISHES: Final[tuple[tuple[str, type[msgspec.Struct]], ...]] = (
    ("`x-underway` at the top of the file", AppWish),
    ("One entry of `hosts`", HostWish),
    ("`edge` in full", EdgeWish),
    ("One suite of `test`", SuiteWish),
    ("`result` of a suite", ResultWish),
    ("`policy`", PolicyWish),
    ("One entry of `sensitive`", SourceWish),
    ("`backup` at the top of the file", BackupWish),
    ("`password` and `credentials` of `backup`", BackupSourceWish),
    ("`keep` of `backup`", KeepWish),
    ("`verify` of `backup`", VerifyWish),
    ("`notify` of `backup`", NotifyWish),
    ("`mail` of `notify`", MailWish),
    ("`signing`", SigningWish),
    ("`key` of `signing`", KeyWish),
    ("`services.NAME.x-underway`", ServiceWish),
    ("`proxy` in full", ProxyWish),
    ("`health` in full", HealthWish),
    ("`before` in full", BeforeWish),
    ("`volumes.NAME.x-underway`", VolumeWish),
    ("`backup` of a volume", VolumeBackupWish),
    ("`x-underway` of a port in its long form", PortWish),
)

_COMPOSE_SCHEMA: Final = (
    "https://raw.githubusercontent.com/compose-spec/compose-spec/main/schema/compose-spec.json"
)
_KEYS_HEAD: Final = """\
# Compose keys

<!-- Generated from src/underway/compose/keys.py: `python -m scripts.compose_reference`. -->

What becomes of each key of a Compose file. *Honoured* keys have the effect that Compose's
reference gives them. *Noted* keys have no effect, and each deploy says so. *Refused* keys end the
command with the file and line, and with the remedy given here; so does every key that is not in
this list. Keys that begin with `x-` are yours, except `x-underway`.
"""

_DEVIATIONS_HEAD: Final = """\
# What differs from `docker compose up`

<!-- Generated from src/underway/compose/deviations.py: `python -m scripts.compose_reference`. -->

A test runs one project that uses every kind of example of the Compose specification with
`docker compose up` and with `underway deploy`, on the same engine, and compares all that
`docker inspect` tells of its containers, networks and volumes. Every field is the same but for
these. Keys that are noted or refused are in [Compose keys](compose-keys.md).
"""

_IN_BRACKETS: Final = re.compile(r"\[[^\]]*\]")

_WISHES_HEAD: Final = """\
# x-underway

<!-- Generated from src/underway/compose/wishes.py: `python -m scripts.compose_reference`. -->

What Compose cannot say stands under `x-underway`, which Compose ignores. Every setting has a
default that suits a team with one host; a setting that does not exist is an error that suggests
the nearest one. Durations have a unit (`500ms`, `30s`, `1m30s`). For completion in your editor,
`underway init` writes a JSON Schema beside the file and names it there; `underway config --schema`
prints it.

A service without `strategy` follows `deploy.update_config.order`: `start-first` is `rolling`,
`stop-first` is `recreate`; without either it is `rolling`, and `recreate` where it cannot run twice
at once: the single writer of its data (by default a known database image), a published host port,
a `container_name`, or the host's network.

`--env NAME` adds `compose.NAME.yaml`, beside the main file, and leaves `compose.override.yaml` out:
that one is the laptop's.
"""


def compose_keys_page() -> str:
    """The page of all Compose keys, in Markdown."""
    lines = [_KEYS_HEAD]
    for level in Level:
        lines += [f"## {_TITLES[level]}\n", "| key | | what to know |", "|---|---|---|"]
        rules = sorted((rule for rule in RULES if rule.level is level), key=lambda rule: rule.key)
        lines += [f"| `{rule.key}` | {rule.verdict.value} | {rule.text} |" for rule in rules]
        lines.append("")
    return "\n".join(lines)


def deviations_page() -> str:
    """The page of all differences between both programs, in Markdown."""
    lines = [_DEVIATIONS_HEAD]
    for kind in dict.fromkeys(row.kind for row in DEVIATIONS):
        lines += [f"## Of a {kind}\n", "| what differs | why |", "|---|---|"]
        reasons = dict.fromkeys(row.reason for row in DEVIATIONS if row.kind == kind)
        for reason in reasons:
            paths = dict.fromkeys(
                _IN_BRACKETS.sub("[]", row.path).replace("*", "").rstrip(".")
                for row in DEVIATIONS
                if (row.kind, row.reason) == (kind, reason)
            )
            lines.append(f"| {', '.join(f'`{path}`' for path in paths)} | {reason} |")
        lines.append("")
    return "\n".join(lines)


def x_underway_page() -> str:
    """The page of all settings of `x-underway`, in Markdown."""
    lines = [_WISHES_HEAD]
    for title, kind in _WISHES:
        lines += [f"## {title}\n", "| setting | type | default | meaning |", "|---|---|---|---|"]
        lines += list(_rows(kind))
        lines.append("")
    return "\n".join(lines)


def x_underway_schema() -> str:
    """A JSON Schema (2020-12) of the `x-underway` parts of a Compose file."""
    roots = (AppWish, ServiceWish, VolumeWish, PortWish, SuiteWish)
    refs, components = msgspec.json.schema_components(roots, ref_template="#/$defs/{name}")
    app, service, volume, port, suite = refs
    components["AppWish"]["properties"]["test"]["anyOf"] = [
        suite,
        {"type": "object", "additionalProperties": suite, "minProperties": 1},
        {"type": "null"},
    ]
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "x-underway in a Compose file",
        # An editor takes one schema for a file: this one knows Compose's own keys too.
        "allOf": [{"$ref": _COMPOSE_SCHEMA}],
        "type": "object",
        "properties": {
            "x-underway": app,
            "services": _each(
                {
                    "x-underway": service,
                    "ports": {"items": {"properties": {"x-underway": port}}},
                }
            ),
            "volumes": _each({"x-underway": volume}),
        },
        "$defs": components,
    }
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _each(properties: dict[str, Any]) -> dict[str, Any]:
    return {"additionalProperties": {"properties": properties}}


def _rows(kind: type[msgspec.Struct]) -> Iterator[str]:
    for field in msgspec.structs.fields(kind):
        info = inspect.type_info(field.type)
        default = "required" if field.required else _default_text(field.default)
        yield f"| `{field.name}` | {_type_text(info)} | {default} | {_description(info)} |"


def _default_text(default: object) -> str:
    if default in (None, "", msgspec.NODEFAULT):
        return ""
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


def _description(info: inspect.Type) -> str:
    while isinstance(info, inspect.Metadata):
        text = (info.extra_json_schema or {}).get("description")
        if text:
            return str(text)
        info = info.type
    return ""


_SCALARS: Final = ((inspect.IntType, "number"), (inspect.BoolType, "true or false"))


def _type_text(info: inspect.Type) -> str:
    """The type in the words of YAML."""
    if isinstance(info, inspect.Metadata):
        return _type_text(info.type)
    if isinstance(info, inspect.StrType):
        return "duration" if info.pattern else "text"
    if isinstance(info, inspect.LiteralType):
        return ", ".join(f"`{value}`" for value in info.values)
    for kind, word in _SCALARS:
        if isinstance(info, kind):
            return word
    return _compound_text(info)


def _compound_text(info: inspect.Type) -> str:
    if isinstance(info, inspect.UnionType):
        parts = [one for one in info.types if not isinstance(one, inspect.NoneType)]
        return " or ".join(dict.fromkeys(_type_text(part) for part in parts))
    if isinstance(info, inspect.ListType):
        return f"list of {_grouped(info.item_type)}"
    if isinstance(info, inspect.DictType):
        return f"mapping to {_grouped(info.value_type)}"
    return "mapping" if isinstance(info, inspect.StructType) else "anything"


def _grouped(info: inspect.Type) -> str:
    text = _type_text(info)
    return f"({text})" if " or " in text else text
