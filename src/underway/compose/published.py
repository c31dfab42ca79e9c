"""Published ports: closed by default, ignored on a proxied service.

Never on all addresses of a host by accident: such ports walk around its firewall.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from underway.compose.canonical import Tree, list_of, mapping_of
from underway.compose.notebook import Notebook, refuse
from underway.compose.wishes import PortWish
from underway.compose.x_underway import KEY, read_wish
from underway.model.spec import PortSpec, ServiceSpec, Strategy


def ports_of(
    service: Tree, name: str, notebook: Notebook, *, is_proxied: bool
) -> tuple[PortSpec, ...]:
    """The ports to publish, sorted; raises ConfigurationError."""
    entries = [mapping_of(entry) for entry in list_of(service.get("ports"))]
    if entries and is_proxied:
        notebook.remark(
            "ports-for-the-laptop",
            f"`ports` of service `{name}` are ignored: its traffic comes through the edge",
            notebook.place("services", name, "ports"),
        )
        return ()
    ports = {_port(entry, name, notebook, number) for number, entry in enumerate(entries)}
    return tuple(sorted(ports))


def check_ranges(spec: ServiceSpec, notebook: Notebook) -> None:
    """Refuse a range of host ports without room for all replicas that stand on a host at once."""
    settled = 1 if spec.is_global else -(-spec.replicas // len(spec.hosts))
    beside = 0 if spec.strategy is Strategy.RECREATE else spec.update.parallelism or settled
    for port in spec.ports:
        if port.last_host_port and len(port.host_ports) < settled + beside:
            refuse(
                "port-range",
                f"service `{spec.name}` publishes {port.host_port} to {port.last_host_port}, which "
                f"is too few: up to {settled + beside} replicas stand on a host during a deploy",
                place=notebook.positions.item(
                    "services", spec.name, "ports", holds=str(port.container_port)
                ),
                hint="Widen the range, use `strategy: recreate`, or give the service a `proxy`.",
            )


def container_ports(service: Tree) -> tuple[int, ...]:
    """The TCP ports a service says it listens on, by `expose` and `ports`, sorted."""
    ports = set()
    for entry in list_of(service.get("expose")):
        number, _, protocol = str(entry).partition("/")
        if protocol in {"", "tcp"} and number.isdigit():
            ports.add(int(number))
    for entry in list_of(service.get("ports")):
        port = mapping_of(entry)
        if port.get("protocol", "tcp") == "tcp":
            ports.add(int(port["target"]))
    return tuple(sorted(ports))


def exposed_ports(service: Tree) -> tuple[int, ...]:
    """The TCP ports of `expose`, sorted."""
    return container_ports({"expose": service.get("expose")})


def _port(entry: Mapping[str, Any], name: str, notebook: Notebook, number: int) -> PortSpec:
    target = int(entry["target"])
    place = notebook.positions.item("services", name, "ports", holds=str(target))
    wish = read_wish(
        entry.get(KEY), PortWish, notebook.positions, ("services", name, "ports", number, KEY)
    )
    published = str(entry.get("published") or "")
    first, _, last = published.partition("-")
    address = _address(str(entry.get("host_ip") or ""), place, is_public=wish.public)
    if not address and not wish.public:
        where = "the host's private address" if notebook.is_fleet else "loopback"
        notebook.remark(
            "port-closed",
            f"port {published or target} of service `{name}` is published on {where} only",
            place,
        )
    return PortSpec(
        container_port=target,
        host_port=int(first or 0),
        protocol=str(entry.get("protocol") or "tcp"),
        host_address=address,
        is_public=wish.public,
        last_host_port=int(last) if last and last != first else 0,
    )


def _address(address: str, place: str, *, is_public: bool) -> str:
    """The address, checked: one that everybody reaches needs `public: true`."""
    if not address:
        return ""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        refuse(
            "address-invalid",
            f"`{address}` is not an IP address",
            cause="ports are published on an address of the host",
            place=place,
            hint="Write an address of the host, or none.",
        )
    if (parsed.is_unspecified or parsed.is_global) and not is_public:
        refuse(
            "port-public",
            f"a port is published on {address}, past the host's firewall",
            cause="Docker's published ports go around the host's firewall",
            place=place,
            hint="Use a `proxy`, or the long form with `x-underway: {public: true}`.",
        )
    return "" if parsed.is_unspecified else str(parsed)
