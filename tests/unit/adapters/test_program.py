import os
import sys
import time
from pathlib import Path

import pytest

from underway.adapters.program import run_program
from underway.errors import UnreachableError


def test_bytes_arrive_intact_both_ways() -> None:
    data = bytes(range(256)) * 20_000
    result = run_program(["cat"], stdin=data, timeout_s=20)
    assert result.exit_code == 0
    assert result.stdout == data


def test_exit_code_and_standard_error_are_kept_apart() -> None:
    result = run_program(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_s=10)
    assert (result.exit_code, result.stdout, result.stderr) == (3, b"out\n", b"err\n")


def test_each_line_of_standard_error_is_told_as_it_comes() -> None:
    lines: list[str] = []
    run_program(["sh", "-c", "echo one >&2; echo two >&2"], timeout_s=10, on_line=lines.append)
    assert lines == ["one", "two"]


def test_a_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(UnreachableError) as caught:
        run_program(["no-such-program-here"], timeout_s=1)
    assert caught.value.code == "program-missing"
    assert "no-such-program-here" in caught.value.message


def test_the_deadline_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    record = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {record}; wait"
    started = time.monotonic()
    with pytest.raises(UnreachableError) as caught:
        run_program(["sh", "-c", script], timeout_s=0.5)
    assert caught.value.code == "program-timeout"
    assert time.monotonic() - started < 10
    _await_gone(int(record.read_text()))


def test_what_the_listener_raises_ends_the_program() -> None:
    class StopError(Exception):
        pass

    def refuse(line: str) -> None:
        raise StopError(line)

    started = time.monotonic()
    with pytest.raises(StopError, match="begun"):
        run_program(["sh", "-c", "echo begun >&2; sleep 60"], timeout_s=50, on_line=refuse)
    assert time.monotonic() - started < 10


def test_a_child_that_stays_behind_does_not_hold_the_caller() -> None:
    started = time.monotonic()
    result = run_program(["sh", "-c", "sleep 5 & echo done"], timeout_s=50)
    assert result.stdout == b"done\n"
    assert time.monotonic() - started < 4


def test_the_environment_is_replaced_where_given() -> None:
    result = run_program(
        [sys.executable, "-c", "import os; print(sorted(k for k in os.environ if 'UW' in k))"],
        env={"UW_ONE": "1"},
        timeout_s=20,
    )
    assert result.stdout.decode().strip() == "['UW_ONE']"


def _await_gone(pid: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} still runs")
