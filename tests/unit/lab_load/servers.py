"""Tiny servers, good and deliberately bad, and a load against them inside one event loop."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lab.load import BEACON, Bounds, Mix, Profile, Result, Target
from lab.load.generator import Generator
from lab.load.order import Order
from lab.load.run import Run

QUIET = Mix(
    keep_alive_per_s=0,
    fresh_per_s=0,
    slow_per_s=0,
    post_per_s=0,
    upload_per_s=0,
    websockets=0,
    ping_every_s=0.05,
    timeout_s=1.0,
    connections=2,
)
WHO = b'{"version": "v1", "replica": "r1"}'


@dataclass
class Peer:
    """One connection at the server's side, and how many requests came on it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    requests: int = 0

    async def request(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        return head

    def answer(self, body: bytes = WHO, status: str = "200 OK", more: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        self.writer.write(head.encode() + body)

    def reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Peer], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(behave: Behaviour):
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            await behave(Peer(reader, writer))
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield Target("edge1", "127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def run_against(
    target: Target,
    mix: Mix,
    *,
    duration_s: float = 0.15,
    meanwhile: Callable[[Run], Awaitable[None]] | None = None,
    profile: Profile = BEACON,
) -> Result:
    run = Run(Order((target,), "beacon.test", profile, mix, Bounds(duration_s)))
    work = asyncio.create_task(Generator(run).generate())
    if meanwhile:
        await meanwhile(run)
    await work
    return run.tally.result(run.ended_by)


def load_against(
    behave: Behaviour,
    mix: Mix,
    *,
    duration_s: float = 0.15,
    meanwhile: Callable[[Run], Awaitable[None]] | None = None,
    profile: Profile = BEACON,
) -> Result:
    async def both() -> Result:
        async with serving(behave) as target:
            return await run_against(
                target, mix, duration_s=duration_s, meanwhile=meanwhile, profile=profile
            )

    return asyncio.run(both())


async def good(peer: Peer) -> None:
    """Answer every request rightly, for ever."""
    while True:
        await peer.request()
        peer.answer()
