"""`ports.conversation.Conversation` over the Engine API: exec, and attach to a container."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from underway.adapters.engine.border import border, silence
from underway.adapters.engine.connection import Call, Connection
from underway.adapters.engine.streams import FrameParser, RawStream
from underway.errors import EngineError, UnderwayError
from underway.model.names import ContainerName
from underway.ports.conversation import CommandWish, Piece, Size

_STDERR: Final = 2
_SEND_S: Final = 3600.0
"""A command may leave its input unread for long: that is its own business."""
_POLL_S: Final = 0.02
_SLOW_POLL_S: Final = 0.3
_PATIENT: Final = 50


class EngineConversation:
    """One command's input and output. `ended` tells its exit status, None while it runs."""

    def __init__(
        self,
        connection: Connection,
        stream: RawStream,
        ended: Callable[[], int | None],
        *,
        has_tty: bool,
        resizing: str,
    ) -> None:
        """Take a stream over; `resizing` is the path that takes its terminal's size."""
        self._connection = connection
        self._stream = stream
        self._ended = ended
        self._pieces = _raw(stream) if has_tty else _framed(stream)
        self._resizing = resizing

    def send(self, data: bytes) -> None:
        """See `ports.conversation.Conversation`."""
        self._stream.send(data, timeout_s=_SEND_S)

    def end_input(self) -> None:
        """See `ports.conversation.Conversation`."""
        self._stream.end_input()

    def receive(self) -> Piece | None:
        """See `ports.conversation.Conversation`."""
        try:
            return next(self._pieces, None)
        except OSError as error:
            raise silence(self._connection.host, "talk with a command", error) from error

    def resize(self, size: Size) -> None:
        """See `ports.conversation.Conversation`; one that has ended has no terminal any more."""
        params = {"h": str(size.rows), "w": str(size.columns)}
        call = Call("POST", self._resizing, "tell a terminal's size", params)
        with suppress(EngineError):
            self._connection.send(call)

    def exit_code(self) -> int:
        """See `ports.conversation.Conversation`; the engine notes it a moment after the end."""
        tries = 0
        while (code := self._ended()) is None:
            tries += 1
            time.sleep(_POLL_S if tries < _PATIENT else _SLOW_POLL_S)
        return code

    def close(self) -> None:
        """See `ports.conversation.Conversation`."""
        self._stream.close()


def begin_command(
    connection: Connection, name: ContainerName, wish: CommandWish
) -> EngineConversation:
    """Run a command in a running container; EngineError `container-not-running`."""
    what = f"run `{wish.command[0]}` in {name}"
    body: dict[str, Any] = {
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": wish.has_tty,
        "Cmd": list(wish.command),
        "Env": [f"{variable.name}={variable.value}" for variable in wish.environment],
        "User": wish.user,
        "WorkingDir": wish.directory,
    }
    path = f"/containers/{quote(name, safe='')}/exec"
    made = connection.post(Call("POST", path, what, body=body))["Id"]
    start = {"Detach": False, "Tty": wish.has_tty}
    stream = RawStream(connection, f"/exec/{made}/start", what, start)

    def ended() -> int | None:
        state: dict[str, Any] = connection.read(f"/exec/{made}/json", what)
        return None if state["Running"] else state["ExitCode"]

    return EngineConversation(
        connection, stream, ended, has_tty=wish.has_tty, resizing=f"/exec/{made}/resize"
    )


def attach_command(
    connection: Connection, name: ContainerName, *, has_tty: bool
) -> EngineConversation:
    """Talk with a container's own command; attached before its start, nothing is missed.

    Its exit status is asked for ahead of its end: the engine may remove it then.
    """
    what = f"attach to {name}"
    path = f"/containers/{quote(name, safe='')}"
    stream = RawStream(connection, f"{path}/attach?stream=1&stdin=1&stdout=1&stderr=1", what)
    params = {"condition": "next-exit"}
    call = Call("POST", f"{path}/wait", what, params, timeout_s=None, is_stream=True)
    try:
        answer = connection.send(call)
    except UnderwayError:
        stream.close()
        raise

    def ended() -> int:
        with border(connection.host, f"wait for {name}"):
            return int(answer.json()["StatusCode"])

    return EngineConversation(connection, stream, ended, has_tty=has_tty, resizing=f"{path}/resize")


def _framed(stream: RawStream) -> Iterator[Piece]:
    parser = FrameParser()
    while data := stream.receive(deadline=None):
        for frame in parser.feed(data):
            yield Piece(frame.payload, is_stderr=frame.stream == _STDERR)


def _raw(stream: RawStream) -> Iterator[Piece]:
    while data := stream.receive(deadline=None):
        yield Piece(data)
