"""Hosts, groups, places and edges: where things may stand, from the app's `x-underway`."""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from underway.compose.notebook import refuse
from underway.compose.positions import Positions
from underway.compose.wishes import AppWish, EdgeWish, HostWish
from underway.compose.x_underway import KEY
from underway.errors.suggestion import meant_hint
from underway.model.names import LOCAL_HOST, HostName
from underway.model.spec import EdgeSpec, HostSpec

_SCHEMES: Final = ("ssh", "tcp", "unix")
_CONTEXT: Final = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_.+-]*$")
_NAME: Final = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$")


@dataclass(frozen=True, slots=True)
class Fleet:
    """The hosts sorted by name, and the members of each group in the file's order."""

    hosts: tuple[HostSpec, ...]
    groups: Mapping[str, tuple[HostName, ...]]
    order: tuple[HostName, ...]

    @property
    def is_fleet(self) -> bool:
        """Whether there is more than one host."""
        return len(self.hosts) > 1

    @property
    def is_remote(self) -> bool:
        """Whether any host is not this machine's own engine."""
        return any(host.url and not host.url.startswith("unix://") for host in self.hosts)

    def named(self, names: Iterable[str], place: str) -> tuple[HostName, ...]:
        """The hosts behind names of hosts and groups, in order; raises ConfigurationError."""
        chosen: dict[HostName, None] = {}
        for name in names:
            if name in self.groups:
                chosen.update(dict.fromkeys(self.groups[name]))
            elif HostName(name) in self.order:
                chosen[HostName(name)] = None
            else:
                known = sorted({*self.groups, *self.order})
                listed = ", ".join(f"`{entry}`" for entry in known)
                refuse(
                    "host-unknown",
                    f"there is no host or group `{name}`",
                    cause=f"`x-underway.hosts` has {listed}",
                    place=place,
                    hint=meant_hint(name, known, f"Name one of {listed}."),
                )
        return tuple(chosen)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One host as written, with the groups it was found in and its place."""

    wish: HostWish
    group: str
    place: str


def fleet_of(wish: AppWish, positions: Positions) -> Fleet:
    """The fleet a file names; without hosts, the local engine alone."""
    entries = _entries(wish, positions)
    if not entries:
        return Fleet((HostSpec(LOCAL_HOST, ""),), {}, (LOCAL_HOST,))
    hosts: dict[HostName, HostSpec] = {}
    groups: dict[str, dict[HostName, None]] = {}
    by_url: dict[str, HostName] = {}
    for entry in entries:
        name = by_url.get(entry.wish.url) or _name_of(entry, hosts)
        by_url[entry.wish.url] = name
        seen = hosts.get(name)
        hosts[name] = _merged(name, entry, seen)
        if entry.group:
            groups.setdefault(entry.group, {})[name] = None
    for group, members_of_group in groups.items():
        if HostName(group) in hosts and list(members_of_group) != [HostName(group)]:
            _group_is_host(group, positions)
    _require_addresses(hosts, entries, by_url)
    members = {group: tuple(names) for group, names in groups.items()}
    return Fleet(tuple(hosts[name] for name in sorted(hosts)), members, tuple(hosts))


def edge_of(
    wish: AppWish, fleet: Fleet, proxied: Sequence[tuple[HostName, ...]], positions: Positions
) -> EdgeSpec:
    """The edge named, or on a single host that host; `proxied` are the hosts of each service."""
    place = positions.place(KEY, "edge")
    edge = wish.edge if isinstance(wish.edge, EdgeWish) else EdgeWish(hosts=wish.edge or [])
    names = [edge.hosts] if isinstance(edge.hosts, str) else edge.hosts
    if names:
        return EdgeSpec(tuple(sorted(fleet.named(names, place))), edge.http_port)
    if not proxied:
        return EdgeSpec(http_port=edge.http_port)
    if fleet.is_fleet:
        refuse(
            "edge-missing",
            "a service has a proxy, and no host is named as the edge",
            cause="of several hosts, only you know which one users reach",
            place=positions.place(KEY),
            hint="Add `edge: HOST_OR_GROUP` to x-underway: the hosts that take users' traffic.",
        )
    return EdgeSpec((fleet.hosts[0].name,), edge.http_port)


def _entries(wish: AppWish, positions: Positions) -> list[_Entry]:
    if isinstance(wish.hosts, dict):
        return [
            _entry(host, group, positions.place(KEY, "hosts", group, number))
            for group, hosts in wish.hosts.items()
            for number, host in enumerate(hosts)
        ]
    hosts = [wish.hosts] if isinstance(wish.hosts, str) else wish.hosts
    return [
        _entry(host, "", positions.place(KEY, "hosts", number)) for number, host in enumerate(hosts)
    ]


def _entry(host: str | HostWish, group: str, place: str) -> _Entry:
    wish = HostWish(url=host) if isinstance(host, str) else host
    scheme = urlsplit(wish.url).scheme if "://" in wish.url else ""
    is_good = (scheme in _SCHEMES) if "://" in wish.url else _CONTEXT.match(wish.url)
    if not is_good or (scheme in {"ssh", "tcp"} and not urlsplit(wish.url).hostname):
        is_login = "://" not in wish.url and "@" in wish.url
        refuse(
            "host-url-invalid",
            f"`{wish.url}` is not the URL of a Docker host",
            cause="a login without `ssh://` is neither a URL nor a Docker context"
            if is_login
            else f"`{scheme}://` is no way to an engine"
            if scheme and scheme not in _SCHEMES
            else "it names no host",
            place=place,
            hint=f"Write `ssh://{wish.url}`."
            if is_login
            else "Write ssh://user@host, tcp://host:2376, unix:///path or a Docker context's name.",
        )
    if wish.certificates and "://" in wish.url and scheme != "tcp":
        refuse(
            "host-url-invalid",
            f"`{wish.url}` is not reached with `certificates`",
            place=place,
            hint="Remove them, or write tcp://host:2376.",
        )
    _check_login(wish.url, place)
    return _Entry(wish, group, place)


def _check_login(url: str, place: str) -> None:
    """Refuse a password, which would stand in records and lists, and a port that is none."""
    parts = urlsplit(url)
    if parts.password is not None:
        refuse(
            "host-url-invalid",
            f"the URL of host `{parts.hostname}` holds a password",
            cause="hosts are listed, recorded and shown: a password has no place there",
            place=place,
            hint=f"Write `{parts.scheme}://{parts.username}@{parts.hostname}`, and log in by key.",
        )
    try:
        _ = parts.port
    except ValueError:
        refuse(
            "host-url-invalid",
            f"the URL of host `{parts.hostname}` has a port that is no number",
            cause=f"`{url.rpartition(':')[2]}` stands where the port does",
            place=place,
            hint="Write `ssh://user@host:2222`, or leave the port out.",
        )


def _name_of(entry: _Entry, hosts: Mapping[HostName, HostSpec]) -> HostName:
    """The name given, or the URL's host, with its port where the host alone is taken."""
    wish = entry.wish
    if wish.name:
        if not _NAME.match(wish.name):
            refuse(
                "host-name-invalid",
                f"`{wish.name}` cannot be a host's name",
                cause="it stands in plans, records and on command lines",
                place=entry.place,
                hint="Use letters, digits, `.`, `_` and `-`.",
            )
        if HostName(wish.name) in hosts:
            _taken(wish.name, entry.place)
        return HostName(wish.name)
    if "://" not in wish.url:
        return HostName(wish.url)
    parts = urlsplit(wish.url)
    if parts.scheme == "unix":
        return LOCAL_HOST
    plain = (parts.hostname or "").replace(":", "-")
    name = HostName(plain)
    if name in hosts and parts.port:
        name = HostName(f"{plain}-{parts.port}")
    if name in hosts:
        _taken(name, entry.place)
    return name


