"""The load beside a test: its own process, its markers, its bounds, and reading back."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lab.load import (
    BEACON_FILES,
    Bounds,
    Kind,
    Load,
    LoadEndedEarlyError,
    LoadError,
    Mix,
    Outcome,
    Result,
    Target,
    libra,
    read_back,
)
from lab.load.order import Order
from lab.load.result import Acknowledged
from tests.unit.lab_load.beacons import running
from tests.unit.lab_load.servers import QUIET

ROOT = Path(__file__).resolve().parents[3]
EVERY_KIND = Mix(
    keep_alive_per_s=60,
    fresh_per_s=20,
    slow_per_s=0,
    post_per_s=20,
    upload_per_s=5,
    websockets=2,
    ping_every_s=0.1,
    upload_bytes=300_000,
    upload_bytes_per_s=0,
)
BRISK = replace(QUIET, keep_alive_per_s=50)


def test_every_kind_is_counted_and_every_upload_can_be_read_back(tmp_path: Path) -> None:
    with running(BEACON_DATA=str(tmp_path)) as beacon:
        target = Target("edge1", "127.0.0.1", beacon.port)
        with Load([target], host="beacon.test", mix=EVERY_KIND, profile=BEACON_FILES) as load:
            load.expect("v1")
            load.wait_until(lambda found: len(found.journal) >= 3, what="three uploads")
            result = load.stop()
        result.check()
        assert set(result.kinds) == {*Kind} - {Kind.SLOW}
        assert Result.from_json(result.to_json()) == result
        found = read_back(result.journal, [target], host="beacon.test", profile=BEACON_FILES)
        assert (found.right, found.wrong) == (len(result.journal), ())

        lost, changed, *_ = result.journal
        (tmp_path / lost.identifier).unlink()
        (tmp_path / changed.identifier).write_bytes(b"something else")
        found = read_back(result.journal, [target], host="beacon.test", profile=BEACON_FILES)
        assert found.right == len(result.journal) - 2
        assert "status 404" in found.wrong[0]
        assert "14 bytes that differ" in found.wrong[1]


def test_reading_nothing_back_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to read back"):
        read_back((), [Target("e", "127.0.0.1", 1)], host="h", profile=BEACON_FILES)


def test_an_edge_that_is_gone_is_named_when_reading_back() -> None:
    write = Acknowledged("u1", "00", 1, "edge1", 0.0)
    found = read_back([write], [Target("e", "127.0.0.1", 1)], host="h", profile=BEACON_FILES)
    assert found.right == 0
    assert "u1 through e: refused" in found.wrong[0]


def test_sigterm_gives_sockets_a_goodbye_and_the_end_is_refused_then() -> None:
    with running() as beacon:
        mix = replace(QUIET, websockets=3)
        with Load([f"127.0.0.1:{beacon.port}"], host="beacon.test", mix=mix) as load:
            load.wait_until(lambda found: found.count(Outcome.OK, Kind.MESSAGE) >= 3)
            assert beacon.end() == 0
            load.wait_until(lambda found: found.count(Outcome.REFUSED) >= 3)
            result = load.stop()
    assert result.count(Outcome.GOODBYE) >= 3
    assert result.count(Outcome.CUT) == 0
    # The application was not drained: whoever comes back at once may meet the closing door.
    assert result.lost == result.count(Outcome.REFUSED) + result.count(Outcome.RESET)


def test_dropping_everything_on_sigterm_is_a_cut() -> None:
    with running(BEACON_FAIL="drop-on-term") as beacon:
        mix = replace(QUIET, websockets=3)
        with Load([f"127.0.0.1:{beacon.port}"], host="beacon.test", mix=mix) as load:
            load.wait_until(lambda found: found.count(Outcome.OK, Kind.MESSAGE) >= 3)
            assert beacon.end() == 1
            load.wait_until(lambda found: found.count(Outcome.CUT) >= 3)
            assert load.stop().count(Outcome.GOODBYE) == 0


def test_markers_reach_the_other_process() -> None:
    with running(BEACON_REPLICA="web-1") as beacon:
        target = f"edge1=127.0.0.1:{beacon.port}"
        with Load([target], host="beacon.test", mix=BRISK) as load:
            load.wait_until(lambda found: found.requests >= 5)
            load.expect("v2")
            first = load.wait_until(lambda found: found.stale >= 5).stale
            load.expect()
            load.retire("web-1")
            load.wait_until(lambda found: found.stale >= first + 5)
            load.drain(30)
            with load.cut_expected("edge1"):
                beacon.process.kill()
                load.wait_until(lambda found: found.count(Outcome.EXPECTED_CUT) >= 5)
            with pytest.raises(ValueError, match="edge9"), load.cut_expected("edge9"):
                pass
            result = load.stop()
    assert result.count(Outcome.REFUSED) + result.count(Outcome.RESET) == result.lost


@pytest.mark.parametrize("bounds", [Bounds(duration_s=0.2), Bounds(requests=5)])
def test_a_load_that_a_bound_ended_early_cannot_pass_for_a_whole_one(bounds: Bounds) -> None:
    with running() as beacon:
        target = f"127.0.0.1:{beacon.port}"
        with Load([target], host="beacon.test", mix=BRISK, bounds=bounds) as load:
            load.wait_until(lambda found: bool(found.ended_by))
            assert load.snapshot().requests <= 12
            with pytest.raises(LoadEndedEarlyError):
                load.stop()


def test_a_generator_that_is_gone_is_an_error_not_a_result() -> None:
    with Load(["127.0.0.1:1"], host="beacon.test", mix=BRISK) as load:
        assert load._process
        load._process.kill()
        with pytest.raises(LoadError):
            load.stop()


def test_an_order_without_traffic_or_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="proves nothing"):
        Load(["127.0.0.1:1"], host="h", mix=QUIET)
    with pytest.raises(ValueError, match="different names"):
        Load([], host="h")
    with pytest.raises(ValueError, match="duration"):
        Bounds(duration_s=0)
    with pytest.raises(ValueError, match="HOST:PORT"):
        Target.parse("edge1")


def test_an_order_travels_whole_and_shows_no_token() -> None:
    profile = libra("m1", "secret-token")
    target = Target("e", "127.0.0.1", 1, kinds=(Kind.POST,))
    order = Order((target,), "h", profile, EVERY_KIND, Bounds(5, 6, 7))
    assert Order.from_json(json.loads(json.dumps(order.to_json()))) == order
    assert "secret-token" not in repr(order)


def test_the_command_ends_with_status_1_if_something_was_lost_or_stale() -> None:
    with running() as beacon:
        command = [sys.executable, "-m", "lab.load", "--host", "beacon.test", "--duration", "0.3"]
        command += ["--mix", "slow_per_s=0", "--mix", "upload_per_s=0", "--mix", "websockets=0"]
        command += ["--target", f"127.0.0.1:{beacon.port}", "--expect"]
        fine = subprocess.run(
            [*command, "v1", "--json"], cwd=ROOT, capture_output=True, check=False
        )
        stale = subprocess.run([*command, "v2"], cwd=ROOT, capture_output=True, check=False)
    assert fine.returncode == 0, fine.stderr
    found = json.loads(fine.stdout)
    assert (found["lost"], found["stale"]) == (0, 0)
    assert found["requests"] > 30
    assert stale.returncode == 1
    assert b"0 lost" in stale.stdout
    assert b"answered by v1" in stale.stdout
