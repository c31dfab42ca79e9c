"""The edge's HAProxy configuration as text: the base all apps share, and each service's fragment.

Pure text, no I/O. A fragment is its *structure* plus the lines of its servers. The structure can
only change by a reload; servers, their weights and routes change in the running proxy. A server in
drain has weight 0 in the file and at run time alike, so that a cold start or a reload puts every
server exactly where it was: checked, and without new requests.
"""

import hashlib
import re
from typing import Final, NamedTuple

from underway.errors import ConfigurationError
from underway.model.names import AppName, ServiceName
from underway.model.spec import ProbeSpec, ProxySpec
from underway.model.traffic import Server, ServerMode, Side, Upstream
from underway.rollout.haproxy_listener import (
    ROUTES_MAP,
    listener_key,
    listener_lines,
    verify_listens,
)

READY_WEIGHT: Final = 100
EDGE_HEALTH_PATH: Final = "/.underway/edge"
KEEP_ALIVE_S: Final = 10.0
"""How long an old worker may wait for the next request of an idle client before it closes."""

USERS_FRONTEND: Final = "underway"

_SERVER_INDENT: Final = "    server "
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOST = re.compile(r"\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_ROUTE_PATH = re.compile(r"(/[A-Za-z0-9._~@%+=:,!-]+)*/?")
_PROBE_PATH = re.compile(r"/[A-Za-z0-9._~@%+=:,!/?&*()$-]*")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]+")

_BASE = """\
# The base of the edge: what all apps share. Each app's services stand in files beside this one.
global
    log stdout format raw local0 notice
    stats socket "${{UNDERWAY_EDGE_RUN}}/admin.sock" mode 600 level admin expose-fd listeners
    user haproxy
    group haproxy
    fd-hard-limit 100000

defaults underway
    mode http
    log global
    option httplog
    option log-separate-errors
    option idle-close-on-response
    # A connection of its own for each request: one that is kept leads into the void when its host
    # is lost, and nobody learns of it (docs/adr/0005).
    option http-server-close
    option srvtcpka
    srvtcpka-idle 2s
    srvtcpka-intvl 1s
    srvtcpka-cnt 4
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
    timeout connect 2s
    timeout client 60s
    timeout client-fin 30s
    timeout http-request 15s
    timeout http-keep-alive {keep_alive}
    timeout queue 30s
    timeout server 60s
    timeout tunnel 1h
    http-error status 502 content-type text/plain string "The application did not answer.\\n"
    http-error status 503 content-type text/plain string "The application is not available.\\n"
    http-error status 504 content-type text/plain string "The application took too long.\\n"

frontend underway from underway
    bind :{http_port}
.if defined(UNDERWAY_EDGE_IPV6)
    bind :::{http_port} v6only
.endif
    http-request return status 200 content-type text/plain string "ok\\n" \
if {{ path {health_path} }}
    http-request set-var(txn.uw_host) req.hdr(host),field(1,:),lower
    http-request set-var(txn.uw_path) path
    http-request set-var(txn.uw_backend) \
var(txn.uw_host),concat(,txn.uw_path,/),map_beg("{map}")
    http-request set-var(txn.uw_parent) var(txn.uw_host),field(2,.,0)
    http-request set-var(txn.uw_backend) \
str(*.),concat(,txn.uw_parent),concat(,txn.uw_path,/),map_beg("{map}") \
unless {{ var(txn.uw_backend) -m found }}
    http-request set-var(txn.uw_backend) str(*),concat(,txn.uw_path,/),map_beg("{map}") \
unless {{ var(txn.uw_backend) -m found }}
    http-request return status 404 content-type text/plain \
string "No application answers here under this name.\\n" \
unless {{ var(txn.uw_backend) -m found }}
    # A request that may have changed something is never sent twice.
    http-request disable-l7-retry unless {{ method GET HEAD OPTIONS TRACE }}
    http-request del-header ^(x[-_]forwarded|forwarded$|x[-_]real[-_]ip$) -m reg
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    use_backend %[var(txn.uw_backend)]
"""


class BackendName(NamedTuple):
    """A backend's name taken apart."""

    app: AppName
    service: ServiceName
    side: Side


def backend_name(app: AppName, service: ServiceName, side: Side) -> str:
    """The backend of one side of a service; no two services share one."""
    return f"uw:{app}:{service}:{side}"


def parsed_backend(name: str) -> BackendName | None:
    """A backend's name taken apart, or None for one that is not Underway's."""
    match name.split(":"):
        case ["uw", app, service, ("a" | "b") as side]:
            return BackendName(AppName(app), ServiceName(service), Side(side))
        case _:
            return None


def base_text(http_port: int) -> str:
    """The base configuration of an edge that listens on `http_port`."""
    return _BASE.format(
        http_port=http_port,
        health_path=EDGE_HEALTH_PATH,
        keep_alive=_ms(KEEP_ALIVE_S),
        map=ROUTES_MAP,
    )


