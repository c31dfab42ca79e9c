"""Runs the gates and the tests, and ends with one line that counts: `N passed, N failed`.

`check` takes seconds, `test` is everything that is always on, `test-all` adds the exhaustive tests:
in shards, and going on after the last test that passed as long as the checkout stays the same.
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import IO

from scripts.journal import FAILED, LOST, PASSED, outcomes, shard_bounds

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
GATES = {
    "lint": ("ruff", "check", "--quiet", "."),
    "format": ("ruff", "format", "--check", "--quiet", "."),
    "types": ("mypy", "--no-error-summary"),
    "imports": ("lint-imports",),
    "spelling": ("codespell",),
    "reference": ("python", "scripts/reference.py", "--check"),
}
FAST_TESTS = (
    "tests/architecture",
    "tests/unit",
    "--ignore=tests/unit/lab_beacon",
    "--ignore=tests/unit/lab_load",
    "-m",
    "not engine and not e2e and not exhaustive and not slow",
    "-q",
)
DURATIONS = ("--durations=30", "--durations-min=5")
E2E = ("-m", "e2e and not exhaustive", *DURATIONS)
LANES = {
    "e2e, the odd": (*E2E, "--every", "1/2"),
    "e2e, the even": (*E2E, "--every", "2/2"),
    "the rest": ("-m", "not e2e and not exhaustive", *DURATIONS),
}
"""What `test` runs side by side: each lane waits most of its time, and has its own engines."""
_GATE_TIMEOUT_S = 600
MOST_SECOND_TRIES = 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one suite; returns 0 only if nothing failed and something passed."""
    options = _parser().parse_args(arguments)
    os.chdir(ROOT)
    began = time.monotonic()
    failed_gates = run_gates()
    if options.suite == "test-all":
        journal = journal_path(options.shard)
        print(f"journal: {journal}", flush=True)
        selection = ("--go-on", "--shard", options.shard, *options.pytest)
        counts = run_tests([Lane("all", journal, selection)])
    else:
        wanted = {"check": FAST_TESTS} if options.suite == "check" else LANES
        with tempfile.TemporaryDirectory(prefix="underway-suite-") as directory:
            counts = run_tests(
                [
                    Lane(name, Path(directory) / f"journal-{number}", (*wish, *options.pytest))
                    for number, (name, wish) in enumerate(wanted.items())
                ]
            )
    passed = counts[0] + len(GATES) - len(failed_gates)
    failed = counts[1] + len(failed_gates)
    if failed_gates:
        print(f"failed before the tests: {', '.join(failed_gates)}")
    print(f"took {time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not counts[0] else 0


def run_gates() -> list[str]:
    """Run all gates, two at a time; returns the names of those that failed."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = pool.map(_gate, GATES.values())
        failed = []
        for name, (status, output, seconds) in zip(GATES, results, strict=True):
            print(f"{name:10} {'FAILED' if status else 'ok'} ({seconds:.1f} s)", flush=True)
            if status:
                failed.append(name)
                print(output, flush=True)
    return failed


@dataclass(frozen=True, slots=True)
class Lane:
    """Tests that one pytest runs: which, and where their outcomes are noted."""

    name: str
    journal: Path
    selection: tuple[str, ...]


def run_tests(lanes: Sequence[Lane]) -> tuple[int, int]:
    """Run lanes side by side; returns how many tests passed and failed, by their journals.

    A few that failed get a second try, alone on the machine: dozens of engines share two cores
    here, and a deadline may pass for want of them. It is said aloud, and a test that lost a
    request gets none. An end that no failed test explains (interrupted, a crash, nothing
    collected) is a failure too.
    """
    statuses = _pytest(lanes)
    first = {lane: outcomes(lane.journal) for lane in lanes}
    again = {lane: [t for t, o in found.items() if o == FAILED] for lane, found in first.items()}
    total = sum(map(len, again.values()))
    are_done = all(status in (0, pytest_some_failed()) for status in statuses.values())
    if 0 < total <= MOST_SECOND_TRIES and are_done:
        print(f"second try: {total} of {sum(map(len, first.values()))} tests", flush=True)
        for lane in lanes:
            if again[lane]:
                selection = (*lane.selection, "--second-try")
                (statuses[lane],) = _pytest([replace(lane, selection=selection)]).values()
    return _counted(statuses, again)


def _counted(statuses: Mapping[Lane, int], again: Mapping[Lane, Sequence[str]]) -> tuple[int, int]:
    passed = failed = 0
    for lane, status in statuses.items():
        found = outcomes(lane.journal)
        for test in again[lane]:
            if found[test] == PASSED:
                print(f"passed on the second try only: {test}", flush=True)
        counts = list(found.values())
        bad = counts.count(FAILED) + counts.count(LOST)
        # A shard whose every test passed in an earlier run has nothing left, and is no failure.
        is_over = status == pytest_nothing_left() and counts.count(PASSED)
        passed += counts.count(PASSED)
        failed += bad or int(status != 0 and not is_over)
    return passed, failed


def _pytest(lanes: Sequence[Lane]) -> dict[Lane, int]:
    """Run lanes at the same time; the first is seen live, another when it has ended."""
    with ExitStack() as stack:
        running: list[tuple[Lane, subprocess.Popen[bytes], IO[bytes] | None]] = []
        for lane in lanes:
            # One word: pytest takes the name of a file that exists for a place of tests, and looks
            # for its configuration there.
            journal = f"--journal={lane.journal}"
            argv = [sys.executable, "-m", "pytest", "-p", "scripts.journal", journal]
            output = stack.enter_context(tempfile.TemporaryFile()) if running else None
            process = subprocess.Popen(
                [*argv, *lane.selection], cwd=ROOT, stdout=output, stderr=output
            )
            running.append((lane, stack.enter_context(process), output))
        stack.enter_context(_forwarding([process for _, process, _ in running]))
        statuses = {}
        for lane, process, written in running:
            statuses[lane] = process.wait()
            if written is not None:
                written.seek(0)
                print(f"{lane.name}:\n{written.read().decode(errors='replace')}", flush=True)
        return statuses


def pytest_some_failed() -> int:
    """Pytest's exit status where tests ran to the end and some failed."""
    import pytest  # noqa: PLC0415 (the gates start without it)

    return int(pytest.ExitCode.TESTS_FAILED)


def pytest_nothing_left() -> int:
    """Pytest's exit status where every test was deselected."""
    import pytest  # noqa: PLC0415 (the gates start without it)

    return int(pytest.ExitCode.NO_TESTS_COLLECTED)


def journal_path(shard: str) -> Path:
    """Where this shard's outcomes stand: outside the tree, apart for each state of the tree."""
    shard_bounds(0, shard)
    default = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    state = Path(os.environ.get("UNDERWAY_TEST_STATE") or default / "underway-tests")
    return state / tree_digest()[:16] / f"shard-{shard.replace('/', '-of-')}.jsonl"


def tree_digest() -> str:
    """SHA-256 over names and contents of the tree's files; another tree starts anew."""
    digest = hashlib.sha256()
    for path in _files(ROOT):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _files(directory: Path) -> Iterator[Path]:
    passing = {"__pycache__", "artifacts", "build", "dist"}
    for path in sorted(directory.iterdir()):
        if path.name in passing or (path.name.startswith(".") and path.name != ".ci"):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file():
            yield path


def _gate(command: tuple[str, ...]) -> tuple[int, str, float]:
    """Exit status, output and seconds of one gate."""
    began = time.monotonic()
    done = subprocess.run(
        [str(PROGRAMS / command[0]), *command[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_GATE_TIMEOUT_S,
        check=False,
    )
    return done.returncode, done.stdout, time.monotonic() - began


@contextmanager
def _forwarding(processes: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Leave ending to pytest: it takes the laboratories down, and this process counts then."""

    def forward(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT:  # the terminal's Ctrl-C reaches pytest by itself
            for process in processes:
                process.send_signal(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    earlier = {number: signal.signal(number, forward) for number in numbers}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.suite", description=__doc__)
    parser.add_argument("suite", choices=("check", "test", "test-all"))
    parser.add_argument("--shard", default="1/1", metavar="K/N")
    parser.add_argument("pytest", nargs="*", help="more arguments for pytest, after --")
    return parser


if __name__ == "__main__":
    sys.exit(main())
