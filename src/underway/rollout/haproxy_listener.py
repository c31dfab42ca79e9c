"""Internal listeners as HAProxy's text: where services reach one that has several replicas.

Pure text, no I/O. A listener is a frontend on the edge's own private address. It looks its address
up in the map in which users' requests look up host and path, so that one `set map` moves both. A
route key with a colon ahead of its first slash is a listener's: a host name never has one.
"""

import ipaddress
import re
from typing import Final

from underway.errors import ConfigurationError
from underway.model.names import AppName, ServiceName
from underway.model.traffic import Upstream

ROUTES_MAP: Final = "${UNDERWAY_EDGE_LIVE}/routes.map"

_PREFIX: Final = "uw"
_TCP: Final = "tcp"
_HTTP: Final = "http"
_LISTEN = re.compile(r"([0-9A-Fa-f.:]+):([0-9]{1,5})")
_LAST_PORT: Final = 65535


def listener_key(listen: str) -> str:
    """The route key of a listener ("10.0.0.1:9000/")."""
    return f"{listen}/"


def listens_of(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The listeners among route keys, sorted."""
    found = (key.partition("/")[0] for key in keys)
    return tuple(sorted({name for name in found if ":" in name}))


def routes_of_users(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys among route keys that begin with a host name, sorted."""
    return tuple(sorted(key for key in keys if ":" not in key.partition("/")[0]))


def frontend_prefix(app: AppName, service: ServiceName) -> str:
    """What the names of a service's frontends begin with; its backends' begin with it too."""
    return f"{_PREFIX}:{app}:{service}:"


def is_tcp_frontend(name: str) -> bool:
    """Whether a frontend of this name passes bytes on as they are."""
    return name.startswith(f"{_PREFIX}:") and name.endswith(f":{_TCP}")


def listener_lines(upstream: Upstream) -> list[str]:
    """The frontends of a service; [] where nobody reaches it so.

    The address may come up after the proxy (a VPN at boot), so it is bound before it is there:
    without CAP_NET_ADMIN `transparent` means just that (IP_FREEBIND).
    """
    lines: list[str] = []
    for listen in sorted(upstream.listens):
        mode = _TCP if upstream.is_tcp else _HTTP
        name = f"{frontend_prefix(upstream.app, upstream.service)}{listen}:{mode}"
        lines += ["", f"frontend {name} from underway"]
        if upstream.is_tcp:
            lines += ["    mode tcp", "    option tcplog", "    no option idle-close-on-response"]
        lines.append(f"    bind {listen} transparent")
        if not upstream.is_tcp:
            lines.append(
                "    http-request disable-l7-retry unless { method GET HEAD OPTIONS TRACE }"
            )
        key = listener_key(listen)
        lines.append(f'    use_backend %[str({key}),map_str("{ROUTES_MAP}")]')
    return lines


def verify_listens(upstream: Upstream) -> None:
    """ConfigurationError `edge-value-invalid` for what is no address of one host with a port."""
    for listen in upstream.listens:
        if not _is_listen(listen):
            raise ConfigurationError(
                "edge-value-invalid",
                f"the proxy cannot listen at {listen!r} for service {upstream.service}",
                cause="a listener stands on the private address of its own host, never on all",
                hint="correct the host's `address` under x-underway.hosts",
            )


def _is_listen(listen: str) -> bool:
    found = _LISTEN.fullmatch(listen)
    if found is None or not 0 < int(found[2]) <= _LAST_PORT:
        return False
    try:
        address = ipaddress.ip_address(found[1])
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_multicast)
