"""`underway` that waits at one of its steps, so that a fault can be made exactly there.

    python -m tests.e2e.pausing_client DIRECTORY before|after PATTERN COMMAND...

A step is told as `CreateContainer beacon-web-7f3a2c-1 on h3: image changed`. At the first
one that PATTERN (a regular expression) finds, the client makes DIRECTORY/reached with this text
and goes on when DIRECTORY/go is there. The product has no hook for this: its applier is wrapped
here, in this process only.
"""

import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

from underway.api import steering
from underway.cli.program import run_program
from underway.kernel.concern import subject_of
from underway.kernel.executor import StepContext, StepResult
from underway.model.step import Step
from underway.rollout.apply import Applier

POLL_S = 0.05


class Pause:
    """The one place at which this client waits."""

    def __init__(self, directory: Path, side: str, pattern: str) -> None:
        self._directory = directory
        self._side = side
        self._pattern = re.compile(pattern)
        self._guard = threading.Lock()
        self._is_over = False

    def at(self, side: str, step: Step) -> None:
        """Wait here if this is the place."""
        text = f"{type(step).__name__} {subject_of(step)} on {step.host}: {step.cause}"
        if side != self._side or not self._pattern.search(text):
            return
        with self._guard:
            if self._is_over:
                return
            self._is_over = True
        (self._directory / "reached").write_text(text)
        while not (self._directory / "go").exists():
            time.sleep(POLL_S)


def wrap(pause: Pause) -> None:
    """Let every step pass `pause`."""

    class PausingApplier:
        def __init__(self, **settings: Any) -> None:
            self._applier = Applier(**settings)

        def __call__(self, step: Step, context: StepContext) -> StepResult:
            pause.at("before", step)
            result = self._applier(step, context)
            pause.at("after", step)
            return result

    steering.Applier = PausingApplier  # type: ignore[assignment, misc]


def main(directory: str, side: str, pattern: str, *command: str) -> int:
    """Run the command line; returns its exit code."""
    wrap(Pause(Path(directory), side, pattern))
    return run_program(command)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
