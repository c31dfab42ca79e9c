"""Commands in one container of ours over one attached exec, so that each costs no exec of its own.

The tools image brings `serve-commands`, which this speaks with. Where it is missing, or its
connection broke, a command is run by an exec of its own: every command given here may be repeated.
"""

import secrets
import threading
import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from underway.adapters.engine.connection import Call
from underway.adapters.engine.engine import DockerEngine
from underway.adapters.engine.streams import FrameParser, RawStream
from underway.errors import EngineError, UnreachableError
from underway.model.names import HostName
from underway.ports.output import ExecResult

_SERVER: Final = "serve-commands"
_STDOUT: Final = 1
_STDERR: Final = 2


class CommandServer:
    """Runs commands in `container`. Safe to use from several threads: one command at a time."""

    def __init__(self, engine: DockerEngine, container: str, *, moved: int | None = None) -> None:
        """Nothing is opened before the first command.

        `moved` is the exit status by which a command says that another container may have the
        name by now: it is run once more, in the one that has.
        """
        self._engine = engine
        self._container = container
        self._moved = moved
        self._guard = threading.Lock()
        self._attached: _Attached | None = None
        self._is_missing = False
        engine.connection.on_close(self._drop)

    @property
    def host(self) -> HostName:
        """The host."""
        return self._engine.host

    def execute(
        self, name: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30
    ) -> ExecResult:
        """See `ports.Engine.execute`; `name` is the container this was made for."""
        if name == self._container and not self._is_missing:
            with self._guard:
                try:
                    deadline = time.monotonic() + timeout_s
                    was_attached = self._attached is not None
                    result = self._serve(command, stdin, deadline)
                    if not was_attached or result.exit_code != self._moved:
                        return result
                    self._drop()
                    return self._serve(command, stdin, deadline)
                except _BrokenError:
                    self._drop()
                except TimeoutError as error:
                    self._drop()
                    raise EngineError(
                        "command-timeout",
                        f"{self.host}: run `{command[0]}` in {name}: not done in {timeout_s:g} s",
                        hint="Give it more time, or look in the container at what it waits for.",
                    ) from error
        return self._engine.execute(name, command, stdin=stdin, timeout_s=timeout_s)

    def _serve(self, command: Sequence[str], stdin: bytes, deadline: float) -> ExecResult:
        if self._attached is None:
            self._attached = _Attached(self._engine, self._container)
        return self._attached.run(command, stdin, deadline)

    def _drop(self) -> None:
        attached, self._attached = self._attached, None
        if attached is not None:
            self._is_missing = self._is_missing or not attached.has_answered
            attached.close()


class _BrokenError(Exception):
    """The conversation ended in the middle."""


class _Attached:
    """One running `serve-commands`."""

    def __init__(self, engine: DockerEngine, container: str) -> None:
        what = f"run `{_SERVER}` in {container}"
        body = {
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": False,
            "Cmd": [_SERVER],
        }
        path = f"/containers/{quote(container, safe='')}/exec"
        self._confirm = engine.connection.confirm
        made = engine.connection.post(Call("POST", path, what, body=body))["Id"]
        start = {"Detach": False, "Tty": False}
        self._stream = RawStream(engine.connection, f"/exec/{made}/start", what, start)
        self._parser = FrameParser()
        self.has_answered = False

    def run(self, command: Sequence[str], stdin: bytes, deadline: float) -> ExecResult:
        """Send one command and read until both streams tell its end."""
        token = secrets.token_hex(16)
        head = f"{token} {len(command)} {len(stdin)}\n".encode()
        arguments = b"".join(argument.encode() + b"\0" for argument in command)
        self._confirm()
        try:
            self._stream.send(
                head + arguments + stdin, timeout_s=max(0.1, deadline - time.monotonic())
            )
        except UnreachableError as error:
            raise _BrokenError from error
        output = {_STDOUT: bytearray(), _STDERR: bytearray()}
        mark = b"\0" + token.encode()
        while not all(self._is_whole(output[stream], mark) for stream in output):
            try:
                data = self._stream.receive(deadline=deadline)
            except TimeoutError:
                raise
            except OSError as error:
                raise _BrokenError from error
            if not data:
                raise _BrokenError
            for frame in self._parser.feed(data):
                output[frame.stream] += frame.payload
        self.has_answered = True
        stdout, _, status = bytes(output[_STDOUT]).rpartition(mark)
        stderr, _, _ = bytes(output[_STDERR]).rpartition(mark)
        return ExecResult(int(status), stdout, stderr)

    def close(self) -> None:
        """End it: it sees the end of its input."""
        self._stream.close()

    @staticmethod
    def _is_whole(output: bytearray, mark: bytes) -> bool:
        return output.endswith(b"\n") and mark in output[-len(mark) - 8 :]
