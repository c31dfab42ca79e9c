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
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

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
ALWAYS_ON = ("-m", "not exhaustive", "--durations=30", "--durations-min=5")
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
        selection = ["--go-on", "--shard", options.shard, *options.pytest]
        counts = run_tests(journal, selection)
    else:
        with tempfile.TemporaryDirectory(prefix="underway-suite-") as directory:
            always = FAST_TESTS if options.suite == "check" else ALWAYS_ON
            counts = run_tests(Path(directory) / "journal", [*always, *options.pytest])
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


def run_tests(journal: Path, selection: Sequence[str]) -> tuple[int, int]:
    """Run pytest; returns how many tests passed and failed, by the journal.

    A few that failed get a second try, alone on the machine: dozens of engines share two cores
    here, and a deadline may pass for want of them. It is said aloud, and a test that lost a
    request gets none. An end that no failed test explains (interrupted, a crash, nothing
    collected) is a failure too.
    """
    status = _pytest(journal, selection)
    first = outcomes(journal)
    again = [test for test, outcome in first.items() if outcome == FAILED]
    if 0 < len(again) <= MOST_SECOND_TRIES and status == pytest_some_failed():
        print(f"second try: {len(again)} of {len(first)} tests", flush=True)
        status = _pytest(journal, [*selection, "--second-try"])
    found = outcomes(journal)
    for test in again:
        if found[test] == PASSED:
            print(f"passed on the second try only: {test}", flush=True)
    counts = list(found.values())
    failed = counts.count(FAILED) + counts.count(LOST)
    if status == pytest_nothing_left() and counts.count(PASSED):
        status = 0  # every test of this shard passed in an earlier run
    return counts.count(PASSED), failed or int(status != 0)


def _pytest(journal: Path, selection: Sequence[str]) -> int:
    # One word: pytest takes the name of a file that exists for a place of tests, and looks for its
    # configuration there.
    journal_option = f"--journal={journal}"
    command = [sys.executable, "-m", "pytest", "-p", "scripts.journal", journal_option]
    with subprocess.Popen([*command, *selection], cwd=ROOT) as process, _forwarding(process):
        return process.wait()


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
def _forwarding(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leave ending to pytest: it takes the laboratories down, and this process counts then."""

    def forward(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT:  # the terminal's Ctrl-C reaches pytest by itself
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
