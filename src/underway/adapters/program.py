"""Run a program of this machine: with a deadline, bytes in and out, and nothing left behind.

The program leads a session of its own, so that what it started ends with it, and so that Ctrl-C in
the terminal reaches Underway first, which then decides.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from underway.errors import UnreachableError

_TERM_GRACE_S = 2.0
_PIPE_GRACE_S = 1.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """How a program ended, and all it wrote. A negative exit code is the signal that ended it."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def stderr_text(self) -> str:
        """Standard error as text, undecodable bytes replaced."""
        return self.stderr.decode("utf-8", "replace")


def run_program(
    argv: Sequence[str],
    *,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_s: float,
    on_line: Callable[[str], None] | None = None,
) -> ProgramResult:
    """Run `argv` to its end; `on_line` gets each line of standard error as it comes.

    `env` replaces the environment where given. What `on_line` raises ends the program and is
    raised here, after the program is gone. Raises UnreachableError: `program-missing` where the
    program is not installed, `program-timeout` after `timeout_s` seconds.
    """
    process = _start(argv, stdin=stdin, env=env, cwd=cwd)
    pumps = _Pumps(process, stdin, on_line)
    try:
        _await(process, pumps, time.monotonic() + timeout_s)
    except subprocess.TimeoutExpired:
        end_group(process)
        pumps.join()
        raise UnreachableError(
            "program-timeout",
            f"`{argv[0]}` did not finish within {timeout_s:g} s",
            hint="Look at what it waits for below, then run the command again.",
            detail=tuple(pumps.stderr.decode("utf-8", "replace").splitlines()[-10:]),
        ) from None
    except BaseException:
        end_group(process)
        pumps.join()
        raise
    pumps.join()
    if pumps.failure is not None:
        raise pumps.failure
    return ProgramResult(process.returncode, bytes(pumps.stdout), bytes(pumps.stderr))


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a program that leads its own session, with all it started: SIGTERM, then SIGKILL."""
    _signal_group(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_TERM_GRACE_S)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _start(
    argv: Sequence[str],
    *,
    stdin: bytes | None,
    env: Mapping[str, str] | None,
    cwd: Path | None,
) -> subprocess.Popen[bytes]:
    if cwd is not None and not cwd.is_dir():
        raise UnreachableError(
            "program-missing", f"`{argv[0]}` cannot run in {cwd}: no such directory"
        )
    try:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
        )
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise UnreachableError(
            "program-missing",
            f"`{argv[0]}` cannot be run on this machine",
            cause=error.strerror or str(error),
            hint=f"Install `{Path(argv[0]).name}`, or put it on PATH.",
        ) from error


def _await(process: subprocess.Popen[bytes], pumps: "_Pumps", deadline: float) -> None:
    """Wait for the end, looking for a failed `on_line` meanwhile."""
    while True:
        if pumps.failure is not None:
            raise pumps.failure
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise subprocess.TimeoutExpired(process.args, 0)
        # The end of its output tells the end of a program at once; waiting for it polls.
        if not pumps.ended.wait(min(left_s, _POLL_S)) and process.poll() is None:
            continue
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(left_s, _POLL_S))
            return


class _Pumps:
    """The threads that move bytes, so that no full pipe can stop the program."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        stdin: bytes | None,
        on_line: Callable[[str], None] | None,
    ) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.failure: BaseException | None = None
        self.ended = threading.Event()
        self._on_line = on_line
        work: list[tuple[Callable[..., None], tuple[object, ...]]] = [
            (self._read, (process.stdout,)),
            (self._read_lines, (process.stderr,)),
        ]
        if stdin is not None:
            work.append((self._write, (process.stdin, stdin)))
        self._threads = [
            threading.Thread(target=target, args=arguments, daemon=True)
            for target, arguments in work
        ]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for the last bytes; a pipe that a daemonised child keeps open is not waited for."""
        deadline = time.monotonic() + _PIPE_GRACE_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            while chunk := os.read(pipe.fileno(), 65536):
                self.stdout += chunk
        self.ended.set()

    def _read_lines(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self.stderr += line
                if self._on_line is not None and self.failure is None:
                    try:
                        self._on_line(line.decode("utf-8", "replace").rstrip("\r\n"))
                    except BaseException as error:  # noqa: BLE001 - raised by run_program
                        self.failure = error

    @staticmethod
    def _write(pipe: IO[bytes], data: bytes) -> None:
        with suppress(BrokenPipeError):
            try:
                pipe.write(data)
            finally:
                pipe.close()
