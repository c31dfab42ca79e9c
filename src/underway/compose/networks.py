"""The app's networks, and a service's places in them."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from underway.compose.canonical import Tree, list_of, mapping_of, text_of
from underway.compose.notebook import Notebook, refuse
from underway.model.names import AppName, NetworkName
from underway.model.spec import Attachment, NetworkSpec


def networks_of(app: AppName, notebook: Notebook) -> tuple[NetworkSpec, ...]:
    """All networks, sorted by name; raises ConfigurationError."""
    networks = []
    for name, definition in sorted(mapping_of(notebook.canonical.get("networks")).items()):
        network = mapping_of(definition)
        is_external = bool(network.get("external"))
        driver = str(network.get("driver") or "bridge")
        if driver != "bridge" and not is_external:
            refuse(
                "network-driver",
                f"network `{name}` has driver `{driver}`",
                cause="replicas get addresses of a bridge on their own host",
                place=notebook.place("networks", name, "driver"),
                hint="Use `bridge`, or create it on the hosts and name it `external: true`.",
            )
        for key, is_usual in (("enable_ipv6", False), ("enable_ipv4", True)):
            if network.get(key, is_usual) is not is_usual and not is_external:
                refuse(
                    "key-refused",
                    f"network `{name}` has other addresses than those of IPv4",
                    place=notebook.place("networks", name, key),
                    hint="Create it on the hosts and name it `external: true`.",
                )
        networks.append(
            NetworkSpec(
                name=NetworkName(name),
                physical=str(network.get("name") or f"{app}_{name}"),
                driver=driver,
                driver_opts=_pairs(network.get("driver_opts")),
                labels=_pairs(network.get("labels")),
                subnet="" if is_external else _subnet(name, network, notebook),
                gateway="" if is_external else _gateway(name, network, notebook),
                is_internal=bool(network.get("internal")),
                is_external=is_external,
            )
        )
    return tuple(networks)


def attachments_of(service: Tree) -> tuple[Attachment, ...]:
    """The service's networks; without any, `default`; with `network_mode`, none.

    They are sorted by `priority`, highest first, then by name: the first is the main one.

    A `container_name` becomes an alias: the container's own name carries its generation.
    """
    if service.get("network_mode"):
        return ()
    attached = service.get("networks")
    places = mapping_of(attached) if isinstance(attached, dict) else {}
    if isinstance(attached, list):
        places = {str(network): None for network in attached}
    attachments = []
    for network, settings in sorted(places.items() or [("default", None)], key=_turn):
        aliases = {str(alias) for alias in list_of(mapping_of(settings).get("aliases"))}
        if service.get("container_name"):
            aliases.add(str(service["container_name"]))
        attachments.append(Attachment(NetworkName(network), tuple(sorted(aliases))))
    return tuple(attachments)


def _subnet(name: str, network: Mapping[str, Any], notebook: Notebook) -> str:
    """The one IPv4 subnet that `ipam` names, or ""."""
    ipam = mapping_of(network.get("ipam"))
    place = notebook.place("networks", name, "ipam")
    if ipam.get("driver") not in {None, "", "default"}:
        refuse(
            "key-refused",
            f"network `{name}` has an address driver of its own",
            place=place,
            hint="Create it on the hosts and name it `external: true`.",
        )
    subnets = [
        str(mapping_of(entry)["subnet"])
        for entry in list_of(ipam.get("config"))
        if mapping_of(entry).get("subnet")
    ]
    if not subnets:
        return ""
    if len(subnets) > 1 or ":" in subnets[0]:
        refuse(
            "key-refused",
            f"network `{name}` names more than one IPv4 subnet",
            place=place,
            hint="Keep one IPv4 subnet, or none: Underway chooses a free one.",
        )
    try:
        return str(ipaddress.ip_network(subnets[0]))
    except ValueError as error:
        refuse(
            "subnet-invalid",
            f"`{subnets[0]}` is not a subnet",
            cause=str(error),
            place=place,
            hint="Write it as 10.210.4.0/24.",
        )


def _gateway(name: str, network: Mapping[str, Any], notebook: Notebook) -> str:
    """The gateway that `ipam` names beside its subnet, or ""."""
    configs = [
        mapping_of(entry) for entry in list_of(mapping_of(network.get("ipam")).get("config"))
    ]
    named = [(str(c["gateway"]), str(c.get("subnet") or "")) for c in configs if c.get("gateway")]
    if not named:
        return ""
    gateway, subnet = named[0]
    try:
        address = ipaddress.ip_address(gateway)
        is_inside = bool(subnet) and address in ipaddress.ip_network(subnet)
    except ValueError:
        is_inside = False
    if not is_inside:
        refuse(
            "subnet-invalid",
            f"`{gateway}` is not an address of network `{name}`",
            place=notebook.place("networks", name, "ipam", "config"),
            hint="Write an address of the `subnet` beside it, or none.",
        )
    return gateway


def _turn(place: tuple[str, object]) -> tuple[int, str]:
    """Where a service's place in a network comes among the others."""
    network, settings = place
    return -int(mapping_of(settings).get("priority") or 0), network


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, text_of(entry)) for key, entry in mapping_of(value).items()))
