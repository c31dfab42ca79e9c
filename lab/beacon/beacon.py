"""Beacon: the smallest application that still shows everything a deploy can break.

It says who answers, answers slowly, streams, takes uploads, holds WebSockets, ends in order at
SIGTERM, and fails on purpose where BEACON_FAIL says so (see the README beside this file).
"""

import asyncio
import base64
import functools
import hashlib
import itertools
import json
import os
import re
import signal
import socket
import struct
import sys
import time
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

KEEP_ALIVE_IDLE_S = 75.0
CHUNK_BYTES = 65535
SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,120}")
WEBSOCKET_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SHORT, BYTES_16, CLOSE, PING, PONG = 126, 126, 8, 9, 10  # RFC 6455, 5.2

ENV = os.environ
VERSION = ENV.get("BEACON_VERSION", "dev")
REPLICA = ENV.get("BEACON_REPLICA") or socket.gethostname()
INSTANCE = os.urandom(6).hex()
ADDRESS = ENV.get("BEACON_ADDRESS", "0.0.0.0")
PORT = int(ENV.get("BEACON_PORT", "8080"))
DATA = Path(ENV.get("BEACON_DATA", "/data"))
HAS_DATA = "BEACON_DATA" in ENV or DATA.is_mount()  # writes outlive this container
SECRETS = Path(ENV.get("BEACON_SECRETS", "/run/secrets"))
UNREADY = Path(ENV.get("BEACON_UNREADY", "/tmp/unready"))
VALUES = "\n".join(sorted(f"{k}={v}" for k, v in ENV.items() if k.startswith("BEACON_")))
VALUES_SHA256 = hashlib.sha256(VALUES.encode(errors="surrogateescape")).hexdigest()
IDENTITY = {"version": VERSION, "replica": REPLICA, "instance": INSTANCE, "env": VALUES_SHA256}
FAULTS = dict((part + ":").split(":")[:2] for part in ENV.get("BEACON_FAIL", "").split(",") if part)
say = functools.partial(print, flush=True)  # the log shows a line at once
Answer = tuple[int, str, bytes]  # status, content type, body