def fragment_text(upstream: Upstream) -> str:
    """A service's listeners, and its two backends with their servers.

    Raises ConfigurationError `edge-value-invalid`.
    """
    _verify(upstream)
    parts = [f"# {upstream.app}/{upstream.service}: server options {_server_options(upstream)}"]
    parts += listener_lines(upstream)
    for side in Side:
        parts += ["", *_backend_lines(upstream, side)]
        parts += [
            _SERVER_INDENT + server_arguments(upstream, server)
            for server in sorted(upstream.servers)
            if server.side is side
        ]
    return "\n".join(parts) + "\n"


def server_arguments(upstream: Upstream, server: Server) -> str:
    """One server as the file and `add server` name it: name, address, weight, options."""
    weight = READY_WEIGHT if server.mode is ServerMode.READY else 0
    where = f"{server.address}:{server.port}"
    return f"{server.name} {where} weight {weight} {_server_options(upstream)}"


def user_routes(proxy: ProxySpec) -> tuple[str, ...]:
    """The map keys that a proxy names, sorted: host, path and a slash, as `/api` is not `/apix`."""
    path = proxy.path.rstrip("/") + "/"
    return tuple(sorted({host.lower() + path for host in proxy.hosts}))


def routes_of(upstream: Upstream) -> tuple[str, ...]:
    """The users' routes that lead to a service now."""
    return user_routes(upstream.proxy) if upstream.routes is None else upstream.routes


def route_keys(upstream: Upstream) -> tuple[str, ...]:
    """The map keys of a service now, sorted: users' routes, and a key of each listener."""
    return tuple(sorted([*routes_of(upstream), *map(listener_key, upstream.listens)]))


def routes_text(upstream: Upstream) -> str:
    """A service's routes: one line per key, naming the live side's backend."""
    _verify(upstream)
    backend = backend_name(upstream.app, upstream.service, upstream.live)
    return "".join(f"{key} {backend}\n" for key in route_keys(upstream))


def claims_text(upstream: Upstream) -> str:
    """All keys that a service has or will have, one per line: none may belong to another app."""
    keys = {*route_keys(upstream), *user_routes(upstream.proxy)}
    return "".join(f"{key}\n" for key in sorted(keys))


def fragment_digest(upstream: Upstream) -> str:
    """The digest of a service's options: equal to `ObservedUpstream.fragment` when they serve."""
    return digest_of(fragment_text(upstream), route_keys(upstream))


def digest_of(fragment: str, keys: tuple[str, ...]) -> str:
    """The digest of a fragment's structure and its route keys, in hex."""
    structure = [line for line in fragment.splitlines() if not line.startswith(_SERVER_INDENT)]
    return hashlib.sha256("\n".join([*structure, *sorted(keys)]).encode()).hexdigest()


def _backend_lines(upstream: Upstream, side: Side) -> list[str]:
    proxy, probe = upstream.proxy, upstream.proxy.probe
    lines = [
        f"backend {backend_name(upstream.app, upstream.service, side)} from underway",
        *(["    mode tcp"] if upstream.is_tcp else []),
        "    balance roundrobin",
        f"    timeout server {_ms(proxy.response_timeout_s)}",
        f"    timeout tunnel {_ms(proxy.tunnel_timeout_s)}",
        f"    timeout check {_ms(probe.timeout_s)}",
    ]
    if probe.path:
        request = f"meth GET uri '{probe.path}' ver HTTP/1.1 hdr Host {_probe_host(proxy.hosts)}"
        lines += [
            "    option httpchk",
            # Closed in order: a reset would stand in the application's log as a broken pipe.
            "    http-check connect linger",
            f"    http-check send {request} hdr User-Agent underway-edge hdr Connection close",
            "    http-check expect status 200-399",
        ]
    return lines


def _probe_host(hosts: tuple[str, ...]) -> str:
    """The first host name that is one: frameworks refuse names they were not told."""
    return next((host for host in hosts if "*" not in host), "localhost")


def _server_options(upstream: Upstream) -> str:
    """The options of each server; a dynamic server takes none from its backend."""
    probe = upstream.proxy.probe
    hasty = _ms(_hasty_s(probe))
    return (
        f"check inter {_ms(probe.interval_s)} fastinter {hasty} downinter {hasty}"
        f" fall {probe.fall} rise {probe.rise}"
    )


def _hasty_s(probe: ProbeSpec) -> float:
    """The probe's interval while a server starts or has just failed: a deploy waits for it."""
    return min(probe.interval_s, max(0.25, probe.interval_s / 4))


def _ms(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"


def _verify(upstream: Upstream) -> None:
    """Refuse whatever could end a word or a line of the configuration."""
    proxy = upstream.proxy
    checks = [
        (_NAME, "app", upstream.app),
        (_NAME, "service", upstream.service),
        (_ROUTE_PATH, "path", proxy.path),
        *((_HOST, "host", host.lower()) for host in proxy.hosts),
        *((_NAME, "server", server.name) for server in upstream.servers),
        *((_ADDRESS, "address", server.address) for server in upstream.servers),
    ]
    if proxy.probe.path:
        checks.append((_PROBE_PATH, "health", proxy.probe.path))
    for pattern, what, value in checks:
        if not pattern.fullmatch(value):
            raise ConfigurationError(
                "edge-value-invalid",
                f"the proxy cannot take {what} {value!r} of service {upstream.service}",
                hint=f"change {what} under x-underway.proxy of this service",
            )
    verify_listens(upstream)
