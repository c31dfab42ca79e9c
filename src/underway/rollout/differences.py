"""What differs for a service between two releases, by name: all that makes a generation.

Values are compared and never told. Sensitive ones are compared by their keyed digests.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from underway.model.change import Difference, Turn
from underway.model.release import Release
from underway.model.spec import MountKind, ServiceSpec
from underway.rollout.reach import all_names, direct_ports, proxy_for

_KEYS: Final = {
    "Annotations": "annotations",
    "CapAdd": "cap_add",
    "CapDrop": "cap_drop",
    "CgroupnsMode": "cgroup",
    "Cmd": "command",
    "CpusetCpus": "cpuset",
    "DeviceRequests": "gpus",
    "Dns": "dns",
    "DnsOptions": "dns_opt",
    "ExposedPorts": "expose",
    "Init": "init",
    "IpcMode": "ipc",
    "LogConfig": "logging",
    "Memory": "mem_limit",
    "MemoryReservation": "mem_reservation",
    "MemorySwap": "memswap_limit",
    "NanoCpus": "cpus",
    "OpenStdin": "stdin_open",
    "PidMode": "pid",
    "ReadonlyRootfs": "read_only",
    "RestartPolicy": "restart",
    "UTSMode": "uts",
    "UsernsMode": "userns_mode",
}
"""The Engine API's words whose Compose key is not the same word in another spelling."""

Things = Mapping[tuple[str, str], object]
"""What a generation is made of, by kind and name."""


def differences(before: Release, after: Release, name: str) -> tuple[Difference, ...]:
    """What makes a service of `after` another generation than in `before`, image first.

    Both releases have the service. Empty where nothing of what a replica is made of differs.
    """
    old, new = things_of(before, name), things_of(after, name)
    found = [
        Difference(*key, turn_of(key, old, new))
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]
    return tuple(sorted(found, key=lambda difference: difference.kind != "image"))


def turn_of(key: tuple[str, str], old: Things, new: Things) -> Turn:
    """What became of one thing; one without a name of its own is there in any case."""
    if not key[1]:
        return Turn.CHANGED
    if key not in old:
        return Turn.ADDED
    return Turn.CHANGED if key in new else Turn.REMOVED


def things_of(release: Release, name: str) -> Things:
    """What a generation of a service is made of; KeyError where its image is not known."""
    service = next(entry for entry in release.spec.services if entry.name == name)
    return {
        ("image", ""): release.image_of(service.name).config_digest,
        **dict(engine_words(service)),
        **dict(_inside(release, service)),
        **dict(_around(release, service)),
    }


def engine_words(service: ServiceSpec) -> Iterator[tuple[tuple[str, str], object]]:
    """Compose's other keys (command, limits, logging, ...) with what the engine is told."""
    fragment: dict[str, dict[str, Any]] = json.loads(service.engine)
    for words in fragment.values():
        for word, value in words.items():
            yield (_KEYS.get(word, _snake(word)), ""), value


def _snake(word: str) -> str:
    """`WorkingDir` as `working_dir`."""
    parts = ("_" + letter.lower() if letter.isupper() else letter for letter in word)
    return "".join(parts).removeprefix("_")


def _inside(release: Release, service: ServiceSpec) -> Iterator[tuple[tuple[str, str], object]]:
    digests = {entry.name: entry.digest for entry in release.sensitive}
    for variable in service.environment:
        secret = digests.get(variable.sensitive, "") if variable.sensitive else None
        yield ("environment", variable.name), (variable, secret)
    for mount in service.mounts:
        physical = [v.physical for v in release.spec.volumes if v.name == mount.source]
        is_volume = mount.kind is MountKind.VOLUME
        yield ("mount", mount.target), (mount, physical if is_volume else None)
    for entry in service.files:
        kind = "secret" if entry.is_secret else "file"
        yield (kind, entry.target), (entry, digests.get(entry.content, ""))
    yield from _named("label", service.labels)
    yield ("healthcheck", ""), service.health
    yield ("stop_grace_period", ""), service.stop_grace_s


def _around(release: Release, service: ServiceSpec) -> Iterator[tuple[tuple[str, str], object]]:
    proxy = proxy_for(release.spec, service)
    for port in () if service.proxy else service.ports:
        yield ("port", f"{port.container_port}/{port.protocol}"), port
    for place in service.networks:
        yield ("network", place.network), place
    yield ("proxy port", ""), proxy.port if proxy else 0
    yield ("published port", ""), direct_ports(release.spec, service)
    yield from _named("host name", (*service.extra_hosts, *all_names(release.spec, service)))


def _named(
    kind: str, entries: Iterable[tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], object]]:
    """One thing by name, whose value is all that stands under it."""
    found: dict[str, list[str]] = {}
    for name, value in entries:
        found.setdefault(name, []).append(value)
    for name, values in found.items():
        yield (kind, name), sorted(values)
