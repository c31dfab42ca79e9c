"""The WebSocket client (RFC 6455): handshake, echo traffic, and a judgement of how it ended."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.load.outcome import ExchangeError, Outcome

if TYPE_CHECKING:
    from lab.load.wire import Connection, Response

ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SWITCHING = 101
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
BYTES_16, BYTES_64 = 126, 127
GOODBYE_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session ended, with the code of the close frame (0: there was none)."""

    outcome: Outcome
    code: int
    detail: str


def upgrade_head(path: str, common: str) -> tuple[bytes, str]:
    """Return the handshake's head and the accept value the server must prove it with."""
    key = base64.b64encode(os.urandom(16)).decode()
    sha = hashlib.sha1((key + ACCEPT_SUFFIX).encode(), usedforsecurity=False)
    head = (
        f"GET {path} HTTP/1.1\r\n{common}Upgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    return head.encode(), base64.b64encode(sha.digest()).decode()


def check_upgrade(response: Response, accept: str) -> None:
    """Raise ExchangeError unless the answer opens a WebSocket."""
    if response.status != SWITCHING:
        raise ExchangeError(
            Outcome.WRONG_STATUS, f"status {response.status}", status=response.status
        )
    if response.headers.get("sec-websocket-accept") != accept:
        raise ExchangeError(Outcome.WRONG_BODY, "wrong Sec-WebSocket-Accept")


def masked_frame(opcode: int, payload: bytes) -> bytes:
    """Return one final frame from client to server; at most 65,535 bytes of payload."""
    mask = os.urandom(4)
    size = len(payload)
    short = struct.pack("!BB", 0x80 | opcode, 0x80 | size) if size < BYTES_16 else b""
    head = short or struct.pack("!BBH", 0x80 | opcode, 0x80 | BYTES_16, size)
    return head + mask + bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))


async def read_frame(connection: Connection) -> tuple[int, bytes]:
    """Return opcode and payload of the next frame; raises ExchangeError at the end."""
    first, second = await connection.receive(2)
    size = second & 0x7F
    if size >= BYTES_16:
        size = int.from_bytes(await connection.receive(2 if size == BYTES_16 else 8))
    return first & 0x0F, await connection.receive(size)


class Session:
    """An open WebSocket: echoes are asked for one at a time, everything else is read along."""

    def __init__(self, connection: Connection, goodbye_codes: tuple[int, ...]) -> None:
        self._connection = connection
        self._goodbye_codes = goodbye_codes
        self._awaited: tuple[bytes, asyncio.Future[None]] | None = None
        self.reader = asyncio.create_task(self._read())

    async def ping(self, text: str, answer: str) -> None:
        """Send `text` and return when `answer` came back; the caller sets the time limit."""
        future = asyncio.get_running_loop().create_future()
        self._awaited = (answer.encode(), future)
        self._connection.write(masked_frame(TEXT, text.encode()))
        await future

    async def leave(self) -> Ending:
        """Say goodbye first and return how the server took it."""
        if self.reader.done():
            return self.reader.result()
        self._connection.write(masked_frame(CLOSE, struct.pack("!H", 1000)))
        await asyncio.wait({self.reader}, timeout=GOODBYE_WAIT_S)
        self._connection.close()
        ending = self.reader.result() if self.reader.done() else None
        self.reader.cancel()
        return Ending(Outcome.OK, ending.code if ending else 0, "left by the client")

    def abandon(self) -> None:
        """Close without a goodbye: the peer has stopped to answer."""
        self.reader.cancel()
        self._connection.close()

    async def _read(self) -> Ending:
        try:
            while True:
                opcode, payload = await read_frame(self._connection)
                if opcode == CLOSE:
                    return self._close(payload)
                if opcode == PING:
                    self._connection.write(masked_frame(PONG, payload))
                if self._awaited and payload == self._awaited[0] and not self._awaited[1].done():
                    self._awaited[1].set_result(None)
        except ExchangeError as error:
            return Ending(Outcome.CUT, 0, f"no goodbye: {error.detail}")

    def _close(self, payload: bytes) -> Ending:
        code = int.from_bytes(payload[:2]) if len(payload) > 1 else 1005
        self._connection.write(masked_frame(CLOSE, payload[:2]))
        if code in self._goodbye_codes:
            return Ending(Outcome.GOODBYE, code, f"goodbye {code}")
        return Ending(Outcome.CUT, code, f"closed with code {code}")
