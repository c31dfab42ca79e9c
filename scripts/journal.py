"""A pytest plugin: notes each test's outcome in a file at once, runs one shard, and goes on.

The suite counts what the journal says, so that a run that was killed is counted honestly, and the
next run of the same shard starts after the last test that passed.
"""

import json
import re
from pathlib import Path

import pytest

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"
LOST = "lost"
"""Failed because a request was lost or answered by a version that was gone: never tried again."""

_LOSS = re.compile(r"\b[1-9]\d* lost\b|\b[1-9]\d* stale\b")


def outcomes(journal: Path) -> dict[str, str]:
    """What a journal says of each test: its latest line counts."""
    found: dict[str, str] = {}
    if journal.exists():
        for line in journal.read_text(encoding="utf-8").splitlines():
            entry = _entry(line)
            if entry is not None:
                found[entry[0]] = entry[1]
    return found


def shard_bounds(total: int, shard: str) -> tuple[int, int]:
    """First and last plus one of the items that `K/N` takes; raises ValueError for nonsense."""
    number, count = fraction(shard)
    return total * (number - 1) // count, total * number // count


def fraction(text: str) -> tuple[int, int]:
    """K and N of `K/N`; raises ValueError for nonsense."""
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
    if match is None or int(match[1]) > int(match[2]):
        raise ValueError(f"{text!r} is not a shard such as 1/4")
    return int(match[1]), int(match[2])


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options."""
    group = parser.getgroup("journal")
    group.addoption("--journal", metavar="FILE", help="note each test's outcome in FILE")
    group.addoption("--go-on", action="store_true", help="leave out what the journal says passed")
    group.addoption("--second-try", action="store_true", help="only what the journal says failed")
    group.addoption("--shard", metavar="K/N", default="1/1", help="run the K-th of N parts")
    group.addoption("--every", metavar="K/N", default="1/1", help="of each N tests run the K-th")


def pytest_configure(config: pytest.Config) -> None:
    """Register the writer where a journal is asked for."""
    if path := config.getoption("journal"):
        config.pluginmanager.register(Journal(Path(path)), "underway-journal")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep this shard's tests (neighbours, so that they share laboratories) that did not pass."""
    first, end = shard_bounds(len(items), config.getoption("shard"))
    number, step = fraction(config.getoption("every"))
    path = config.getoption("journal")
    is_again = config.getoption("second_try")
    done = outcomes(Path(path)) if path and (config.getoption("go_on") or is_again) else {}
    mine = items[first:end][number - 1 :: step]
    kept = [item for item in mine if done.get(item.nodeid) != PASSED]
    if is_again:
        kept = [item for item in mine if done.get(item.nodeid) == FAILED]
    left_out = set(items) - set(kept)
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = kept


class Journal:
    """Appends a line per finished test, and per file that could not be collected."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._phases: dict[str, list[str]] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported is a failure of its own."""
        if report.failed:
            self._write(report.nodeid, FAILED)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Join set-up, call and tear-down into one outcome."""
        phases = self._phases.setdefault(report.nodeid, [])
        is_loss = report.failed and _LOSS.search(report.longreprtext) is not None
        phases.append(LOST if is_loss else report.outcome)
        if report.when == "teardown":
            outcome = next((o for o in (LOST, FAILED, SKIPPED) if o in phases), PASSED)
            self._write(report.nodeid, outcome)
            del self._phases[report.nodeid]

    def _write(self, test: str, outcome: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"test": test, "outcome": outcome}) + "\n")


def _entry(line: str) -> tuple[str, str] | None:
    """One line; None for the half line that a killed run may leave."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return str(entry["test"]), str(entry["outcome"])
