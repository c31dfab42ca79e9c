"""A WebSocket may end with a goodbye; a cut is lost, unless the drain's limit is over."""

import asyncio
import base64
import hashlib
import struct
from dataclasses import replace

import pytest

from lab.load import Kind, Outcome, Result
from lab.load.run import Run
from lab.load.websocket import ACCEPT_SUFFIX
from tests.unit.lab_load.servers import QUIET, Behaviour, Peer, load_against

SOCKETS = replace(QUIET, websockets=2)


async def open_websocket(peer: Peer) -> None:
    lines = (await peer.request()).decode().split("\r\n")
    (key,) = [line.split(": ")[1] for line in lines if line.startswith("Sec-WebSocket-Key")]
    sha = hashlib.sha1((key + ACCEPT_SUFFIX).encode(), usedforsecurity=False)
    head = "HTTP/1.1 101 Switching Protocols\r\nX-Version: v1\r\n"
    accept = f"Sec-WebSocket-Accept: {base64.b64encode(sha.digest()).decode()}\r\n\r\n"
    peer.writer.write((head + accept).encode())


async def echo(peer: Peer, times: int) -> None:
    for _ in range(times):
        opcode, size = await peer.reader.readexactly(2)
        size &= 0x7F
        mask = await peer.reader.readexactly(4)
        data = bytes(b ^ mask[i & 3] for i, b in enumerate(await peer.reader.readexactly(size)))
        peer.writer.write(bytes((opcode, size)) + data)


def ending_with(payload: bytes | None, *, is_reset: bool = False) -> Behaviour:
    async def behave(peer: Peer) -> None:
        await open_websocket(peer)
        await echo(peer, 2)
        if payload is not None:
            peer.writer.write(bytes((0x88, len(payload))) + payload)
            await peer.reader.read()
        if is_reset:
            peer.reset()

    return behave


def outcomes_of(result: Result) -> set[str]:
    return set(result.kinds[Kind.WEBSOCKET].outcomes)


@pytest.mark.parametrize("code", [1000, 1001])
def test_a_goodbye_is_not_lost_and_the_socket_is_opened_anew(code: int) -> None:
    result = load_against(ending_with(struct.pack("!H", code)), SOCKETS, duration_s=0.4)
    assert outcomes_of(result) <= {Outcome.GOODBYE, Outcome.OK}
    assert result.count(Outcome.GOODBYE) > SOCKETS.websockets
    assert result.kinds[Kind.MESSAGE].outcomes[Outcome.OK] >= 4
    assert result.lost == 0


@pytest.mark.parametrize(
    "behave",
    [
        ending_with(None),
        ending_with(None, is_reset=True),
        ending_with(struct.pack("!H", 1011)),
        ending_with(b""),
    ],
    ids=["closed", "reset", "code 1011", "no code"],
)
def test_an_end_without_a_goodbye_is_a_cut_and_lost(behave: Behaviour) -> None:
    result = load_against(behave, SOCKETS, duration_s=0.4)
    assert outcomes_of(result) <= {Outcome.CUT, Outcome.OK}
    assert result.lost == result.count(Outcome.CUT, Kind.WEBSOCKET) >= SOCKETS.websockets


def test_a_socket_that_lives_to_the_end_is_ok() -> None:
    async def behave(peer: Peer) -> None:
        await open_websocket(peer)
        await echo(peer, 1000)

    result = load_against(behave, SOCKETS)
    assert result.kinds[Kind.WEBSOCKET].outcomes == {Outcome.OK: 2}
    assert result.kinds[Kind.WEBSOCKET].max_ms < 140  # the handshake, not the life


def test_a_missing_echo_is_timed_out_once() -> None:
    async def behave(peer: Peer) -> None:
        await open_websocket(peer)
        await peer.reader.read()

    mix = replace(SOCKETS, timeout_s=0.1, websockets=1)
    result = load_against(behave, mix, duration_s=0.1)
    assert result.kinds[Kind.WEBSOCKET].outcomes == {Outcome.TIMED_OUT: 1}
    assert result.lost == 1


def test_a_wrong_accept_value_is_a_wrong_body() -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        head = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n"
        peer.writer.write(head)
        await peer.reader.read()

    assert outcomes_of(load_against(behave, SOCKETS)) == {Outcome.WRONG_BODY}


@pytest.mark.parametrize(("limit_s", "outcome"), [(0.1, Outcome.DRAIN_OVER), (9, Outcome.CUT)])
def test_a_cut_is_lost_only_before_the_drain_is_over(limit_s: float, outcome: Outcome) -> None:
    drained, opened = asyncio.Event(), asyncio.Event()

    async def behave(peer: Peer) -> None:
        await open_websocket(peer)
        opened.set()
        await drained.wait()

    async def drain(run: Run) -> None:
        await opened.wait()
        run.tally.markers.drain(limit_s)
        await asyncio.wait({run.stopped}, timeout=0.2)
        drained.set()

    mix = replace(SOCKETS, websockets=1, ping_every_s=9)
    result = load_against(behave, mix, meanwhile=drain, duration_s=0.35)
    assert result.count(outcome, Kind.WEBSOCKET) == 1
    assert result.lost == (outcome is Outcome.CUT)
