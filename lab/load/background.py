"""The load beside a test: a process of its own, so that neither slows the other down."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lab.load.order import Bounds, Mix, Order, Target
from lab.load.outcome import Kind
from lab.load.profile import BEACON, Profile
from lab.load.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CODE_ROOT = Path(__file__).resolve().parents[2]
ANSWER_TIMEOUT_S = 30.0
POLL_EVERY_S = 0.2


class LoadError(Exception):
    """The generator itself failed, or what it found proves nothing."""


class LoadEndedEarlyError(LoadError):
    """A bound ended the load before the test did: what came later was not under load."""


class Load:
    """A running load; leaving the `with` block ends its process whatever happened.

    `launcher` is an argument prefix for the process, for example to enter a network namespace.
    """

    def __init__(
        self,
        targets: Sequence[Target | str],
        *,
        host: str,
        mix: Mix | None = None,
        profile: Profile = BEACON,
        bounds: Bounds | None = None,
        launcher: Sequence[str] = (),
    ) -> None:
        parsed = (Target.parse(t) if isinstance(t, str) else t for t in targets)
        self._order = Order(tuple(parsed), host, profile, mix or Mix(), bounds or Bounds())
        self._launcher = tuple(launcher)
        self._process: subprocess.Popen[str] | None = None
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by `__exit__`)

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": str(CODE_ROOT), "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            [*self._launcher, sys.executable, "-m", "lab.load", "--controlled"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=environment,
            text=True,
        )
        try:
            self._ask(self._order.to_json())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
        self._complaints.close()

    def expect(self, *versions: str) -> None:
        """From now on only these versions may answer (none: any); others count as stale."""
        self._ask({"do": "expect", "versions": versions})

    def retire(self, *replicas: str) -> None:
        """From now on these replicas must get no new request; their answers count as stale."""
        self._ask({"do": "retire", "replicas": replicas})

    def drain(self, limit_s: float) -> None:
        """What is in flight now may be ended by force once `limit_s` seconds have passed."""
        self._ask({"do": "drain", "limit_s": limit_s})

    @contextmanager
    def cut_expected(self, target: str) -> Iterator[None]:
        """Count breaks on `target` apart, as expected cuts, while the block runs."""
        if target not in {known.name for known in self._order.targets}:
            raise ValueError(f"no target is named {target!r}")
        self._ask({"do": "cut", "target": target, "begins": True})
        try:
            yield
        finally:
            self._ask({"do": "cut", "target": target, "begins": False})

    def snapshot(self) -> Result:
        """Return the finding so far, while the load goes on."""
        return Result.from_json(self._ask({"do": "snapshot"})["result"])

    def wait_until(
        self, holds: Callable[[Result], bool], timeout_s: float = 30.0, *, what: str = ""
    ) -> Result:
        """Poll until `holds(finding)` and return the finding; raises LoadError with the last."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = self.snapshot()
            if holds(found):
                return found
            if found.ended_by:
                raise LoadEndedEarlyError(f"ended by {found.ended_by}, waiting for {what}")
            if time.monotonic() > deadline:
                raise LoadError(f"not within {timeout_s} s: {what}\n{found.table()}")
            time.sleep(POLL_EVERY_S)

    def stop(self, *, grace_s: float | None = None) -> Result:
        """End the load, wait for what is in flight, return the finding.

        Without `grace_s` each request in flight has its own time limit. Raises LoadEndedEarlyError
        where a bound had ended the load before, LoadError where nothing at all was asked.
        """
        limit_s = 60.0 + max(self._order.mix.timeout_of(kind) for kind in Kind)
        answer = self._ask({"do": "stop", "grace_s": grace_s}, timeout_s=limit_s)
        result = Result.from_json(answer["result"])
        if answer["early"]:
            raise LoadEndedEarlyError(f"ended by {answer['early']} before\n{result.table()}")
        if not result.requests:
            raise LoadError("no request was finished: the load proves nothing")
        return result

    def _ask(self, command: dict[str, Any], timeout_s: float = ANSWER_TIMEOUT_S) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise LoadError("the load was not started: use it in a `with` statement")
        try:
            process.stdin.write(json.dumps(command) + "\n")
            process.stdin.flush()
        except BrokenPipeError as error:
            raise LoadError(f"the generator is gone\n{self._complaint()}") from error
        readable, _, _ = select.select([process.stdout], [], [], timeout_s)
        line = process.stdout.readline() if readable else ""
        if not line:
            raise LoadError(f"no answer to {command.get('do', 'start')}\n{self._complaint()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _complaint(self) -> str:
        self._complaints.seek(0)
        return self._complaints.read()