class Request:
    """One request; ValueError for what is no HTTP; a body that nobody read is skipped later."""

    def __init__(self, head: bytes, reader: Reader, writer: Writer) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        self.method, target, protocol = first.split(" ")
        self.path, _, self.query = target.partition("?")
        pairs = (line.partition(":") for line in lines)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        wish = self.headers.get("connection", "").lower()
        self.keep_alive = "close" not in wish if protocol[-1] == "1" else "keep-alive" in wish
        self.reader, self.writer, self.is_body_read = reader, writer, False

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, from either framing."""
        self.is_body_read = True
        if self.headers.get("expect", "").lower() == "100-continue":
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
                yield await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readuntil(b"\r\n")
        left = int(self.headers.get("content-length", "0"))
        while left:
            piece = await self.reader.read(min(left, CHUNK_BYTES))
            if not piece:
                raise ConnectionResetError
            left -= len(piece)
            yield piece


def as_json(value: object, status: int = 200) -> Answer:
    """Return `value` as a JSON answer with a closing newline."""
    return status, "application/json", json.dumps(value).encode() + b"\n"


class Beacon:
    """The process: everything between start and exit status."""

    def __init__(self) -> None:
        self.stop = asyncio.get_running_loop().create_future()
        self.in_flight = 0
        self.writers: set[Writer] = set()
        self.started = time.monotonic()

    async def serve(self) -> int:
        """Serve until SIGTERM, finish what is in flight, return the exit status."""
        await asyncio.sleep(float(FAULTS.get("listen-after", "0")))
        server = await asyncio.start_server(self._connection, ADDRESS, PORT, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        say(f"beacon {VERSION} {REPLICA} serves on port {port}")
        await self.stop
        while self.in_flight:  # noqa: ASYNC110 (nothing is gained by an event here)
            await asyncio.sleep(0.01)
        server.close()
        for writer in self.writers:
            writer.close()
        while self.writers:  # noqa: ASYNC110 (until every answer has left)
            await asyncio.sleep(0.01)
        say("beacon ends: nothing in flight")
        return 0

    async def work(self) -> int:
        """Log a tick every second until SIGTERM; no port."""
        while not (await asyncio.wait({self.stop}, timeout=1))[0]:
            say(f"tick version={VERSION} replica={REPLICA}")
        return 0

    def terminate(self) -> None:
        """React to SIGTERM in order, or in the way BEACON_FAIL asks for."""
        say(f"SIGTERM: {self.in_flight} in flight")
        if "drop-on-term" in FAULTS:
            for writer in self.writers:
                writer.transport.abort()
            asyncio.get_running_loop().call_soon(os._exit, 1)
        elif "ignore-term" not in FAULTS and not self.stop.done():
            self.stop.set_result(None)

    def is_ready(self, peer: str) -> bool:
        """Whether /up says 200 to `peer`; every way of not being ready stands here."""
        age_s = time.monotonic() - self.started
        return not (
            self.stop.done()
            or UNREADY.exists()
            or "never-ready" in FAULTS
            or age_s < float(FAULTS.get("ready-after", "0"))
            or ("gate" in FAULTS and not Path(FAULTS["gate"]).exists())
            or not REPLICA.startswith(FAULTS.get("serve-on", ""))
            or peer in ENV.get("BEACON_REFUSE_FROM", "").split(",")
        )

    async def _connection(self, reader: Reader, writer: Writer) -> None:
        self.writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ValueError, KeyError, asyncio.LimitOverrunError) as error:
            say(f"a client spoke no HTTP of ours: {error!r}")
        except (OSError, EOFError):
            pass  # the client left, or was idle for too long
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self.writers.discard(writer)

    async def _exchange(self, reader: Reader, writer: Writer) -> bool:
        """Read and answer one request; returns whether another one may follow."""
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), KEEP_ALIVE_IDLE_S)
        self.in_flight += 1
        try:
            request = Request(head, reader, writer)
            streams = {"/live": self._live, "/events": self._events}
            return await streams.get(request.path, self._answer)(request)
        finally:
            self.in_flight -= 1

    async def _answer(self, request: Request) -> bool:
        try:
            status, content_type, body = await self._find(request)
        except FileNotFoundError as error:
            status, content_type, body = as_json({"error": str(error)}, 404)
        if not request.is_body_read:
            async for _ in request.body():
                pass
        keep_alive = request.keep_alive and not self.stop.done()
        more = [] if keep_alive else ["Connection: close"]
        head = self._head(status, content_type, f"Content-Length: {len(body)}", *more)
        request.writer.write(head + (b"" if request.method == "HEAD" else body))
        await request.writer.drain()
        return keep_alive

    def _head(self, status: int, content_type: str, *more: str) -> bytes:
        who = f"X-Version: {VERSION}", f"X-Replica: {REPLICA}"
        first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Type: {content_type}"
        return "\r\n".join((*first, *who, *more, "", "")).encode()

    async def _find(self, request: Request) -> Answer:  # noqa: C901, PLR0911 (a table)
        first, _, rest = request.path.lstrip("/").partition("/")
        name = rest if SAFE_NAME.fullmatch(rest) else ""
        match request.method, first:
            case "GET" | "HEAD", "users-path" if "broken-users-path" in FAULTS:
                return as_json({"error": "broken on purpose"}, 500)
            case "GET" | "HEAD", "" | "version" | "users-path":
                return as_json(IDENTITY)
            case "GET" | "HEAD" | "OPTIONS", "up":
                peer, _ = request.writer.get_extra_info("peername")
                return as_json({}, 200 if self.is_ready(peer) else 503)
            case "GET", "slow":
                wanted = parse_qs(request.query).get("s", ["3"])[0]
                await asyncio.sleep(min(float(wanted), 600))
                return as_json(IDENTITY)
            case "GET", "env" if name.startswith("BEACON_") and name in ENV:
                return 200, "text/plain", os.environb[name.encode()]
            case "GET", "secret" if name:
                value = await asyncio.to_thread((SECRETS / name).read_bytes)
                return as_json({"sha256": hashlib.sha256(value).hexdigest(), "length": len(value)})
            case "POST", "echo":
                return as_json(await digest(request, None))
            case "GET" | "PUT", "files" if not HAS_DATA:
                return as_json({"error": "nothing is mounted at /data"}, 507)
            case "GET", "files" if name:
                content = await asyncio.to_thread((DATA / name).read_bytes)
                return 200, "application/octet-stream", content
            case "PUT", "files" if name:
                return as_json(await digest(request, DATA / name), 201)
        return as_json({"error": "not found"}, 404)

    async def _events(self, request: Request) -> bool:
        """An event stream, one event each 0.5 s, that ends in order at SIGTERM."""
        more = "Cache-Control: no-store", "Transfer-Encoding: chunked", "Connection: close"
        request.writer.write(self._head(200, "text/event-stream", *more))
        event = f"data: {json.dumps(IDENTITY)}\n\n".encode()
        while not (await asyncio.wait({self.stop}, timeout=0.5))[0]:
            request.writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await request.writer.drain()
        request.writer.write(b"0\r\n\r\n")
        return False

    async def _live(self, request: Request) -> bool:
        """A WebSocket: a message a second, everything echoed, goodbye (1001) at SIGTERM."""
        key = request.headers["sec-websocket-key"] + WEBSOCKET_SUFFIX
        sha = hashlib.sha1(key.encode(), usedforsecurity=False)
        accept = base64.b64encode(sha.digest()).decode()
        more = "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"
        request.writer.write(self._head(101, "text/plain", *more))
        echo = asyncio.create_task(echo_frames(request))
        for number in itertools.count(1):
            tick = json.dumps({"tick": number, "version": VERSION})
            request.writer.write(frame(1, tick.encode()))
            if (await asyncio.wait({echo, self.stop}, timeout=1, return_when="FIRST_COMPLETED"))[0]:
                break
        if not echo.done():
            request.writer.write(frame(CLOSE, struct.pack("!H", 1001)))
            await asyncio.wait({echo}, timeout=2)
        echo.cancel()
        return False


async def digest(request: Request, target: Path | None) -> dict[str, object]:
    """Hash the body while it streams; with `target`, keep it there, durable before this returns."""
    sha, length = hashlib.sha256(), 0
    part = target.with_name(f".{target.name}.{os.urandom(4).hex()}") if target else Path(os.devnull)
    with part.open("wb") as out:
        async for piece in request.body():
            sha.update(piece)
            length += out.write(piece)
        if target:
            out.flush()
            part.rename(target)
            for path in (target, target.parent):
                await asyncio.to_thread(sync, path)
    return {"id": target and target.name, "sha256": sha.hexdigest(), "length": length}


def sync(path: Path) -> None:
    """Make a file's content, or a directory's entries, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def frame(opcode: int, payload: bytes) -> bytes:
    """One unmasked, final WebSocket frame of at most 65,535 bytes."""
    size = len(payload)
    long = struct.pack("!BBH", 0x80 | opcode, BYTES_16, size)
    return (long if size >= SHORT else bytes((0x80 | opcode, size))) + payload


