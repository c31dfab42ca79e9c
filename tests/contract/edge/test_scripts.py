"""The two smallest scripts of the tools image."""

import signal
import subprocess
import time
from pathlib import Path

from tests.contract.edge.place import SCRIPTS, eventually
from underway.adapters.beat import LOCK_SCRIPT


def test_a_lock_echoes_its_heartbeat_and_ends_with_its_client() -> None:
    argv = ["bash", "-c", LOCK_SCRIPT]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as lock:
        assert lock.stdin is not None
        assert lock.stdout is not None
        lock.stdin.write(b"beat 1\n")
        lock.stdin.flush()
        assert lock.stdout.readline() == b"beat 1\n"
        assert lock.poll() is None
        lock.stdin.close()
        assert lock.wait(5) == 0


def test_a_lock_ends_when_the_heartbeat_stops() -> None:
    argv = ["env", "UNDERWAY_LOCK_SILENCE_S=1", "bash", "-c", LOCK_SCRIPT]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as lock:
        assert lock.stdin is not None
        began = time.monotonic()
        lock.stdin.write(b"beat\n")
        lock.stdin.flush()
        assert lock.wait(10) == 0
        assert 0.9 < time.monotonic() - began < 5


def test_an_anchor_stays_until_it_is_told_to_stop_and_leaves_nothing() -> None:
    for _ in range(20):  # told as early as can be: its child may not yet have begun
        with subprocess.Popen([str(SCRIPTS / "anchor")]) as anchor:
            eventually(lambda: children(anchor.pid), "the anchor waits")
            (child,) = children(anchor.pid)
            anchor.send_signal(signal.SIGTERM)
            assert anchor.wait(5) == 0
        assert not Path(f"/proc/{child}").exists(), "its child outlived it"


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
