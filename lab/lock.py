"""Advisory file locks: they free themselves when their holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from lab.layout import cache_root


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold the machine-wide lock `name`; waits for another holder to finish."""
    directory = cache_root() / "locks"
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
