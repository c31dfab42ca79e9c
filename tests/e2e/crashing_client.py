"""`underway` that ends itself at one effect, before or after it: by kill, Ctrl-C or SIGSTOP.

    python crashing_client.py JOURNAL kill|interrupt|pause before|after NUMBER COMMAND...

Effects are counted from 1: taking the lock, every step that is applied (those of an undo too), and
every write of the run's own record. Each is a line of JOURNAL, so that a run with number 0, which
never crashes, tells how many there are. A step is taken with its look at the lock, as it is one
with it in the executor. The product has no hook for this: its parts are wrapped here, in this
process only.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from effects import Effects  # beside this program

from underway.adapters.ledger import AnchorLedger
from underway.adapters.lock import AttachedLocks
from underway.cli.program import run_program
from underway.kernel import executor
from underway.kernel.concern import subject_of
from underway.model.names import HostName
from underway.model.step import Step

SIGNALS: Final = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT, "pause": signal.SIGSTOP}


class Crash:
    """Counts effects, notes them, and sends the signal at the one that is meant."""

    def __init__(self, journal: Path, how: str, side: str, number: int) -> None:
        self._effects = Effects(journal, number)
        self._signal = SIGNALS[how]
        self._side = side

    def around(self, name: str, effect: Callable[[], Any]) -> Any:
        """Run one effect, or do not live to see it."""
        is_meant = self._effects.is_meant(name)
        if is_meant and self._side == "before":
            os.kill(os.getpid(), self._signal)
        result = effect()
        if is_meant and self._side == "after":
            os.kill(os.getpid(), self._signal)
        return result


def wrap(crash: Crash) -> None:
    """Put `crash` around every effect."""
    claim, record_run = AttachedLocks.claim, AnchorLedger.record_run
    applied = executor._Walker._applied

    def crashing_claim(locks: AttachedLocks, *arguments: Any, **options: Any) -> Any:
        return crash.around("Lock", lambda: claim(locks, *arguments, **options))

    def crashing_record(ledger: AnchorLedger, record: Any) -> Any:
        name = "RecordRunEnd" if record.ended_at else "RecordRunBegin"
        return crash.around(name, lambda: record_run(ledger, record))

    def crashing_step(walker: Any, number: int, host: HostName, step: Step) -> Any:
        name = f"{type(step).__name__} {subject_of(step)}"
        return crash.around(name, lambda: applied(walker, number, host, step))

    for owner, name, replacement in (
        (AttachedLocks, "claim", crashing_claim),
        (AnchorLedger, "record_run", crashing_record),
        (executor._Walker, "_applied", crashing_step),
    ):
        setattr(owner, name, replacement)


def main(journal: str, how: str, side: str, number: str, *command: str) -> int:
    """Run the command line; returns its exit code, if it lives."""
    wrap(Crash(Path(journal), how, side, int(number)))
    return run_program(command)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
