"""What `edge-sessions` printed: requests and tunnels of each server over all workers. Pure.

A tunnel has no analysers left on either channel. A session of a TCP listener never had any, and
counts as a request until it ends. A worker left by a reload answers one more request
on each idle connection of a client, and may send it to any server it knew as ready: such a
connection counts as a request of all of them until it is gone (at most `KEEP_ALIVE_S`).
"""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from underway.adapters.haproxy.sections import sections_of
from underway.adapters.haproxy.server_rows import server_rows
from underway.model.names import AppName, ServiceName
from underway.model.traffic import Sessions
from underway.rollout.haproxy_config import USERS_FRONTEND, parsed_backend
from underway.rollout.haproxy_listener import frontend_prefix, is_tcp_frontend

_PLACE = re.compile(r" fe=(\S+) be=(\S+) srv=(\S+)")
_ANALYSERS = re.compile(r"\ban=([0-9a-f]+)h")
_NONE = 0


@dataclass(slots=True)
class _Count:
    """What is counted so far, by server name."""

    requests: Counter[str] = field(default_factory=Counter)
    tunnels: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Left:
    """A worker left by a reload: its client connections and the servers it may still choose."""

    connections: int = 0
    servers: tuple[str, ...] = ()


def sessions_of(text: str, app: AppName, service: ServiceName) -> Mapping[str, Sessions]:
    """Count sessions of one service's servers, by server name."""
    count, left = _Count(), _Left()
    for section in sections_of(text):
        match section.heading:
            case ("worker", _, _):
                left = _Left()
            case ("connections",):
                left.connections = _client_connections(section.lines, app, service)
            case ("servers",):
                left.servers = tuple(
                    row.name
                    for row in server_rows(section.lines)
                    if (row.backend.app, row.backend.service) == (app, service)
                    and row.takes_requests
                )
            case ("sessions",):
                for line in section.lines:
                    _count_session(count, line, (app, service))
                idle = max(0, left.connections - len(section.lines))
                count.requests.update(dict.fromkeys(left.servers, idle))
            case _:
                continue
    names = sorted(name for name in count.requests | count.tunnels)
    return {name: Sessions(count.requests[name], count.tunnels[name]) for name in names}


def _client_connections(lines: Sequence[str], app: AppName, service: ServiceName) -> int:
    """Connections of users, and of those who call this service by its listeners."""
    rows = csv.DictReader(line.removeprefix("# ") for line in lines if line)
    own = frontend_prefix(app, service)
    return sum(
        int(row["scur"] or 0)
        for row in rows
        if row["svname"] == "FRONTEND"
        and (row["pxname"] == USERS_FRONTEND or row["pxname"].startswith(own))
    )


def _count_session(count: _Count, line: str, of: tuple[AppName, ServiceName]) -> None:
    place = _PLACE.search(line)
    backend = parsed_backend(place[2]) if place else None
    if place is None or backend is None or (backend.app, backend.service) != of:
        return
    analysers = [int(digits, 16) for digits in _ANALYSERS.findall(line)]
    is_silent = bool(analysers) and all(bits == _NONE for bits in analysers)
    is_tunnel = is_silent and not is_tcp_frontend(place[1])
    (count.tunnels if is_tunnel else count.requests)[place[3]] += 1
