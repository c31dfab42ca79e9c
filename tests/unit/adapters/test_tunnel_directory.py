"""Sockets' directories go with their process, and what a killed one left goes with the next."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from underway.adapters.tunnel import TunnelDirectory

_MAKE = """
import sys, time
from underway.adapters.tunnel import TunnelDirectory
made = TunnelDirectory()
made.new_socket().touch()
print(made.path, flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def aged(path: Path) -> None:
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))


def test_what_a_killed_client_left_is_removed_by_the_next(runtime: Path) -> None:
    argv = [sys.executable, "-c", _MAKE]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        left = Path(client.stdout.readline().strip())
        aged(left)
        TunnelDirectory().remove()
        assert left.is_dir(), "its process lives"
        client.kill()
        client.wait()
    aged(left)
    TunnelDirectory().remove()
    assert list(runtime.iterdir()) == []


def test_a_directory_that_is_being_made_and_what_is_not_ours_stay(runtime: Path) -> None:
    young, other = runtime / "underway-t-young", runtime / "underway-build-x"
    young.mkdir()
    other.mkdir()
    aged(other)
    made = TunnelDirectory()
    assert made.path.stat().st_mode & 0o777 == 0o700
    made.remove()
    made.remove()
    assert sorted(runtime.iterdir()) == [other, young]
