"""Each way a request can end is counted in exactly its own class."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from lab.load import Kind, Mix, Outcome, Result, Target
from lab.load.run import Run
from tests.unit.lab_load.servers import (
    QUIET,
    WHO,
    Peer,
    closed_port,
    good,
    load_against,
    run_against,
)

FRESH = replace(QUIET, fresh_per_s=40)
KEPT = replace(QUIET, keep_alive_per_s=40, connections=1)
POSTS = replace(QUIET, post_per_s=40)


def assert_only(result: Result, kind: Kind, outcome: Outcome) -> None:
    assert list(result.kinds) == [kind], result.table()
    assert result.kinds[kind].outcomes == {outcome: result.requests}, result.table()
    assert result.requests >= 5
    expected_lost = 0 if outcome in {Outcome.OK, Outcome.STALE} else result.requests
    assert result.lost == expected_lost


@pytest.mark.parametrize(("mix", "kind"), [(FRESH, Kind.FRESH), (KEPT, Kind.KEEP_ALIVE)])
def test_right_answers_are_ok_and_named(mix: Mix, kind: Kind) -> None:
    result = load_against(good, mix)
    assert_only(result, kind, Outcome.OK)
    assert result.versions == {"v1": result.requests}
    assert [(who.version, who.replica) for who in result.answerers] == [("v1", "r1")]
    assert sum(second.versions["v1"] for second in result.timeline) == result.requests
    result.check()


def test_a_closed_port_is_refused() -> None:
    result = asyncio.run(run_against(Target("edge1", "127.0.0.1", closed_port()), FRESH))
    assert_only(result, Kind.FRESH, Outcome.REFUSED)


@pytest.mark.parametrize("way", ["reset", "close"])
def test_no_byte_of_answer_is_reset(way: str) -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        if way == "reset":
            peer.reset()

    assert_only(load_against(behave, FRESH), Kind.FRESH, Outcome.RESET)


def test_a_reused_connection_that_dies_without_an_answer_is_lost() -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.answer()
        await peer.request()

    result = load_against(behave, KEPT)
    outcomes = result.kinds[Kind.KEEP_ALIVE].outcomes
    assert set(outcomes) == {Outcome.OK, Outcome.RESET}
    assert outcomes[Outcome.RESET] == result.lost >= 2
    assert all("request 2 on it" in incident.connection for incident in result.incidents)
    assert f"{result.lost} lost" in result.explain()
    with pytest.raises(AssertionError, match="request 2 on it"):
        result.check()


def test_a_close_that_was_announced_loses_nothing() -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.answer(more="Connection: close\r\n")

    assert_only(load_against(behave, KEPT), Kind.KEEP_ALIVE, Outcome.OK)


def test_a_close_while_nothing_is_asked_loses_nothing() -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.answer()

    assert_only(load_against(behave, KEPT), Kind.KEEP_ALIVE, Outcome.OK)


@pytest.mark.parametrize(
    "part",
    [
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
    ],
)
def test_half_an_answer_is_truncated(part: bytes) -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.writer.write(part)

    assert_only(load_against(behave, FRESH), Kind.FRESH, Outcome.TRUNCATED)


def test_no_answer_in_time_is_timed_out() -> None:
    async def behave(peer: Peer) -> None:
        await peer.reader.read()

    result = load_against(behave, replace(FRESH, timeout_s=0.2))
    assert_only(result, Kind.FRESH, Outcome.TIMED_OUT)


def test_what_is_unanswered_at_the_end_of_the_grace_is_timed_out() -> None:
    async def behave(peer: Peer) -> None:
        await peer.reader.read()

    async def stop(run: Run) -> None:
        await asyncio.wait({run.stopped}, timeout=0.2)
        run.stop("stop", grace_s=0.1)

    result = load_against(behave, replace(FRESH, timeout_s=60), duration_s=9, meanwhile=stop)
    assert result.elapsed_s < 2
    assert_only(result, Kind.FRESH, Outcome.TIMED_OUT)


def test_an_error_page_is_a_wrong_status_per_code() -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.answer(b"<html>", status="503 Service Unavailable")

    result = load_against(behave, FRESH)
    assert_only(result, Kind.FRESH, Outcome.WRONG_STATUS)
    assert result.kinds[Kind.FRESH].statuses == {"503": result.requests}


@pytest.mark.parametrize("body", [b"hello", b'{"version": 7}', b"{}", b"[1]"])
def test_a_page_that_names_no_version_is_a_wrong_body(body: bytes) -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.answer(body)

    assert_only(load_against(behave, FRESH), Kind.FRESH, Outcome.WRONG_BODY)


def test_a_page_of_another_version_than_its_header_is_a_wrong_body() -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.answer(WHO, more="X-Version: v2\r\n")

    assert_only(load_against(behave, FRESH), Kind.FRESH, Outcome.WRONG_BODY)


def test_an_acknowledgement_of_another_body_is_a_wrong_body() -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        await peer.reader.readexactly(POSTS.post_bytes)
        peer.answer(b'{"sha256": "00"}')

    assert_only(load_against(behave, POSTS), Kind.POST, Outcome.WRONG_BODY)


def test_an_early_refusal_of_an_upload_is_a_wrong_status() -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.answer(b"", status="413 Content Too Large", more="Connection: close\r\n")
        with contextlib.suppress(OSError):
            await peer.reader.read()

    mix = replace(QUIET, upload_per_s=40, upload_bytes=1 << 20, upload_bytes_per_s=4 << 20)
    assert_only(load_against(behave, mix), Kind.UPLOAD, Outcome.WRONG_STATUS)


def test_an_answer_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    async def behave(peer: Peer) -> None:
        await peer.request()
        peer.answer()
        await peer.writer.drain()
        await asyncio.sleep(0)
        peer.answer(b"{}", status="408 Request Timeout")
        await peer.reader.read()

    assert_only(load_against(behave, KEPT), Kind.KEEP_ALIVE, Outcome.OK)


def test_too_many_in_flight_is_said_to_be_the_generators_limit() -> None:
    async def behave(peer: Peer) -> None:
        await peer.reader.read()

    async def narrow(run: Run) -> None:
        run.order = replace(run.order, bounds=replace(run.order.bounds, in_flight=1))

    result = load_against(behave, replace(FRESH, timeout_s=0.3), meanwhile=narrow)
    outcomes = result.kinds[Kind.FRESH].outcomes
    assert outcomes[Outcome.TIMED_OUT] == 1
    assert outcomes[Outcome.NOT_SENT] == result.requests - 1 > 2
