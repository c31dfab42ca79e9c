"""Raw two-way streams of the Engine API (exec, attach), and the frames inside them.

The connection is made here and not through the HTTP library: a library that reads ahead keeps
the first bytes of the stream in its own buffer, where they are lost. Frames follow the Engine API
reference, "Attach to a container, stream format".
"""

import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from underway.adapters.engine.border import border, refusal
from underway.adapters.engine.connection import Connection

_HEADER: Final = struct.Struct(">BxxxL")
_HEAD_LIMIT: Final = 65536
_CHUNK: Final = 65536
_CONNECT_S: Final = 10.0
_TAIL_S: Final = 0.2
_SWITCHING: Final = 101
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of output: `stream` is 1 for standard output, 2 for standard error."""

    stream: int
    payload: bytes


class FrameParser:
    """Takes bytes as they come, gives frames as they are complete."""

    def __init__(self) -> None:
        """Nothing is buffered yet."""
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that `data` completes."""
        buffer = self._rest + data
        place = 0
        while len(buffer) - place >= _HEADER.size:
            stream, length = _HEADER.unpack_from(buffer, place)
            end = place + _HEADER.size + length
            if len(buffer) < end:
                break
            yield Frame(stream, buffer[place + _HEADER.size : end])
            place = end
        self._rest = buffer[place:]


class RawStream:
    """A hijacked connection. One thread may read while another writes."""

    def __init__(self, connection: Connection, path: str, what: str, body: object = None) -> None:
        """POST `path` and switch protocols; UnreachableError or EngineError if that fails."""
        self._host = connection.host
        self._what = what
        version = connection.api_version
        self._early = b""
        with border(self._host, what):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._socket.settimeout(_CONNECT_S)
                self._socket.connect(str(connection.socket_path()))
                self._switch(f"/v{version}{path}", body)
            except BaseException:
                self._socket.close()
                raise

    def send(self, data: bytes, *, timeout_s: float) -> None:
        """Write all of `data`."""
        with border(self._host, self._what):
            self._socket.settimeout(timeout_s)
            self._socket.sendall(data)

    def end_input(self) -> None:
        """Close the half that writes: the other side sees the end of its input."""
        with border(self._host, self._what):
            self._socket.shutdown(socket.SHUT_WR)

    def receive(self, *, deadline: float | None) -> bytes:
        """Some bytes, or b"" at the end; TimeoutError after `deadline` (`time.monotonic`)."""
        if self._early:
            early, self._early = self._early, b""
            return early
        left_s = None if deadline is None else deadline - time.monotonic()
        if left_s is not None and left_s <= 0:
            raise TimeoutError
        self._socket.settimeout(left_s)
        return self._socket.recv(_CHUNK)

    def close(self) -> None:
        """End the connection, waking a thread that reads."""
        with suppress(OSError):  # the other side was faster
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _switch(self, path: str, body: object) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + content)
        answer = b""
        while b"\r\n\r\n" not in answer and len(answer) < _HEAD_LIMIT:
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                raise ConnectionResetError("the connection ended before the answer")
            answer += chunk
        head_bytes, _, self._early = answer.partition(b"\r\n\r\n")
        status = int(head_bytes.split(b" ", 2)[1])
        if status not in {_SWITCHING, _OK}:
            message = _message(self._early + self._rest_of_answer())
            raise refusal(self._host, self._what, status, message)

    def _rest_of_answer(self) -> bytes:
        """What follows of an error's body; the engine keeps the connection open behind it."""
        rest = b""
        self._socket.settimeout(_TAIL_S)
        with suppress(TimeoutError):
            while (chunk := self._socket.recv(_CHUNK)) and len(rest) < _HEAD_LIMIT:
                rest += chunk
        return rest


def _message(body: bytes) -> str:
    """The engine's message in an error's body, plain or in one chunk."""
    start, end = body.find(b"{"), body.rfind(b"}")
    try:
        return str(json.loads(body[start : end + 1])["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace")
