"""Running commands in containers, bytes intact, and reading what containers wrote."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from underway.adapters.engine.border import refusal, silence
from underway.adapters.engine.connection import Call, Connection
from underway.adapters.engine.streams import Frame, FrameParser, RawStream
from underway.errors import EngineError, UnderwayError
from underway.ports.output import ExecResult, LogLine

_STDOUT: Final = 1
_STDERR: Final = 2
_NOT_BEGUN: Final = 126
_SETTLE_S: Final = 5.0
_POLL_S: Final = 0.02


class Execution:
    """Exec and logs of one engine."""

    def __init__(self, connection: Connection) -> None:
        """Use `connection`."""
        self._connection = connection

    def execute(
        self, name: str, command: Sequence[str], *, stdin: bytes, timeout_s: float
    ) -> ExecResult:
        """See `ports.Engine.execute`; EngineError `command-timeout` after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        what = f"run `{command[0]}` in {name}"
        body = {
            "AttachStdin": bool(stdin),
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": False,
            "Cmd": list(command),
        }
        path = f"/containers/{quote(name, safe='')}/exec"
        made = self._connection.post(Call("POST", path, what, body=body))["Id"]
        start = {"Detach": False, "Tty": False}
        stream = RawStream(self._connection, f"/exec/{made}/start", what, start)
        try:
            frames = self._converse(stream, stdin, deadline, what)
        except TimeoutError as error:
            raise EngineError(
                "command-timeout",
                f"{self._connection.host}: {what}: not done within {timeout_s:g} s",
                hint="Give it more time, or look in the container at what it waits for.",
            ) from error
        finally:
            stream.close()
        result = ExecResult(
            self._exit_code(made, what),
            b"".join(frame.payload for frame in frames if frame.stream == _STDOUT),
            b"".join(frame.payload for frame in frames if frame.stream == _STDERR),
        )
        self._refuse_without_space(what, result)
        return result

    def _refuse_without_space(self, what: str, result: ExecResult) -> None:
        """Raise where the engine could not even begin: it says so as if the command had."""
        told = result.stdout + result.stderr
        if result.exit_code == _NOT_BEGUN and told.startswith(b"OCI runtime"):
            error = refusal(self._connection.host, what, 0, told.decode("utf-8", "replace"))
            if error.code == "no-space":
                raise error

    def logs(
        self, name: str, *, tail: int, follow: bool, since_s: float, until_s: float = 0
    ) -> Iterator[LogLine]:
        """See `ports.Engine.logs`."""
        what = f"read the logs of {name}"
        path = f"/containers/{quote(name, safe='')}"
        has_tty = bool(self._connection.read(f"{path}/json", what)["Config"]["Tty"])
        params = {
            "stdout": "1",
            "stderr": "1",
            "timestamps": "1",
            "follow": "1" if follow else "0",
            "tail": str(tail) if tail else "all",
            "since": f"{since_s:.9f}" if since_s else "0",
            **({"until": f"{until_s:.9f}"} if until_s else {}),
        }
        silence_s = None if follow else 60.0
        call = Call("GET", f"{path}/logs", what, params, timeout_s=silence_s, is_stream=True)
        return _lines(self._connection.stream(call), has_tty=has_tty)

    def _converse(self, stream: RawStream, stdin: bytes, deadline: float, what: str) -> list[Frame]:
        """Write the input while reading the output, until the command's output ends."""
        writer = None
        if stdin:
            writer = threading.Thread(target=_feed, args=(stream, stdin, deadline), daemon=True)
            writer.start()
        parser = FrameParser()
        frames: list[Frame] = []
        try:
            while data := stream.receive(deadline=deadline):
                frames.extend(parser.feed(data))
        except TimeoutError:
            raise
        except OSError as error:
            raise silence(self._connection.host, what, error) from error
        finally:
            stream.close()
            if writer is not None:
                writer.join()
        return frames

    def _exit_code(self, made: str, what: str) -> int:
        """The exit status; the engine notes it a moment after the output ended."""
        deadline = time.monotonic() + _SETTLE_S
        while True:
            state: dict[str, Any] = self._connection.read(f"/exec/{made}/json", what)
            if not state["Running"] and state["ExitCode"] is not None:
                return int(state["ExitCode"])
            if time.monotonic() > deadline:
                raise EngineError(
                    "command-timeout",
                    f"{self._connection.host}: {what}: closed its output but still runs",
                    hint="Let the command end before it closes its output.",
                )
            time.sleep(_POLL_S)


def _feed(stream: RawStream, data: bytes, deadline: float) -> None:
    """A command may end without reading all of its input: that is its own business."""
    with suppress(UnderwayError):
        stream.send(data, timeout_s=max(0.1, deadline - time.monotonic()))
        stream.end_input()


def _lines(chunks: Iterator[bytes], *, has_tty: bool) -> Iterator[LogLine]:
    parser = FrameParser()
    rest = {_STDOUT: b"", _STDERR: b""}
    for chunk in chunks:
        for frame in [Frame(_STDOUT, chunk)] if has_tty else parser.feed(chunk):
            begun = rest[frame.stream]
            payload = frame.payload if has_tty or not begun else _continued(frame.payload)
            *whole, rest[frame.stream] = (begun + payload).split(b"\n")
            for line in whole:
                yield _line(line, frame.stream, has_tty=has_tty)
    for stream, line in rest.items():
        if line:
            yield _line(line, stream, has_tty=has_tty)


def _continued(payload: bytes) -> bytes:
    """The rest of a line that is longer than what engines keep in one piece (16 KiB).

    Each piece has a frame of its own, and its own time at its head.
    """
    return payload.partition(b" ")[2]


def _line(raw: bytes, stream: int, *, has_tty: bool) -> LogLine:
    head, _, data = raw.partition(b" ")
    if has_tty:
        data = data.removesuffix(b"\r")
    text = data.decode("utf-8", "replace").rstrip("\r")
    is_text = text.encode() == data
    moment = head.decode("ascii", "replace")
    return LogLine(text, moment, is_stderr=stream == _STDERR, raw=b"" if is_text else data)
