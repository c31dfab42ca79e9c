"""Waiting for what must become so."""

import time
from collections.abc import Callable

import pytest


def eventually(is_so: Callable[[], object], *, within_s: float = 10) -> None:
    """Poll until it is so; fails after the deadline."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            pytest.fail(f"not so within {within_s} s")
        time.sleep(0.05)
