"""A recorded release on other hosts: which host of it becomes which. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NoReturn
from urllib.parse import urlsplit

from underway.compose.hosts import fleet_of
from underway.compose.positions import Positions
from underway.compose.wishes import AppWish, HostWish
from underway.errors import UsageError
from underway.errors.suggestion import name_hint
from underway.model.names import LOCAL_HOST, HostName
from underway.model.release import Release
from underway.model.spec import AppSpec, HostSpec

_FORMER: Final = re.compile(r"([a-zA-Z0-9][a-zA-Z0-9_.-]*)=(.+)")


@dataclass(frozen=True, slots=True)
class Target:
    """A new host as it is named: `[FORMER=]URL[,ADDRESS]`; `former` is "" where one is enough."""

    former: str
    url: str
    address: str = ""


def read_target(text: str) -> Target:
    """What one `--to` says."""
    match = _FORMER.fullmatch(text)
    former, rest = (match[1], match[2]) if match else ("", text)
    url, _, address = rest.partition(",")
    return Target(former, url, address)


def on_new_hosts(release: Release, targets: Sequence[Target]) -> Release:
    """The release with every host replaced by the one that is named for it.

    A host that had a name of its own keeps it, others are called as the new URL says. Raises
    UsageError `recover-hosts` for one that is not named, or two that would be one.
    """
    spec = release.spec
    chosen = _chosen(spec, targets)
    wishes = {
        former: HostWish(
            url=target.url,
            address=target.address,
            name=former if _has_own_name(spec.host(former)) else "",
        )
        for former, target in chosen.items()
    }
    fleet = fleet_of(AppWish(hosts=list(wishes.values())), Positions(()))
    by_url = {host.url: host for host in fleet.hosts}
    new = {former: by_url[wish.url] for former, wish in wishes.items()}
    return replace(release, spec=_moved(spec, new))


def _chosen(spec: AppSpec, targets: Sequence[Target]) -> Mapping[HostName, Target]:
    names = [host.name for host in spec.hosts]
    if len(targets) == 1 and not targets[0].former and len(names) == 1:
        return {names[0]: targets[0]}
    chosen: dict[HostName, Target] = {}
    for target in targets:
        former = HostName(target.former)
        if former not in names:
            named = target.former or target.url
            listed = name_hint(target.former, names) if target.former else _pairs(names)
            _refuse(f"`--to {named}` names no host of the restore point", names, listed)
        if former in chosen:
            _refuse(f"host `{former}` is named twice", names, _pairs(names))
        if any(other.url == target.url for other in chosen.values()):
            text = f"`{target.url}` would be two hosts at once"
            _refuse(text, names, "Name a host of its own for each.")
        chosen[former] = target
    missing = [name for name in names if name not in chosen]
    if missing:
        _refuse(f"no host is named for {', '.join(missing)}", names, _pairs(missing))
    return chosen


def _refuse(message: str, names: Sequence[str], hint: str) -> NoReturn:
    raise UsageError(
        "recover-hosts",
        message,
        cause=f"the restore point is of {', '.join(f'`{name}`' for name in names)}",
        hint=hint,
    )


def _pairs(names: Sequence[str]) -> str:
    return "Name each: " + " ".join(f"--to {name}=ssh://..." for name in names)


def _has_own_name(host: HostSpec) -> bool:
    """Whether the file named it: else it is called as its URL is."""
    if "://" not in host.url:
        return host.name not in {host.url, LOCAL_HOST}
    parts = urlsplit(host.url)
    plain = (parts.hostname or "").replace(":", "-")
    by_url = {LOCAL_HOST} if parts.scheme == "unix" else {plain, f"{plain}-{parts.port}"}
    return host.name not in by_url


def _moved(spec: AppSpec, new: Mapping[HostName, HostSpec]) -> AppSpec:
    names = {former: host.name for former, host in new.items()}
    services = tuple(
        replace(service, hosts=tuple(names[name] for name in service.hosts))
        for service in spec.services
    )
    hosts = [replace(new[host.name], groups=host.groups) for host in spec.hosts]
    edges = tuple(sorted(names[name] for name in spec.edge.hosts))
    return replace(
        spec,
        services=services,
        hosts=tuple(sorted(hosts, key=lambda host: host.name)),
        edge=replace(spec.edge, hosts=edges),
    )
