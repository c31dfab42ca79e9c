"""Beacon: the smallest application that still shows everything a deploy can break.

One file, standard library only, up in a fraction of a second. It says who answers (version, replica,
instance), answers slowly, streams, takes uploads, holds WebSockets, ends in order on SIGTERM, and fails on
purpose where BEACON_FAIL says so (a comma separated list, see the README beside this file).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

KEEP_ALIVE_IDLE_S = 75.0
CHUNK_BYTES = 65536
SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,120}")
WEBSOCKET_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; read once at start."""

    version: str
    replica: str
    address: str
    port: int
    data: Path | None
    secrets: Path
    unready: Path
    refuse_from: frozenset[str]
    faults: Mapping[str, str]
    environment_sha256: str
    instance: str = field(default_factory=lambda: os.urandom(6).hex())

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Return the settings; /data counts only where something is mounted there."""
        data = Path(env.get("BEACON_DATA", "/data"))
        ours = "\n".join(f"{k}={v}" for k, v in sorted(env.items()) if k.startswith("BEACON_"))
        faults = [part for part in env.get("BEACON_FAIL", "").split(",") if part]
        return cls(
            version=env.get("BEACON_VERSION", "dev"),
            replica=env.get("BEACON_REPLICA") or socket.gethostname(),
            address=env.get("BEACON_ADDRESS", "0.0.0.0"),
            port=int(env.get("BEACON_PORT", "8080")),
            data=data if "BEACON_DATA" in env or data.is_mount() else None,
            secrets=Path(env.get("BEACON_SECRETS", "/run/secrets")),
            unready=Path(env.get("BEACON_UNREADY", "/tmp/unready")),
            refuse_from=frozenset(env.get("BEACON_REFUSE_FROM", "").split(",")) - {""},
            faults={name: value for name, _, value in (fault.partition(":") for fault in faults)},
            environment_sha256=hashlib.sha256(ours.encode(errors="surrogateescape")).hexdigest(),
        )


@dataclass(slots=True)
class Request:
    """One request; the body is read by whoever wants it, and what nobody read is skipped."""

    method: str
    target: str
    headers: Mapping[str, str]
    peer: str
    keep_alive: bool
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_body_read: bool = False

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, from either framing."""
        self.is_body_read = True
        if self.headers.get("expect", "").lower() == "100-continue":
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            async for piece in self._exactly(int(self.headers.get("content-length", "0"))):
                yield piece
            return
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            async for piece in self._exactly(size):
                yield piece
            await self.reader.readexactly(2)
        while await self.reader.readuntil(b"\r\n") != b"\r\n":
            pass

    async def _exactly(self, size: int) -> AsyncIterator[bytes]:
        while size:
            piece = await self.reader.read(min(size, CHUNK_BYTES))
            if not piece:
                raise ConnectionResetError
            size -= len(piece)
            yield piece


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of known length."""

    status: int
    body: bytes
    content_type: str = "application/json"


def as_json(value: object, status: int = 200) -> Answer:
    """Return `value` as a JSON answer with a closing newline."""
    return Answer(status, json.dumps(value).encode() + b"\n")


class Beacon:
    """The server: everything between the first accept and the exit status."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stopping = asyncio.Event()
        self.quiet = asyncio.Event()
        self.quiet.set()
        self.in_flight = 0
        self.writers: set[asyncio.StreamWriter] = set()
        self.started = time.monotonic()

    async def serve(self) -> int:
        """Serve until SIGTERM, finish what is in flight, return the exit status."""
        await asyncio.sleep(float(self.settings.faults.get("listen-after", "0")))
        server = await asyncio.start_server(
            self._connection, self.settings.address, self.settings.port, backlog=1024
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._terminate)
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._terminate)
        port = server.sockets[0].getsockname()[1]
        say(f"beacon {self.settings.version} {self.settings.replica} serves on port {port}")
        await self.stopping.wait()
        await self.quiet.wait()
        server.close()
        for writer in self.writers:
            writer.close()
        await asyncio.sleep(0)
        say("beacon ends: nothing in flight")
        return 0

    def _terminate(self) -> None:
        if "ignore-term" in self.settings.faults:
            return say("SIGTERM ignored on purpose")
        if "drop-on-term" in self.settings.faults:
            for writer in self.writers:
                writer.transport.abort()
            os._exit(1)
        say(f"SIGTERM: {self.in_flight} in flight")
        return self.stopping.set()

    def is_ready(self, peer: str = "") -> bool:
        """Whether /up says 200 to `peer`; every way of not being ready stands here."""
        faults = self.settings.faults
        age_s = time.monotonic() - self.started
        return not (
            self.stopping.is_set()
            or self.settings.unready.exists()
            or "never-ready" in faults
            or age_s < float(faults.get("ready-after", "0"))
            or ("gate" in faults and not Path(faults["gate"]).exists())
            or not self.settings.replica.startswith(faults.get("serve-on", ""))
            or peer in self.settings.refuse_from
        )

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError) as error:
            if not isinstance(error, (OSError, EOFError, TimeoutError)):
                say(f"a client spoke no HTTP: {error!r}")
        finally:
            self.writers.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), KEEP_ALIVE_IDLE_S)
        self.in_flight += 1
        self.quiet.clear()
        try:
            request = parse_head(head, reader, writer)
            keep_alive = await self._route(request)
            await writer.drain()
            return keep_alive
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self.quiet.set()

    async def _route(self, request: Request) -> bool:
        """Answer one request; returns whether another one may follow on the connection."""
        path = urlsplit(request.target).path
        if path == "/live" and "websocket" in request.headers.get("upgrade", "").lower():
            await self._live(request)
            return False
        if path == "/events":
            await self._events(request)
            return False
        try:
            answer = await self._answer(request, path)
        except FileNotFoundError:
            answer = as_json({"error": "not found"}, HTTPStatus.NOT_FOUND)
        if not request.is_body_read:
            async for _ in request.body():
                pass
        keep_alive = request.keep_alive and not self.stopping.is_set()
        body = b"" if request.method == "HEAD" else answer.body
        request.writer.write(
            self._head(answer.status, answer.content_type)
            + f"Content-Length: {len(answer.body)}\r\n".encode()
            + (b"\r\n" if keep_alive else b"Connection: close\r\n\r\n")
            + body
        )
        return keep_alive

    def _head(self, status: int, content_type: str) -> bytes:
        who = f"X-Version: {self.settings.version}\r\nX-Replica: {self.settings.replica}\r\n"
        line = f"HTTP/1.1 {int(status)} {HTTPStatus(status).phrase}\r\n"
        return f"{line}Content-Type: {content_type}\r\n{who}".encode()

    def _who(self) -> Answer:
        mine = self.settings
        names = {"version": mine.version, "replica": mine.replica, "instance": mine.instance}
        return as_json({**names, "env": mine.environment_sha256})

    async def _answer(self, request: Request, path: str) -> Answer:
        first, _, name = path.lstrip("/").partition("/")
        match request.method, first, SAFE_NAME.fullmatch(name) and name:
            case "GET" | "HEAD", "" | "version", _:
                return self._who()
            case "GET" | "HEAD", "users-path", _:
                broken = "broken-users-path" in self.settings.faults
                return as_json({"error": "broken on purpose"}, 500) if broken else self._who()
            case "GET" | "HEAD" | "OPTIONS", "up", _:
                ready = self.is_ready(request.peer)
                return as_json({"ready": ready}, 200 if ready else 503)
            case "GET", "slow", _:
                wanted = parse_qs(urlsplit(request.target).query).get("s", ["3"])[0]
                await asyncio.sleep(min(float(wanted), 600))
                return self._who()
            case "GET", "env", str(known) if known.startswith("BEACON_"):
                value = os.environb.get(known.encode())
                return as_json({}, 404) if value is None else Answer(200, value, "text/plain")
            case "GET", "secret", str(known):
                value = (self.settings.secrets / known).read_bytes()
                return as_json({"sha256": hashlib.sha256(value).hexdigest(), "length": len(value)})
            case "POST", "echo", _:
                return as_json(await digest(request, None))
            case "PUT" | "GET", "files", str(known) if self.settings.data:
                return await stored(request, self.settings.data / known)
            case _, "files", str(_):
                return as_json({"error": "nothing is mounted at /data"}, 507)
            case _:
                return as_json({"error": "not found"}, 404)

    async def _events(self, request: Request) -> None:
        """An event stream that ends in order when the process is told to."""
        extra = b"Cache-Control: no-store\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        request.writer.write(self._head(200, "text/event-stream") + extra)
        number = 0
        while not self.stopping.is_set():
            number += 1
            event = f'id: {number}\ndata: {{"version": "{self.settings.version}"}}\n\n'.encode()
            request.writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await request.writer.drain()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), 0.5)
        request.writer.write(b"0\r\n\r\n")

    async def _live(self, request: Request) -> None:
        """A WebSocket: a message a second, everything echoed, goodbye (1001) on SIGTERM."""
        key = request.headers["sec-websocket-key"].encode() + WEBSOCKET_KEY_SUFFIX
        accept = base64.b64encode(hashlib.sha1(key, usedforsecurity=False).digest()).decode()
        head = self._head(101, "text/plain") + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        request.writer.write(head + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        echo = asyncio.create_task(echo_frames(request))
        number = 0
        while not echo.done() and not self.stopping.is_set():
            number += 1
            tick = json.dumps({"tick": number, "version": self.settings.version}).encode()
            request.writer.write(frame(TEXT, tick))
            stop = asyncio.create_task(self.stopping.wait())
            await asyncio.wait({echo, stop}, timeout=1, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
        if not echo.done():
            request.writer.write(frame(CLOSE, struct.pack("!H", 1001) + b"going away"))
            await asyncio.wait({echo}, timeout=2)
        if not echo.cancel():
            echo.result()


def say(line: str) -> None:
    """Print a line to the container's log at once."""
    print(line, flush=True)


def parse_head(
    head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Request:
    """Return the request; raises ValueError for what is no HTTP."""
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, protocol = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    wish = headers.get("connection", "").lower()
    keep_alive = "close" not in wish if protocol == "HTTP/1.1" else "keep-alive" in wish
    peer = writer.get_extra_info("peername")[0]
    return Request(method, target, headers, peer, keep_alive, reader, writer)


async def digest(request: Request, target: Path | None) -> dict[str, object]:
    """Hash the body while it streams, and keep it in `target`, durable before this returns."""
    sha, length = hashlib.sha256(), 0
    part = target and target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    with part.open("wb") if part else open(os.devnull, "wb") as out:  # noqa: ASYNC230, PTH123, SIM115
        async for piece in request.body():
            sha.update(piece)
            length += len(piece)
            out.write(piece)
        if part and target:
            out.flush()
            await asyncio.to_thread(os.fsync, out.fileno())
            await asyncio.to_thread(settle, part, target)
    return {"sha256": sha.hexdigest(), "length": length}


def settle(part: Path, target: Path) -> None:
    """Rename into place and make the directory entry durable too."""
    part.rename(target)
    directory = os.open(target.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


async def stored(request: Request, path: Path) -> Answer:
    """Keep (PUT) or return (GET) one file."""
    if request.method == "GET":
        content = await asyncio.to_thread(path.read_bytes)
        return Answer(200, content, "application/octet-stream")
    return as_json({"id": path.name, **await digest(request, path)}, HTTPStatus.CREATED)


def frame(opcode: int, payload: bytes) -> bytes:
    """One unmasked, final WebSocket frame."""
    size = len(payload)
    head = bytes([0x80 | opcode, size]) if size < 126 else struct.pack("!BBH", 0x80 | opcode, 126, size)
    return head + payload


async def echo_frames(request: Request) -> None:
    """Echo messages and answer pings until the client says goodbye or is gone."""
    reader, writer = request.reader, request.writer
    with suppress(OSError, EOFError):
        while True:
            first, second = await reader.readexactly(2)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8))
            if size > CHUNK_BYTES - 1 or not second & 0x80:
                writer.write(frame(CLOSE, struct.pack("!H", 1009 if second & 0x80 else 1002)))
                return
            mask = await reader.readexactly(4)
            masked = await reader.readexactly(size)
            payload = bytes(byte ^ mask[i & 3] for i, byte in enumerate(masked))
            match first & 0x0F:
                case 8:
                    writer.write(frame(CLOSE, payload[:2]))
                    return
                case 9:
                    writer.write(frame(PONG, payload))
                case 1 | 2 as opcode:
                    writer.write(frame(opcode, payload))
            await writer.drain()


def crash(settings: Settings) -> None:
    """End the way a broken release ends: a traceback as the last lines, status 3."""
    say("Traceback (most recent call last):")
    say('  File "/app/beacon.py", line 1, in connect')
    say(f"RuntimeError: {settings.version} cannot reach its database (BEACON_FAIL)")
    os._exit(3)


async def run(settings: Settings, command: str) -> int:
    """Serve, or tick as a worker, with the faults that both have."""
    faults = settings.faults
    after = faults.get("crash-after", "1" if "crash-loop" in faults else None)
    if "crash-at-start" in faults:
        crash(settings)
    if after is not None:
        asyncio.get_running_loop().call_later(float(after), crash, settings)
    beacon = Beacon(settings)
    return await (beacon.serve() if command == "serve" else beacon.work())


def healthy(settings: Settings) -> int:
    """Ask our own /up; 0 when ready, 1 otherwise."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", settings.port), 1) as probe:
        probe.sendall(b"GET /up HTTP/1.0\r\n\r\n")
        return 0 if b" 200 " in probe.recv(64) else 1
    return 1


def migrate(settings: Settings, fault: str) -> int:
    """Append a line to the record of migrations, or fail, or hang."""
    say(f"migrating to {settings.version}")
    if fault == "hang":
        signal.pause()
    if fault == "fail":
        say("migration failed on purpose (BEACON_MIGRATE)")
        return 1
    if settings.data:
        with (settings.data / "migrations.log").open("a") as log:
            log.write(f"{settings.version} {settings.replica} {settings.instance}\n")
            log.flush()
            os.fsync(log.fileno())
    return 0


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status."""
    settings = Settings.read(os.environ)
    match arguments or ["serve"]:
        case ["serve" | "worker" as command]:
            return asyncio.run(run(settings, command))
        case ["healthy"]:
            return healthy(settings)
        case ["migrate"]:
            return migrate(settings, os.environ.get("BEACON_MIGRATE", ""))
        case _:
            say("usage: beacon.py [serve|worker|healthy|migrate]")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
