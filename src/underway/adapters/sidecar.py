"""A container of the tools image beside the data of a host, and the jobs that run in it.

A job runs there by itself: a connection that breaks is opened again and asked how far it came. The
sidecar ends when nobody asked for a minute, and with it all its jobs.
"""

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from underway.adapters.engine import CommandServer, DockerEngine
from underway.errors import EngineError, StepFailedError, UnderwayError
from underway.model.container import ContainerRequest
from underway.model.names import HostName
from underway.ports import CommandRunner
from underway.ports.output import ExecResult

_POLL_S: Final = 0.3
_ASK_S: Final = 30.0
_READY_S: Final = 30.0
_WRITE: Final = """
set -eu
umask 077
mkdir -p "$(dirname -- "$1")"
cat > "$1"
"""


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a job ended: its exit status, its last lines on standard error."""

    exit_code: int
    errors: tuple[str, ...]


@dataclass(slots=True)
class Sidecar:
    """A running sidecar. A progress that raises ends the job."""

    runner: CommandRunner
    name: str
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def host(self) -> HostName:
        """The host it stands on."""
        return self.runner.host

    def write(self, path: str, content: bytes) -> None:
        """Write a file that only root reads; the content goes by standard input."""
        self._checked(self._execute("sh", "-c", _WRITE, "sh", path, stdin=content), f"write {path}")

    def run(self, script: str, take_line: Callable[[bytes], None] | None = None) -> JobResult:
        """Run a shell script as a job; `take_line` gets each line of its output as it comes.

        What `take_line` raises stops the job. Raises StepFailedError `backup-sidecar-gone` when the
        sidecar is no more.
        """
        job = f"job-{next(self._numbers)}"
        started = self._execute("backup-job", "start", job, stdin=script.encode())
        self._checked(started, "start a job")
        try:
            status = self._followed(job, take_line or _nothing)
        except BaseException:
            with contextlib.suppress(UnderwayError):  # without its client the sidecar ends
                self._execute("backup-job", "stop", job)
            raise
        told = self._execute("backup-job", "errors", job).stdout.decode("utf-8", "replace")
        return JobResult(status, tuple(told.splitlines()[-20:]))

    def _followed(self, job: str, take_line: Callable[[bytes], None]) -> int:
        offset, rest = 0, b""
        while True:
            status, size, data = self._polled(job, offset)
            offset += len(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                take_line(line)
            if status != b"-" and offset >= size:
                if rest:
                    take_line(rest)
                return int(status)
            if not data:
                take_line(b"")
                time.sleep(_POLL_S)

    def _polled(self, job: str, offset: int) -> tuple[bytes, int, bytes]:
        result = self._execute("backup-job", "poll", job, str(offset))
        self._checked(result, "follow a job")
        head, _, data = result.stdout.partition(b"\n")
        status, size = head.split()
        return status, int(size), data

    def _execute(self, *command: str, stdin: bytes = b"") -> ExecResult:
        try:
            return self.runner.execute(self.name, command, stdin=stdin, timeout_s=_ASK_S)
        except EngineError as error:
            if error.code not in {"container-missing", "container-not-running"}:
                raise
            raise StepFailedError(
                "backup-sidecar-gone",
                f"{self.host}: the container that worked on the data is gone",
                cause=error.message,
                hint="somebody removed it, or its engine was restarted: run the command again",
            ) from error

    def _checked(self, result: ExecResult, what: str) -> None:
        if result.exit_code:
            text = (result.stderr or result.stdout).decode("utf-8", "replace").strip()
            raise StepFailedError(
                "backup-sidecar", f"{self.host}: cannot {what}", cause=text[-400:]
            )


@contextlib.contextmanager
def standing_sidecar(
    engine: DockerEngine,
    request: ContainerRequest,
    files: Mapping[str, bytes],
) -> Iterator[Sidecar]:
    """A sidecar that stands as long as the block runs; one that a dead client left is replaced."""
    engine.remove(request.name)
    try:
        engine.create(request, {})
        engine.start(request.name)
        sidecar = Sidecar(CommandServer(engine, request.name), request.name)
        for path, content in files.items():
            sidecar.write(path, content)
        yield sidecar
    finally:
        with contextlib.suppress(UnderwayError):  # its lease ends it
            engine.stop(request.name, 10)
            engine.remove(request.name)


def await_line(engine: DockerEngine, name: str, wanted: str) -> bool:
    """Whether a container's first line of output is `wanted`, waiting for it to be written."""
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        lines = [line.text for line in engine.logs(name, tail=20) if not line.is_stderr]
        if lines:
            return lines[0] == wanted
        state = engine.container(name)
        if state is None or state.has_ended:
            return False
        time.sleep(_POLL_S / 3)
    return False


def await_end(engine: DockerEngine, name: str) -> None:
    """Wait until a container has done its work, and remove it; one that goes on is left to."""
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        state = engine.container(name)
        if state is None:
            return
        if state.has_ended:
            engine.remove(name)
            return
        time.sleep(_POLL_S)


def _nothing(line: bytes) -> None:
    del line