def _taken(name: str, place: str) -> None:
    refuse(
        "host-twice",
        f"two hosts would be called `{name}`",
        cause="plans and records know hosts by their names",
        place=place,
        hint="Give each a `name:` of its own.",
    )


def _group_is_host(group: str, positions: Positions) -> None:
    refuse(
        "host-twice",
        f"`{group}` names a group and a host",
        cause="`place` and `edge` could mean either",
        place=positions.place(KEY, "hosts", group),
        hint="Give the group another name.",
    )


def _merged(name: HostName, entry: _Entry, seen: HostSpec | None) -> HostSpec:
    """The host, with the groups it stands in so far."""
    address = _address_of(entry)
    if seen is not None and entry.wish.address and seen.address not in {"", address}:
        refuse(
            "host-twice",
            f"host `{name}` has two addresses, {seen.address} and {address}",
            place=entry.place,
            hint="Give it the same address everywhere, or name it once.",
        )
    groups = {*(seen.groups if seen else ()), *([entry.group] if entry.group else [])}
    kept = (seen.address if seen else "") or address
    certificates = entry.wish.certificates or (seen.certificates if seen else "")
    return HostSpec(name, entry.wish.url, kept, tuple(sorted(groups)), certificates)


def _address_of(entry: _Entry) -> str:
    """The private address: as given, or the URL's host if that is one."""
    given = entry.wish.address
    if not given:
        host = (urlsplit(entry.wish.url).hostname or "") if "://" in entry.wish.url else ""
        return host if _is_private(host) else ""
    try:
        parsed = ipaddress.ip_address(given)
    except ValueError:
        refuse(
            "address-invalid",
            f"`{given}` is not an IP address",
            cause="replicas are published on it, and names may lead elsewhere",
            place=entry.place,
            hint="Write the host's private IPv4 or IPv6 address.",
        )
    if parsed.is_global:
        refuse(
            "address-public",
            f"{given} is publicly routable",
            cause="replicas are published on this address, unencrypted and past the firewall",
            place=entry.place,
            hint="Use the host's address in a private network (a VPC, WireGuard, Tailscale).",
        )
    return str(parsed)


def _is_private(host: str) -> bool:
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return False
    return not (parsed.is_global or parsed.is_loopback or parsed.is_unspecified)


def _require_addresses(
    hosts: Mapping[HostName, HostSpec], entries: Sequence[_Entry], by_url: Mapping[str, HostName]
) -> None:
    if len(hosts) == 1:
        return
    seen: dict[str, HostName] = {}
    for entry in entries:
        host = hosts[by_url[entry.wish.url]]
        if not host.address:
            refuse(
                "address-missing",
                f"host `{host.name}` has no private address",
                cause="with more than one host, replicas are reached over the private network",
                place=entry.place,
                hint=f"Write {{url: {host.url}, address: 10.0.0.1}} with its own address.",
            )
        if seen.setdefault(host.address, host.name) != host.name:
            refuse(
                "address-twice",
                f"hosts `{seen[host.address]}` and `{host.name}` share address {host.address}",
                cause="an edge could not tell their replicas apart",
                place=entry.place,
                hint="Give each host its own private address.",
            )