async def echo_frames(request: Request) -> None:
    """Echo messages and answer pings until the client says goodbye or is gone."""
    with suppress(OSError, EOFError):
        while True:
            first, second = await request.reader.readexactly(2)
            opcode, size = first & 0x0F, second & 0x7F
            if size > BYTES_16 or not second & 0x80:
                return request.writer.write(frame(CLOSE, struct.pack("!H", 1009)))
            if size == BYTES_16:
                size = int.from_bytes(await request.reader.readexactly(2))
            mask = await request.reader.readexactly(4)
            masked = enumerate(await request.reader.readexactly(size))
            payload = bytes(byte ^ mask[i & 3] for i, byte in masked)
            request.writer.write(frame(PONG if opcode == PING else opcode, payload))
            await request.writer.drain()
            if opcode == CLOSE:
                return None


def crash() -> None:
    """End the way a broken release ends: a traceback as the last lines, status 3."""
    say('Traceback (most recent call last):\n  File "/app/database.py", line 12, in connect')
    say(f"RuntimeError: {VERSION} cannot reach its database (BEACON_FAIL)")
    os._exit(3)


async def run(command: str) -> int:
    """Serve or work, with the faults that both have."""
    if "crash-at-start" in FAULTS:
        crash()
    loop, beacon = asyncio.get_running_loop(), Beacon()
    if after_s := FAULTS.get("crash-after") or ("crash-loop" in FAULTS and "1"):
        loop.call_later(float(after_s), crash)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, beacon.terminate)
    return await (beacon.serve() if command == "serve" else beacon.work())


def healthy() -> int:
    """Ask our own /up; 0 when ready, 1 otherwise (an OSError's traceback included)."""
    with socket.create_connection(("127.0.0.1", PORT), 1) as probe:
        probe.sendall(b"GET /up HTTP/1.0\r\n\r\n")
        return 0 if b" 200 " in probe.recv(64) else 1


def migrate() -> int:
    """Append a line to the record of migrations, or fail, or hang."""
    fault = ENV.get("BEACON_MIGRATE", "")
    say(f"migrating to {VERSION} {fault}".rstrip())
    if fault == "hang":
        signal.pause()
    if fault:
        return 1
    if HAS_DATA:
        with (DATA / "migrations.log").open("a") as log:
            log.write(f"{VERSION} {REPLICA} {INSTANCE}\n")
        sync(DATA / "migrations.log")
    return 0


def main(command: str = "serve", *_: str) -> int:
    """Run one command; returns the exit status."""
    if command in {"serve", "worker"}:
        return asyncio.run(run(command))
    return {"healthy": healthy, "migrate": migrate}[command]()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
