"""Advisory file locks: they free themselves when their holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from lab.layout import LOCK_DIR


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold the machine-wide lock `name`; waits for another holder to finish."""
    LOCK_DIR.mkdir(parents=True, exist_ok=True)
    with (LOCK_DIR / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
