"""A release that stays on some hosts on purpose, while the others get another one."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

from underway.errors import RefusedError
from underway.model.names import HostName
from underway.model.release import Release
from underway.model.spec import AppSpec, ServiceSpec

_ON_ITS_HOST: Final = frozenset(
    {
        "before",
        "build",
        "engine",
        "environment",
        "extra_hosts",
        "files",
        "health",
        "image",
        "labels",
        "mounts",
        "place",
        "stop_grace_s",
        "strategy",
        "update",
    }
)
"""Fields of a service that concern nobody but its own replicas, and how they are replaced."""


@dataclass(frozen=True, slots=True)
class Beside:
    """`release` stays on every host but `hosts`, which get the plan's."""

    hosts: frozenset[HostName]
    release: Release


def check_beside(release: Release, beside: Beside | None) -> None:
    """Raise RefusedError `limit-unfit` where two releases cannot serve side by side.

    What hosts have in common (who is reached how, where replicas stand, networks and volumes) can
    be of one release only.
    """
    if beside is None:
        return
    number, other = release.number, beside.release.number
    if found := [*_apart(release.spec, beside.release.spec)]:
        raise RefusedError(
            "limit-unfit",
            f"release {number} and release {other} cannot serve side by side",
            cause="; ".join(found),
            hint="bring it to all hosts: leave --limit out",
        )
    for service in release.spec.services:
        if service.before and not beside.hosts.intersection(service.hosts):
            raise RefusedError(
                "limit-unfit",
                f"`before` of {service.name} prepares release {number}, and {service.name} stands "
                "on none of the hosts named",
                hint=f"name one of its hosts, too: --limit {service.hosts[0]}",
                place=service.place,
            )


def _apart(one: AppSpec, other: AppSpec) -> Iterator[str]:
    """What differs and concerns more than one host."""
    addresses = [sorted((h.name, h.address) for h in spec.hosts) for spec in (one, other)]
    if addresses[0] != addresses[1]:
        yield "hosts differ"
    for name in ("edge", "networks", "volumes"):
        if getattr(one, name) != getattr(other, name):
            yield f"{name} differ"
    services = {service.name: service for service in one.services}
    before = {service.name: service for service in other.services}
    for name in sorted({*services, *before}):
        if name not in services or name not in before:
            yield f"only one of them has {name}"
            continue
        differing = _differing(services[name], before[name])
        if differing:
            yield f"{name}: {', '.join(differing)} differ"


def _differing(one: ServiceSpec, other: ServiceSpec) -> list[str]:
    names = [field.name for field in fields(ServiceSpec) if field.name not in _ON_ITS_HOST]
    return [name for name in names if getattr(one, name) != getattr(other, name)]
