"""The laboratory's processes, found by the marks in their environment, never by a pid file."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.command import MARKER, ROLE
from lab.errors import LabError

_POLL_S = 0.03
_REAPERS = frozenset(("nsenter", "setsid", "unshare"))
_REAPING_S = 1.0


@dataclass(frozen=True, slots=True)
class Process:
    """One running process of a laboratory."""

    pid: int
    laboratory: str
    role: str
    program: str


def processes(laboratory: str | None = None) -> Iterator[Process]:
    """Yield the running processes of one laboratory, or of all."""
    for entry in Path("/proc").iterdir():
        found = _read(entry) if entry.name.isdigit() else None
        if found is not None and laboratory in (None, found.laboratory):
            yield found


def find(laboratory: str, role: str, program: str) -> int | None:
    """Return the process id of a daemon, or None when it does not run."""
    matching = (
        process.pid
        for process in processes(laboratory)
        if process.role == role and process.program == program
    )
    return min(matching, default=None)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that is gone already is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_and_wait(
    find_victims: Callable[[], Iterable[Process]], *, timeout_s: float = 20.0
) -> None:
    """Kill processes, and those they start meanwhile, until none is left but for being reaped.

    A dying init loses its environment, and with it its mark, before the kernel has torn its
    namespaces down; hence the wait for every process once seen. The programs that entered a
    namespace get a moment to reap the daemon they wait for: an init's end waits for that.
    Raises LabError when a process survives.
    """
    began = time.monotonic()
    killed: dict[int, str] = {}
    while True:
        victims = list(find_victims())
        for victim in victims:
            killed.setdefault(victim.pid, _start_time(victim.pid))
            if victim.program not in _REAPERS or time.monotonic() > began + _REAPING_S:
                send(victim.pid, signal.SIGKILL)
        living = [pid for pid, started in killed.items() if started and _start_time(pid) == started]
        if not victims and not living:
            return
        if time.monotonic() > began + timeout_s:
            raise LabError(f"processes do not end: {sorted({*killed} & {*living})}")
        time.sleep(_POLL_S)


def wait_until(holds: Callable[[], bool], *, what: str, timeout_s: float) -> None:
    """Poll until a condition holds; raise LabError naming it after `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise LabError(f"{what} did not happen within {timeout_s:.0f} s")
        time.sleep(_POLL_S)


def _start_time(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; empty for an ended one."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, ValueError):
        return ""
    return "" if state == "Z" else fields[18]


def _read(entry: Path) -> Process | None:
    """Read a process's marks; None for a foreign, ended or already dead one."""
    try:
        environment = (entry / "environ").read_bytes()
        if MARKER.encode() not in environment:
            return None
        program = (entry / "comm").read_text().strip()
    except OSError:
        return None
    pairs = dict(
        item.split("=", 1)
        for item in environment.decode(errors="replace").split("\0")
        if "=" in item
    )
    name = pairs.get(MARKER)
    if name is None:
        return None
    return Process(int(entry.name), name, pairs.get(ROLE, ""), program)
