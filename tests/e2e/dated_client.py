"""`underway` on a machine whose clock is wrong by SECONDS.

    python -m tests.e2e.dated_client SECONDS COMMAND...

Only this process's own clock is moved; waiting and deadlines use a clock that only grows, as on a
machine whose date was set wrong before it started.
"""

import sys
import time

from underway import wiring
from underway.cli.program import run_program


def main(seconds: str, *command: str) -> int:
    """Run the command line; returns its exit code."""
    offset_s = float(seconds)
    true_time = time.time

    class DatedClock(wiring.SystemClock):
        def now(self) -> float:
            return true_time() + offset_s

    wiring.SystemClock = DatedClock  # type: ignore[misc]
    time.time = lambda: true_time() + offset_s
    return run_program(command)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
