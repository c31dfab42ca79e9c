"""Beacon as a process of its own on the loopback."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BEACON = Path(__file__).resolve().parents[3] / "lab" / "beacon" / "beacon.py"
END_TIMEOUT_S = 10


@dataclass
class Process:
    """A running Beacon and where it listens."""

    process: subprocess.Popen[str]
    port: int

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(END_TIMEOUT_S)


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    settings = {"BEACON_ADDRESS": "127.0.0.1", "BEACON_PORT": "0", "BEACON_VERSION": "v1"}
    return subprocess.Popen(
        [sys.executable, str(BEACON), *arguments],
        env={**os.environ, **settings, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextlib.contextmanager
def running(**environment: str) -> Iterator[Process]:
    process = start(**environment)
    try:
        assert process.stdout
        first = process.stdout.readline()
        assert "serves on port" in first, first + process.stdout.read()
        yield Process(process, int(first.split()[-1]))
    finally:
        process.kill()
        process.communicate()
