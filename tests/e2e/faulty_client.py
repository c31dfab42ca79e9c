"""`underway` to which something happens at one effect of a backup or a restore.

    python faulty_client.py JOURNAL before|during|after NUMBER FAULT -- COMMAND...

FAULT is `kill`, which ends this process at once, or a command for the shell that is run there and
waited for. Effects are counted from 1: taking the lock, each job of the store, each guard of a
watchdog, each step of a rollout. Each is a line of JOURNAL; number 0 lets nothing happen. The
product has no hook for this: its parts are wrapped here, in this process only.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from effects import Effects  # beside this program

from underway.adapters.lock import AttachedLocks
from underway.adapters.restic import ResticStore
from underway.cli.program import run_program
from underway.kernel import executor
from underway.wiring.backups import HostStores

JOBS: Final = (
    *("open", "points", "manifest", "save_databases", "save_tree", "save_stream", "count", "seal"),
    *("restore_tree", "restore_stream", "record_proof", "forget"),
)
IN_THE_MIDST_S: Final = 0.4


class Fault:
    """Counts effects, notes them, and lets it happen at the one that is meant."""

    def __init__(self, journal: Path, side: str, number: int, what: str) -> None:
        self._effects = Effects(journal, number)
        self._side = side
        self._what = what

    def around(self, name: str, effect: Callable[[], Any]) -> Any:
        """Run one effect, and let it happen on the side that is meant."""
        if not self._effects.is_meant(name):
            return effect()
        if self._side == "before":
            self._happen()
        meanwhile = threading.Timer(IN_THE_MIDST_S, self._happen)
        if self._side == "during":
            meanwhile.start()
        try:
            return effect()
        finally:
            if self._side == "during":
                meanwhile.join()
            if self._side == "after":
                self._happen()

    def _happen(self) -> None:
        if self._what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        subprocess.run(["sh", "-c", self._what], check=True, capture_output=True)


def wrap(fault: Fault) -> None:
    """Put `fault` around every effect."""
    for job in JOBS:
        _wrap(ResticStore, job, fault, lambda job, values: job + _pass_of(values))
    _wrap(AttachedLocks, "claim", fault, lambda _job, _values: "lock")
    _wrap(HostStores, "guard", fault, lambda _job, _values: "guard")
    _wrap(executor._Walker, "_applied", fault, lambda _job, values: type(values[2]).__name__)


def _pass_of(values: tuple[Any, ...]) -> str:
    tree = next((value for value in values if hasattr(value, "directories")), None)
    return f" {tree.name}" if tree is not None else ""


def _wrap(
    owner: type, name: str, fault: Fault, told: Callable[[str, tuple[Any, ...]], str]
) -> None:
    real = getattr(owner, name)

    def faulty(self: Any, *values: Any, **options: Any) -> Any:
        return fault.around(told(name, values), lambda: real(self, *values, **options))

    setattr(owner, name, faulty)


def main(journal: str, side: str, number: str, what: str, dashes: str, *command: str) -> int:
    """Run the command line; returns its exit code, if it lives."""
    if dashes != "--":
        raise SystemExit(__doc__)
    wrap(Fault(Path(journal), side, int(number), what))
    return run_program(command)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
