"""Faults of a host's network: cut, lossy, slow; each silent, as faults of real networks are.

Cuts and losses are rules at the two ends of the host's own cable, inside its namespace, so they
hit host to host, client to host and container traffic alike, and vanish with the host.
"""

import sys
from enum import Enum
from pathlib import Path

from lab.command import run, spawn
from lab.engine import init_pid
from lab.errors import LabError
from lab.layout import HostLayout, LabLayout
from lab.network import nft, uplink_mtu
from lab.processes import Process, kill_and_wait, processes, wait_until

_CUT = "uwlab_cut"
_LOSS = "uwlab_loss"
_HIGHEST_PERCENT = 100


class Direction(Enum):
    """Which way packets are lost, seen from the host."""

    IN = "in"
    OUT = "out"
    BOTH = "both"


def cut(
    host: HostLayout, direction: Direction = Direction.BOTH, *, peer_address: str | None = None
) -> None:
    """Drop every packet of a host, or only those from and to one peer's address."""
    source = "" if peer_address is None else f"ip saddr {peer_address} "
    target = "" if peer_address is None else f"ip daddr {peer_address} "
    _write_rules(
        host,
        _CUT,
        incoming=None if direction is Direction.OUT else f"{source}drop",
        outgoing=None if direction is Direction.IN else f"{target}drop",
    )


def lose(host: HostLayout, percent: int) -> None:
    """Drop a share of a host's packets at random, in each direction."""
    if not 0 < percent <= _HIGHEST_PERCENT:
        raise LabError(f"{percent} % loss cannot be", "choose 1 to 100")
    rule = f"numgen random mod {_HIGHEST_PERCENT} < {percent} drop"
    _write_rules(host, _LOSS, incoming=rule, outgoing=rule)


def mend(host: HostLayout) -> None:
    """End cuts and losses; a host that does not run has none."""
    if (init := init_pid(host)) is None:
        return
    for table in (_CUT, _LOSS):
        nft(f"add table netdev {table}\ndelete table netdev {table}\n", init=init)


def slow_down(lab: LabLayout, host: HostLayout, delay_ms: float) -> None:
    """Delay every packet of a host, in each direction: round trips grow by twice `delay_ms`."""
    if delay_ms <= 0:
        raise LabError(f"a delay of {delay_ms} ms cannot be", "choose a positive number")
    speed_up(lab, host)
    tap = f"{host.link}w"
    # While the wire carries them, the machine's own network stack must not see the frames.
    nft(
        f"table netdev {host.wire_table} {{\n chain silent {{\n"
        f"  type filter hook ingress device {host.link} priority 0\n  drop\n }}\n}}\n"
    )
    run(["ip", "link", "set", host.link, "nomaster"])
    spawn(
        [sys.executable, Path(__file__).with_name("wire.py"), host.link, tap, str(delay_ms)],
        laboratory=host.laboratory,
        role=host.role("wire"),
        log=host.log("wire"),
    )
    try:
        wait_until(
            lambda: Path(f"/sys/class/net/{tap}").exists(), what=f"device {tap}", timeout_s=10
        )
        mtu = str(uplink_mtu())
        run(["ip", "link", "set", tap, "mtu", mtu, "master", lab.bridge, "up"])
    except LabError:
        speed_up(lab, host)
        raise


def speed_up(lab: LabLayout, host: HostLayout) -> None:
    """End a host's delay."""

    def wires() -> list[Process]:
        return [p for p in processes(host.laboratory) if p.role == host.role("wire")]

    kill_and_wait(wires)
    table = host.wire_table
    nft(f"add table netdev {table}\ndelete table netdev {table}\n")
    if Path(f"/sys/class/net/{host.link}").exists():
        run(["ip", "link", "set", host.link, "master", lab.bridge, "up"])


def _write_rules(
    host: HostLayout, table: str, *, incoming: str | None, outgoing: str | None
) -> None:
    """Replace one fault's table inside the host's namespace."""
    init = init_pid(host)
    if init is None:
        raise LabError(f"{host.name} does not run", f"run `fault host boot {host.name}`")
    script = [
        f"add table netdev {table}",
        f"delete table netdev {table}",
        f"table netdev {table} {{",
    ]
    for hook, rule in (("ingress", incoming), ("egress", outgoing)):
        if rule is not None:
            head = f"type filter hook {hook} device eth0 priority 0"
            script += [f" chain {hook}_rules {{", f"  {head}", f"  {rule}", " }"]
    nft("\n".join([*script, "}", ""]), init=init)
