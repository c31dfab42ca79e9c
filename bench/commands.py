"""What every benchmark does: commands that must succeed, and how long they take."""

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def run(*argv: str, cwd: Path, env: Mapping[str, str], given: str = "") -> str:
    """What a program that must succeed wrote; all is shown only if it does not."""
    done = subprocess.run(
        argv, cwd=cwd, env=env, capture_output=True, text=True, check=False, input=given
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr
