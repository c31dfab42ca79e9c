"""A laboratory's network: a bridge, one veth per host, address translation towards the outside."""

import json
import re
from pathlib import Path

from lab.command import attempt, run
from lab.engine_roots import toolbox
from lab.errors import LabError
from lab.layout import RUN_ROOT, HostLayout, LabLayout

_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
_FORWARD_BEFORE = RUN_ROOT / "ip_forward.before"
_HIGHEST_NETWORK = 250
_LEGACY_TABLES = Path("/proc/net/ip_tables_names")


def free_network(taken: set[int]) -> int:
    """Return the lowest K for which 10.231.K.0/24 and its bridge are unused on this machine."""
    routes = json.loads(run(["ip", "-json", "route", "show", "table", "all"]) or "[]")
    links = json.loads(run(["ip", "-json", "link", "show"]) or "[]")
    used = set(taken)
    for route in routes:
        if match := re.match(r"10\.231\.(\d+)\.", str(route.get("dst", ""))):
            used.add(int(match[1]))
    for link in links:
        if match := re.match(r"uwlab-(\d+)", link["ifname"]):
            used.add(int(match[1]))
    for candidate in range(1, _HIGHEST_NETWORK):
        if candidate not in used:
            return candidate
    raise LabError("no free network under 10.231.0.0/16", "run `python -m lab down --all`")


def uplink_mtu() -> int:
    """Return the MTU of the default route's device, so that containers reach what it reaches."""
    routes = json.loads(run(["ip", "-json", "route", "show", "default"]) or "[]")
    if not routes:
        return 1500
    return int(Path(f"/sys/class/net/{routes[0]['dev']}/mtu").read_text())


def raise_bridge(lab: LabLayout) -> None:
    """Create the bridge with its address, forwarding and translation; again changes nothing."""
    if not Path(f"/sys/class/net/{lab.bridge}").exists():
        run(["ip", "link", "add", lab.bridge, "mtu", str(uplink_mtu()), "type", "bridge"])
    run(["ip", "address", "replace", f"{lab.gateway}/24", "dev", lab.bridge])
    run(["ip", "link", "set", lab.bridge, "up"])
    if not _FORWARD_BEFORE.exists():
        _FORWARD_BEFORE.write_text(_FORWARD.read_text())
    _FORWARD.write_text("1")
    nft(
        f"add table ip {lab.table}\ndelete table ip {lab.table}\n"
        f"table ip {lab.table} {{\n chain out {{\n  type nat hook postrouting priority 100\n"
        f"  ip saddr {lab.subnet} ip daddr != {lab.subnet} masquerade\n }}\n}}\n"
    )
    open_firewalls(lab)


def open_firewalls(lab: LabLayout) -> None:
    """Let the bridge's traffic pass where the machine's own firewall drops what it forwards.

    Docker on the machine itself sets such a policy, and bridged frames meet it too.
    """
    for firewall in _dropping_firewalls():
        for rule in _accept_rules(lab):
            if attempt([*firewall, "-C", "FORWARD", *rule]).returncode != 0:
                run([*firewall, "-I", "FORWARD", *rule])


def close_firewalls(lab: LabLayout) -> None:
    """Remove the rules of open_firewalls."""
    for firewall in _dropping_firewalls():
        for rule in _accept_rules(lab):
            while attempt([*firewall, "-D", "FORWARD", *rule]).returncode == 0:
                pass


def remove_bridge(lab: LabLayout) -> None:
    """Remove what raise_bridge made, whatever is left of it."""
    close_firewalls(lab)
    attempt(["ip", "link", "delete", lab.bridge])
    for family in ("ip", "netdev"):
        nft(f"add table {family} {lab.table}\ndelete table {family} {lab.table}\n")


def restore_forwarding() -> None:
    """Give the machine its own forwarding setting back, after the last laboratory."""
    if _FORWARD_BEFORE.exists():
        _FORWARD.write_text(_FORWARD_BEFORE.read_text())
        _FORWARD_BEFORE.unlink()


def plug_in(host: HostLayout, bridge: str, init: int) -> None:
    """Connect a host's network namespace to the bridge; again changes nothing."""
    mtu = str(uplink_mtu())
    if not Path(f"/sys/class/net/{host.link}").exists():
        outer = ["ip", "link", "add", host.link, "mtu", mtu, "type", "veth"]
        run([*outer, "peer", "name", "eth0", "address", host.mac, "mtu", mtu, "netns", str(init)])
    run(["ip", "link", "set", host.link, "master", bridge, "up"])
    inner = (
        "link set lo up\n"
        f"address replace {host.address}/24 dev eth0\n"
        "link set eth0 up\n"
        f"route replace default via {host.gateway}\n"
    )
    run(["nsenter", f"--net=/proc/{init}/ns/net", "ip", "-batch", "-"], stdin=inner)


def unplug(host: HostLayout) -> None:
    """Remove a host's cable, with what a delay put on it; the inner end goes with it."""
    attempt(["ip", "link", "delete", host.link])
    table = host.wire_table
    nft(f"add table netdev {table}\ndelete table netdev {table}\n")


def nft(script: str, *, init: int | None = None) -> None:
    """Apply an nftables script to the machine, or to the namespace of a host's init."""
    inside = [] if init is None else ["nsenter", f"--net=/proc/{init}/ns/net"]
    run([*inside, "chroot", toolbox(), "nft", "-f", "-"], stdin=script)


def _accept_rules(lab: LabLayout) -> list[list[str]]:
    return [["-i", lab.bridge, "-j", "ACCEPT"], ["-o", lab.bridge, "-j", "ACCEPT"]]


def _dropping_firewalls() -> list[list[str]]:
    """Return how to call the firewall programs whose FORWARD policy drops on this machine.

    The tables are looked at first: iptables itself would create the ones it lists.
    """
    tools = ["chroot", str(toolbox())]
    found = []
    if "policy drop" in attempt([*tools, "nft", "list", "chain", "ip", "filter", "FORWARD"]).stdout:
        found.append([*tools, "iptables-nft", "-w"])
    if _LEGACY_TABLES.exists() and "filter" in _LEGACY_TABLES.read_text().split():
        legacy = [*tools, "iptables-legacy", "-w"]
        if attempt([*legacy, "-S", "FORWARD"]).stdout.startswith("-P FORWARD DROP"):
            found.append(legacy)
    return found
