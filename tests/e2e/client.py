"""Clients: `underway` as a process, run to its end, or left running to be killed or paused."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

UNDERWAY: Final = (sys.executable, "-m", "underway.cli.main")
END_S: Final = 240.0
"""Longer than any command of these tests takes on a busy machine."""


def eventually(holds: Callable[[], object], what: str, timeout_s: float = 30.0) -> None:
    """Poll until `holds()`; AssertionError names what did not happen."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.1)


@dataclass(frozen=True)
class Done:
    """How a client ended. `code` is negative where a signal ended it."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str
    took_s: float

    def expect(self, *codes: int) -> "Done":
        """Raise AssertionError with the whole output unless it ended with one of `codes`."""
        assert self.code in codes, f"exit code is {self.code}, not {codes}\n{self}"
        return self

    def document(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.out)

    def __str__(self) -> str:
        command = " ".join(self.arguments)
        return f"{command}: {self.code} after {self.took_s:.1f} s\n{self.out}\n{self.err}"


class Running:
    """A client that runs; `output` holds both streams as files, so that it never blocks."""

    def __init__(
        self, arguments: tuple[str, ...], process: "subprocess.Popen[bytes]", output: Path
    ) -> None:
        self.arguments = arguments
        self.process = process
        self._output = output
        self._began = time.monotonic()

    @property
    def err(self) -> str:
        """What it told so far."""
        return self._output.with_suffix(".err").read_text(errors="replace")

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def await_told(self, text: str, timeout_s: float = 60.0) -> None:
        """Wait until its progress tells `text`; AssertionError if it ends before."""
        eventually(lambda: text in self.err or self.is_over, f"told {text!r}", timeout_s)
        assert text in self.err, f"it ended before it told {text!r}\n{self.wait()}"

    def kill(self) -> None:
        self.process.kill()

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def wait(self, timeout_s: float = END_S) -> Done:
        code = self.process.wait(timeout_s)
        out = self._output.with_suffix(".out").read_text(errors="replace")
        return Done(self.arguments, code, out, self.err, time.monotonic() - self._began)


@dataclass(frozen=True)
class Client:
    """Somebody who runs commands: a directory with the project, an environment, a home."""

    directory: Path
    home: Path
    environment: Mapping[str, str]

    def run(
        self, *arguments: str, program: tuple[str, ...] = UNDERWAY, timeout_s: float = END_S
    ) -> Done:
        """Run one command to its end, whatever its exit code."""
        with self.running(*arguments, program=program) as client:
            return client.wait(timeout_s)

    @contextmanager
    def running(self, *arguments: str, program: tuple[str, ...] = UNDERWAY) -> Iterator[Running]:
        """Start one command; what is left of it is killed at the end of the block."""
        self.home.mkdir(parents=True, exist_ok=True)
        number = len(list(self.home.glob("run-*.out")))
        output = self.home / f"run-{number}"
        with (
            output.with_suffix(".out").open("wb") as out,
            output.with_suffix(".err").open("wb") as err,
        ):
            process = subprocess.Popen(
                [*program, *arguments],
                cwd=self.directory,
                env={**self.environment, **self._own(), "NO_COLOR": "1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        try:
            yield Running(arguments, process, output)
        finally:
            # The whole session: a killed client may leave programs that it had started.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _own(self) -> dict[str, str]:
        """A home, and a memory that goes when the hosts are emptied."""
        memory = Path(self.environment.get("XDG_STATE_HOME", self.home / "state"))
        return {
            "HOME": str(self.home),
            "PYTHONFAULTHANDLER": "1",  # a crash of Python itself says where it was
            "XDG_STATE_HOME": str(memory / self.home.relative_to(self.home.anchor)),
        }
