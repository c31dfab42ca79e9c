"""Faults made with real means, each with its undo; `heal` undoes all of them.

An engine's socket reaches it over no network, so a cut host still answers on its local socket:
whoever tests an unreachable host uses its ssh URL.
"""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from lab import network_faults
from lab.engine import (
    engine_pid,
    init_pid,
    kill_engine,
    start_engine,
    stop_engine,
    wait_for_engine,
)
from lab.errors import LabError
from lab.host import crash_host, raise_host
from lab.laboratory import Laboratory
from lab.layout import HostLayout
from lab.network_faults import Direction
from lab.processes import send
from lab.registry import registry_pid, start_registry, stop_registry

_SMALLEST_PIECE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one laboratory; hosts are named as in its description (h1, h2, ...)."""

    laboratory: Laboratory

    def kill_engine(self, host: str) -> None:
        """Kill dockerd at once; with live-restore the containers go on."""
        kill_engine(self._host(host))

    def stop_engine(self, host: str) -> None:
        """Stop dockerd in an orderly way."""
        stop_engine(self._host(host))

    def start_engine(self, host: str) -> None:
        """Start dockerd, and wait until it answers."""
        layout = self._host(host)
        start_engine(layout, self._init(layout))
        wait_for_engine(layout)

    def restart_engine(self, host: str) -> None:
        """Stop and start dockerd, as an upgrade does."""
        self.stop_engine(host)
        self.start_engine(host)

    def pause_engine(self, host: str) -> None:
        """Freeze dockerd: connections are accepted, nothing answers."""
        _signal(engine_pid(self._host(host)), signal.SIGSTOP, f"{host}'s engine")

    def resume_engine(self, host: str) -> None:
        """Let a frozen dockerd go on."""
        _signal(engine_pid(self._host(host)), signal.SIGCONT, f"{host}'s engine")

    def crash_host(self, host: str) -> None:
        """Take a host's power away: every process of it is killed, its disk stays."""
        crash_host(self._host(host))

    def boot_host(self, host: str) -> None:
        """Start a crashed host from its disk."""
        record = self.laboratory.record
        raise_host(
            self.laboratory.layout,
            self._host(host),
            engine=record.engine,
            live_restore=record.live_restore,
        )

    def cut(
        self, host: str, direction: Direction = Direction.BOTH, *, peer: str | None = None
    ) -> None:
        """Drop a host's packets, all or those of one peer: a host, `client`, or an address."""
        network_faults.cut(self._host(host), direction, peer_address=self._peer(peer))

    def lose(self, host: str, percent: int) -> None:
        """Drop a share of a host's packets, in each direction."""
        network_faults.lose(self._host(host), percent)

    def delay(self, host: str, delay_ms: float) -> None:
        """Delay a host's packets by `delay_ms` milliseconds in each direction."""
        network_faults.slow_down(self.laboratory.layout, self._host(host), delay_ms)

    def mend_network(self, host: str) -> None:
        """End cuts, losses and delays of a host."""
        layout = self._host(host)
        network_faults.mend(layout)
        network_faults.speed_up(self.laboratory.layout, layout)

    def fill_disk(self, host: str, *, leave_bytes: int = 0) -> None:
        """Fill a host's disk, images and volumes included, but for `leave_bytes`."""
        _fill(self._filler(host), leave_bytes)

    def free_disk(self, host: str) -> None:
        """Give back what fill_disk took."""
        self._filler(host).unlink(missing_ok=True)

    def stop_registry(self) -> None:
        """Stop the registry: connections are refused."""
        stop_registry(self.laboratory.record.name)

    def start_registry(self) -> None:
        """Start the registry with the images it had."""
        start_registry(self.laboratory.layout)

    def pause_registry(self) -> None:
        """Freeze the registry: connections are accepted, nothing answers."""
        _signal(registry_pid(self.laboratory.record.name), signal.SIGSTOP, "the registry")

    def resume_registry(self) -> None:
        """Let a frozen registry go on."""
        _signal(registry_pid(self.laboratory.record.name), signal.SIGCONT, "the registry")

    def heal(self) -> None:
        """Undo every fault, whoever made it."""
        name = self.laboratory.record.name
        if (registry := registry_pid(name)) is not None:
            send(registry, signal.SIGCONT)
        self.start_registry()
        for host in self.laboratory.host_layouts:
            if init_pid(host) is not None:
                self.free_disk(host.name)
            self.mend_network(host.name)
            if (engine := engine_pid(host)) is not None:
                send(engine, signal.SIGCONT)
            self.boot_host(host.name)

    def _host(self, name: str) -> HostLayout:
        return self.laboratory.host(name)

    def _init(self, host: HostLayout) -> int:
        init = init_pid(host)
        if init is None:
            raise LabError(f"{host.name} does not run", f"run `fault host boot {host.name}`")
        return init

    def _peer(self, peer: str | None) -> str | None:
        if peer == "client":
            return self.laboratory.layout.gateway
        known = {host.name: host.address for host in self.laboratory.host_layouts}
        return None if peer is None else known.get(peer, peer)

    def _filler(self, host: str) -> Path:
        """Return the file that fills a host's disk, reached through the host's own root."""
        return Path(f"/proc/{self._init(self._host(host))}/root/uwlab-filler")


def _signal(pid: int | None, number: signal.Signals, what: str) -> None:
    if pid is None:
        raise LabError(f"{what} does not run", "start it first, or heal")
    send(pid, number)


def _fill(filler: Path, leave_bytes: int) -> None:
    """Reserve space in ever smaller pieces until only `leave_bytes` are free."""
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        piece = 1 << 30
        while piece >= _SMALLEST_PIECE_BYTES:
            state = os.fstatvfs(descriptor)
            free = state.f_bavail * state.f_frsize - leave_bytes
            size = os.fstat(descriptor).st_size
            if free < piece or not _reserve(descriptor, size, piece):
                piece //= 2
    finally:
        os.close(descriptor)


def _reserve(descriptor: int, offset: int, size: int) -> bool:
    """Reserve space in a file; False when the disk has no room for it."""
    try:
        os.posix_fallocate(descriptor, offset, size)
    except OSError:
        return False
    return True
