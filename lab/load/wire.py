"""An HTTP/1.1 client connection that hides nothing: no retry, no redirect, no silent reconnect.

Whatever breaks is raised as an `ExchangeError` with the one outcome it belongs to. A connection
that the peer closes while nothing is asked of it is merely no longer reusable.
"""

from __future__ import annotations

import asyncio
import errno
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.load.outcome import ExchangeError, Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

CONNECT_TIMEOUT_S = 5.0
MAX_HEAD_BYTES = 65536
NO_BODY = frozenset({101, 204, 304})
OWN_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS})


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_last: bool  # the server announced that it closes the connection


class Connection(asyncio.Protocol):
    """One TCP connection and the answers that arrive on it."""

    def __init__(self) -> None:
        self.opened_at = time.monotonic()
        self.exchanges = 0
        self.ended = ""
        self.is_reusable = True
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._is_active = False
        self._has_answer = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (asyncio calls this)."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (TCP always is)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep what arrives (asyncio calls this)."""
        self._buffer += data
        self._has_answer = True
        if not self._is_active:
            self.close()  # nobody asked: whatever follows could answer the wrong question
        self._wake()

    def eof_received(self) -> None:
        """Note that the peer closed (asyncio calls this)."""
        self._end("closed by the peer")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note how the connection ended (asyncio calls this)."""
        self._end(f"{type(exc).__name__}: {exc}" if exc else "closed")

    def pause_writing(self) -> None:
        """Hold the sender back (asyncio calls this)."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let the sender go on (asyncio calls this)."""
        self._writable.set()

    def _end(self, reason: str) -> None:
        self.ended = self.ended or reason
        self.is_reusable = False
        self._writable.set()
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        """Close at once; harmless when closed already."""
        self.is_reusable = False
        if self._transport:
            self._transport.close()

    def write(self, data: bytes) -> None:
        """Hand bytes to the kernel, or to the buffer in front of it."""
        if self._transport and not self.ended:
            self._transport.write(data)

    @property
    def story(self) -> str:
        """Age and use of the connection, for whoever reads about a lost request."""
        age_s = time.monotonic() - self.opened_at
        return f"{age_s:.2f} s old, request {self.exchanges} on it"

    async def _more(self) -> None:
        if self.ended:
            outcome = Outcome.TRUNCATED if self._has_answer else Outcome.RESET
            got = (
                f"after {len(self._buffer)} unread bytes" if self._has_answer else "without a byte"
            )
            raise ExchangeError(outcome, f"{self.ended} {got}")
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    async def receive(self, size: int) -> bytes:
        """Return exactly `size` bytes; raises ExchangeError when the peer ends before."""
        while len(self._buffer) < size:
            await self._more()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def _receive_until(self, mark: bytes) -> bytes:
        while (end := self._buffer.find(mark)) < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise ExchangeError(Outcome.WRONG_BODY, "an endless head: this is no HTTP")
            await self._more()
        return await self.receive(end + len(mark))

    async def exchange(self, head: bytes, pieces: AsyncIterator[bytes] | None = None) -> Response:
        """Send one request and return its answer; raises ExchangeError for everything else."""
        self.exchanges += 1
        self._is_active, self._has_answer = True, False
        self.write(head)
        is_whole = True
        if pieces is not None:
            is_whole = await self._send(pieces)
        response = await self._read_response()
        self._is_active = response.status == 101  # noqa: PLR2004 (switching protocols)
        self.is_reusable = not (response.is_last or self._buffer or self.ended or not is_whole)
        return response

    async def _send(self, pieces: AsyncIterator[bytes]) -> bool:
        """Send a body until it ends, or until an early answer or the end of the connection."""
        async for piece in pieces:
            await self._writable.wait()
            if self.ended or self._buffer:
                return False
            self.write(piece)
        return True

    async def _read_response(self) -> Response:
        status = 100
        while status == 100:  # noqa: PLR2004 (an interim answer: the real one follows)
            first, *lines = (await self._receive_until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            protocol, _, rest = first.partition(" ")
            if not protocol.startswith("HTTP/1.") or not rest[:3].isdigit():
                raise ExchangeError(Outcome.WRONG_BODY, f"no HTTP: {first[:60]!r}")
            status = int(rest[:3])
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        is_last = protocol == "HTTP/1.0" or "close" in headers.get("connection", "").lower()
        body, is_framed = await self._read_body(status, headers)
        return Response(status, headers, body, is_last or not is_framed)

    async def _read_body(self, status: int, headers: Mapping[str, str]) -> tuple[bytes, bool]:
        """Return the body and whether its end was marked by more than the end of the connection."""
        if status in NO_BODY:
            return b"", True
        try:
            if "chunked" in headers.get("transfer-encoding", "").lower():
                return await self._read_chunks(), True
            if "content-length" in headers:
                return await self.receive(int(headers["content-length"])), True
        except ValueError as error:
            raise ExchangeError(Outcome.WRONG_BODY, f"broken framing: {error}") from error
        while not self.ended:
            await self._more()
        if self.ended != "closed by the peer":
            raise ExchangeError(Outcome.TRUNCATED, f"{self.ended} inside an unframed body")
        return await self.receive(len(self._buffer)), False

    async def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := int((await self._receive_until(b"\r\n")).split(b";")[0], 16):
            body += await self.receive(size)
            await self.receive(2)
        while await self._receive_until(b"\r\n") != b"\r\n":
            pass
        return bytes(body)


async def connect(host: str, port: int) -> Connection:
    """Open a connection; raises ExchangeError (refused, reset, timed out, not sent)."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, connection = await loop.create_connection(Connection, host, port)
    except TimeoutError as error:
        raise ExchangeError(Outcome.TIMED_OUT, "no connection in time") from error
    except ConnectionRefusedError as error:
        raise ExchangeError(Outcome.REFUSED, "connection refused") from error
    except ConnectionResetError as error:
        raise ExchangeError(Outcome.RESET, "reset while connecting") from error
    except OSError as error:
        mine = error.errno in OWN_LIMITS
        raise ExchangeError(Outcome.NOT_SENT if mine else Outcome.REFUSED, str(error)) from error
    return connection
