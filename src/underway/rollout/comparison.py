"""All that differs between two releases, for people who look: more than what replaces replicas.

Public values are told, sensitive ones never. What is no part of a release on the hosts (the line a
service stands on, remarks, the strategy of tags) is no difference.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, Final

from underway.model.change import HIDDEN, Detail, PartChange, Turn
from underway.model.names import ServiceName
from underway.model.release import Release
from underway.model.spec import AppSpec, EnvVar, FileSpec, Mount, MountKind, ServiceSpec
from underway.rollout.differences import Things, things_of, turn_of

_MADE_OF: Final = frozenset(
    {
        "engine",
        "environment",
        "extra_hosts",
        "files",
        "health",
        "labels",
        "mounts",
        "name",
        "networks",
        "stop_grace_s",
    }
)
"""Fields that `things_of` tells."""
_NOWHERE: Final = frozenset({"build", "place"})
_APP_ASIDE: Final = frozenset({"bump", "moving_tags", "name", "remarks", "services", "tags"})
_WORDS: Final = {
    "hosts": "place",
    "image": "image name",
    "is_global": "global",
    "is_single_writer": "single_writer",
    "update": "update_config",
}
_COMMANDS: Final = {"command", "entrypoint"}
_SIZES: Final = {"mem_limit", "mem_reservation", "memswap_limit", "shm_size"}
_MIB: Final = 1 << 20
_NANO: Final = 1_000_000_000
_NAMED: Final = {"hosts": "host", "networks": "network", "volumes": "volume"}


@dataclass(frozen=True, slots=True)
class _Image:
    """An image is another one by what is in it, whatever it is called."""

    config_digest: str
    reference: str = field(compare=False)


def compared(before: Release, after: Release) -> tuple[PartChange, ...]:
    """What differs of the app, then of each service by name; empty where nothing does.

    KeyError where the image of a service that both have is not known.
    """
    app = _details(_app_things(before.spec), _app_things(after.spec))
    parts = [PartChange(ServiceName(""), Turn.CHANGED, app)] if app else []
    old = {service.name: service for service in before.spec.services}
    new = {service.name: service for service in after.spec.services}
    for name in sorted({*old, *new}):
        if name not in new:
            parts.append(PartChange(name, Turn.REMOVED))
        elif name not in old:
            parts.append(PartChange(name, Turn.ADDED, _arrival(after, new[name])))
        elif found := _details(_service_things(before, name), _service_things(after, name)):
            parts.append(PartChange(name, Turn.CHANGED, found))
    return tuple(parts)


def _arrival(release: Release, service: ServiceSpec) -> tuple[Detail, ...]:
    images = [entry.image for entry in release.images if entry.service == service.name]
    text = images[0].reference if images else service.image
    return (Detail("image", "", Turn.ADDED, after=text),) if text else ()


def _details(old: Things, new: Things) -> tuple[Detail, ...]:
    found = [
        Detail(
            *key,
            turn_of(key, old, new),
            value_text(key, old.get(key)),
            value_text(key, new.get(key)),
        )
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]
    return tuple(sorted(found, key=lambda detail: detail.kind != "image"))


def _service_things(release: Release, name: ServiceName) -> Things:
    service = release.spec.service(name)
    things = dict(things_of(release, name))
    image = release.image_of(name)
    things["image", ""] = _Image(image.config_digest, image.reference)
    for entry in fields(ServiceSpec):
        is_told = entry.name in _MADE_OF or (entry.name == "ports" and not service.proxy)
        if not is_told and entry.name not in _NOWHERE:
            things |= _flat(_WORDS.get(entry.name, entry.name), getattr(service, entry.name))
    things["build", ""] = service.build is not None
    return things


def _app_things(spec: AppSpec) -> Things:
    things: dict[tuple[str, str], object] = {}
    for entry in fields(AppSpec):
        value = getattr(spec, entry.name)
        if entry.name in _NAMED:
            things |= {(_NAMED[entry.name], part.name): part for part in value}
        elif entry.name not in _APP_ASIDE:
            things |= _flat(entry.name, value)
    return things


def _flat(kind: str, value: Any, path: str = "") -> dict[tuple[str, str], object]:
    """A value of several parts, part by part: `proxy probe path`. What is not there has none."""
    if value is None:
        return {}
    if not is_dataclass(value):
        return {(kind, path): value}
    things: dict[tuple[str, str], object] = {}
    for entry in fields(value):
        part = f"{path} {_plain(entry.name)}".strip()
        things |= _flat(kind, getattr(value, entry.name), part)
    return things


def _plain(name: str) -> str:
    return name.removesuffix("_s").removeprefix("is_")


def value_text(key: tuple[str, str], value: Any) -> str:
    """A value under its kind and name in words; what is sensitive is hidden."""
    kind = key[0]
    if kind in _COMMANDS and isinstance(value, Sequence):
        return shlex.join(value)
    if kind == "cpus" and isinstance(value, int):
        return f"{value / _NANO:g}"
    if kind in _SIZES and isinstance(value, int) and value > 0 and value % _MIB == 0:
        return f"{value // _MIB}m"
    if kind == "restart" and isinstance(value, Mapping):
        most = value.get("MaximumRetryCount") or 0
        return f"{value.get('Name', '')}:{most}" if most else str(value.get("Name", ""))
    return _text(value)


def _text(value: Any) -> str:  # noqa: PLR0911 (one case per kind)
    """A value in words; what is sensitive is hidden."""
    match value:
        case None | str():
            return value or ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(int(value)) if value == int(value) else str(value)
        case (EnvVar() as variable, _):
            return HIDDEN if variable.sensitive else variable.value
        case (FileSpec() as file, _):
            return f"{HIDDEN}, mode {file.mode:04o}, owner {file.uid}:{file.gid}"
        case (Mount() as mount, physical):
            return _mount(mount, physical or [])
        case _Image():
            digest = value.config_digest.removeprefix("sha256:")[:12]
            return " ".join(part for part in (value.reference, digest) if part)
        case Mapping():
            return json.dumps(value, sort_keys=True)
        case Sequence():
            return _sequence(value)
        case _:
            return ", ".join(_parts(value))


def _sequence(values: Sequence[Any]) -> str:
    if any(isinstance(value, Mapping) for value in values):
        return json.dumps(values, sort_keys=True)
    return ", ".join(_text(value) for value in values)


def _mount(mount: Mount, physical: Sequence[str]) -> str:
    source = mount.source or mount.kind.value
    behind = f" ({physical[0]})" if physical and mount.kind is MountKind.VOLUME else ""
    access = ", read-only" if mount.read_only else ""
    options = f", {mount.options}" if mount.options else ""
    return f"{source}{behind}{access}{options}"


def _parts(value: Any) -> Iterator[str]:
    """The fields of a value that say something, its name apart."""
    for entry in fields(value):
        part = getattr(value, entry.name)
        is_said = entry.name != "name" and (entry.default is MISSING or part != entry.default)
        if is_said and (text := _text(part)):
            yield f"{_plain(entry.name)} {text}"
