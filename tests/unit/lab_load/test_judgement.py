"""What a test declares changes how answers and breaks are judged, from that moment on."""

import asyncio
from dataclasses import replace

from lab.load import Kind, Outcome
from lab.load.run import Run
from tests.unit.lab_load.servers import QUIET, Peer, good, load_against

FRESH = replace(QUIET, fresh_per_s=60)


async def until(run: Run, requests: int) -> None:
    deadline = asyncio.get_running_loop().time() + 5
    while run.tally.result("").requests < requests:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


def test_another_version_after_the_cutover_is_stale() -> None:
    async def expect(run: Run) -> None:
        await until(run, 4)
        run.tally.markers.expect(frozenset({"v2"}))

    result = load_against(good, FRESH, meanwhile=expect, duration_s=0.4)
    outcomes = result.kinds[Kind.FRESH].outcomes
    assert outcomes[Outcome.OK] >= 4
    assert outcomes[Outcome.STALE] == result.requests - outcomes[Outcome.OK] >= 4
    assert (result.lost, result.stale) == (0, outcomes[Outcome.STALE])
    assert "answered by v1 r1" in result.explain()


def test_an_expectation_can_name_several_versions_and_be_lifted() -> None:
    async def expect(run: Run) -> None:
        run.tally.markers.expect(frozenset({"v1", "v2"}))
        await until(run, 4)
        run.tally.markers.expect(frozenset())

    assert load_against(good, FRESH, meanwhile=expect).stale == 0


def test_a_request_sent_before_the_cutover_may_be_answered_by_the_old() -> None:
    asked = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await asyncio.sleep(0.3)
        peer.answer()

    async def expect(run: Run) -> None:
        await asked.wait()
        run.stop("test")
        run.tally.markers.expect(frozenset({"v2"}))

    result = load_against(slow, FRESH, meanwhile=expect, duration_s=5)
    assert result.kinds[Kind.FRESH].outcomes == {Outcome.OK: result.requests}


def test_a_retired_replica_that_answers_is_stale() -> None:
    async def retire(run: Run) -> None:
        await until(run, 3)
        run.tally.markers.retire("r1")

    result = load_against(good, FRESH, meanwhile=retire)
    assert result.stale > 0
    assert result.stale + result.count(Outcome.OK) == result.requests


def test_breaks_on_a_target_declared_to_be_cut_are_counted_apart() -> None:
    async def reset(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    async def declare(run: Run) -> None:
        run.tally.markers.cut("edge1", begins=True)
        await until(run, 4)
        run.tally.markers.cut("edge1", begins=False)
        await until(run, 8)

    result = load_against(reset, FRESH, meanwhile=declare, duration_s=0.4)
    counted = result.targets["edge1"]
    assert counted[Outcome.EXPECTED_CUT] >= 4
    assert counted[Outcome.RESET] == result.lost >= 3


def test_an_error_page_is_lost_even_where_a_cut_is_expected() -> None:
    async def refuse(peer: Peer) -> None:
        await peer.request()
        peer.answer(b"", status="503 Service Unavailable")

    async def declare(run: Run) -> None:
        run.tally.markers.cut("edge1", begins=True)

    result = load_against(refuse, FRESH, meanwhile=declare)
    assert result.lost == result.requests > 3


def test_latency_counts_from_the_due_time_through_a_stall() -> None:
    stall = asyncio.Event()

    async def stalled(peer: Peer) -> None:
        while True:
            await peer.request()
            await stall.wait()
            peer.answer()

    async def release(run: Run) -> None:
        await asyncio.wait({run.stopped}, timeout=0.3)
        stall.set()

    mix = replace(QUIET, keep_alive_per_s=50, connections=1, timeout_s=5)
    result = load_against(stalled, mix, meanwhile=release, duration_s=0.6)
    report = result.kinds[Kind.KEEP_ALIVE]
    # A closed loop would have sent one request into the stall and 15 after it: p50 of a millisecond
    # or so. Here all 15 that were due in the stall were sent, and waited for its end.
    assert report.outcomes == {Outcome.OK: result.requests}
    assert 26 <= result.requests <= 30
    assert 250 <= report.max_ms <= 500
    assert report.p90_ms >= 150
