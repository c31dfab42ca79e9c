"""The journal counts honestly and goes on where a run ended."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.journal import FAILED, LOST, PASSED, SKIPPED, outcomes, shard_bounds
from scripts.suite import Lane, run_tests
from tests.architecture.sources import ROOT

TESTS = """
import pathlib, pytest
def test_good(): pass
def test_bad(): assert pathlib.Path({flag!r}).exists()
def test_left_out(): pytest.skip("not here")
@pytest.fixture
def broken():
    yield
    raise RuntimeError
def test_torn_down_badly(broken): pass
"""


ALONE = ("-p", "no:cacheprovider", "-c", "/dev/null")


def lane(tmp_path: Path, selection: tuple[str, ...]) -> Lane:
    return Lane("some", tmp_path / "journal", selection)


def run(tmp_path: Path, *arguments: str) -> str:
    pytest_alone = ("-m", "pytest", *ALONE)
    journal = ("-p", "scripts.journal", "--journal", str(tmp_path / "journal"))
    place = ("--rootdir", str(tmp_path), str(tmp_path / "test_some.py"))
    done = subprocess.run(
        [sys.executable, *pytest_alone, *journal, *place, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    flag = tmp_path / "flag"
    (tmp_path / "test_some.py").write_text(TESTS.format(flag=str(flag)))
    return flag


def by_name(tmp_path: Path) -> dict[str, str]:
    found = outcomes(tmp_path / "journal")
    return {test.rpartition("::")[2]: outcome for test, outcome in found.items()}


@pytest.mark.slow
def test_each_outcome_is_noted_and_a_bad_tear_down_is_a_failure(tmp_path: Path, flag: Path):
    run(tmp_path)
    assert not flag.exists()
    assert by_name(tmp_path) == {
        "test_good": PASSED,
        "test_bad": FAILED,
        "test_left_out": SKIPPED,
        "test_torn_down_badly": FAILED,
    }


@pytest.mark.slow
def test_the_next_run_goes_on_with_what_did_not_pass(tmp_path: Path, flag: Path):
    run(tmp_path)
    flag.touch()
    again = run(tmp_path, "--go-on")
    assert by_name(tmp_path)["test_bad"] == PASSED
    assert "1 deselected" in again
    (tmp_path / "journal").write_text("")
    assert "deselected" not in run(tmp_path, "--go-on")


@pytest.mark.slow
def test_a_file_that_cannot_be_imported_is_a_failure(tmp_path: Path):
    (tmp_path / "test_some.py").write_text("import nothing_of_this_name\n")
    run(tmp_path)
    assert set(by_name(tmp_path).values()) == {FAILED}


def test_half_a_line_of_a_killed_run_is_left_out(tmp_path: Path):
    journal = tmp_path / "journal"
    journal.write_text('{"test": "a", "outcome": "passed"}\n{"test": "b", "outc')
    assert outcomes(journal) == {"a": PASSED}


@pytest.mark.parametrize("total", [0, 1, 7, 100])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_shards_take_every_test_once(total: int, count: int):
    bounds = [shard_bounds(total, f"{number}/{count}") for number in range(1, count + 1)]
    taken = [index for first, end in bounds for index in range(first, end)]
    assert taken == list(range(total))


@pytest.mark.parametrize("shard", ["", "0/1", "2/1", "1", "1/0", "a/b", "1/2/3"])
def test_nonsense_is_no_shard(shard: str):
    with pytest.raises(ValueError, match="shard"):
        shard_bounds(10, shard)


@pytest.mark.slow
def test_lanes_take_turns_and_leave_nothing_out(tmp_path: Path, flag: Path):
    flag.touch()
    taken = []
    for number in (1, 2):
        (tmp_path / "journal").unlink(missing_ok=True)
        run(tmp_path, "--every", f"{number}/2")
        taken.append(set(by_name(tmp_path)))
    assert [len(tests) for tests in taken] == [2, 2]
    assert len(taken[0] | taken[1]) == 4


@pytest.mark.slow
def test_a_run_that_collects_nothing_is_a_failure(tmp_path: Path):
    nothing = ("-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path))
    assert run_tests([lane(tmp_path, nothing)]) == (0, 1)


SECOND = """
import pathlib
flag = pathlib.Path({flag!r})
def test_late():
    tried = flag.exists()
    flag.touch()
    assert tried, "not done within 10 s"
def test_lost():
    raise AssertionError("3 lost, 0 stale of 900 requests")
def test_always():
    assert not flag
"""


@pytest.mark.slow
def test_only_a_failure_that_lost_no_request_gets_a_second_try(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    place = tmp_path / "test_some.py"
    place.write_text(SECOND.format(flag=str(tmp_path / "flag")))
    selection = (*ALONE, "--rootdir", str(tmp_path), str(place))
    assert run_tests([lane(tmp_path, selection)]) == (1, 2)
    assert by_name(tmp_path) == {"test_late": PASSED, "test_lost": LOST, "test_always": FAILED}
    said = capfd.readouterr().out
    assert "second try: 2 of 3 tests" in said
    assert "passed on the second try only: " in said


@pytest.mark.slow
def test_a_journal_that_exists_does_not_move_the_configuration(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    (tmp_path / "journal").write_text("")
    run_tests([lane(tmp_path, ("tests/unit/scripts", "-k", "half_a_line"))])
    assert "configfile: pyproject.toml" in capfd.readouterr().out


@pytest.mark.slow
def test_lanes_run_side_by_side_and_count_together(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """Each waits for the other: one after the other, neither would pass."""
    meeting = """
import pathlib, time
def test_meets():
    pathlib.Path({mine!r}).touch()
    until = time.monotonic() + 30
    while not pathlib.Path({other!r}).exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert pathlib.Path({other!r}).exists()
def test_bad(): assert {good}
"""
    lanes = []
    for mine, other in (("a", "b"), ("b", "a")):
        place = tmp_path / mine / "test_some.py"
        place.parent.mkdir()
        paths = {"mine": str(tmp_path / f"{mine}.flag"), "other": str(tmp_path / f"{other}.flag")}
        place.write_text(meeting.format(**paths, good=mine == "a"))
        selection = (*ALONE, "--rootdir", str(place.parent), str(place))
        lanes.append(Lane(mine, tmp_path / f"journal-{mine}", selection))
    assert run_tests(lanes) == (3, 1)
    said = capfd.readouterr().out
    assert "second try: 1 of 4 tests" in said
    assert "FAILED" in said.partition("b:\n")[2], "the second lane is shown when it has ended"
