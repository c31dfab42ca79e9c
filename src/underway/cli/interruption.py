"""Ctrl-C and termination: the first asks the run to end in order, a second Ctrl-C ends at once.

Before anything was changed there is nothing to end in order: the first one is enough.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from underway.cli.console import INTERRUPTED

_ASKED: Final = "stopping: what was begun is taken back; press Ctrl-C again to leave it as it is\n"
_LEFT: Final = "left as it is: the app keeps serving, the next run of any command converges\n"
_SHOW_CURSOR: Final = "\x1b[?25h"


@contextmanager
def cancel_on_interrupt(has_begun: Callable[[], bool]) -> Iterator[threading.Event]:
    """An event that is set by the first SIGINT, and by every SIGTERM or SIGHUP.

    While `has_begun` says no, each of them raises KeyboardInterrupt instead.
    A second SIGINT ends the process at once with 130: a client may die at any moment, and a
    thread that waits for a host must not hold up whoever wants out.
    """
    cancel = threading.Event()

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        if not has_begun():
            raise KeyboardInterrupt
        if cancel.is_set():
            _tell(f"{_SHOW_CURSOR if sys.stderr.isatty() else ''}\n{_LEFT}")
            os._exit(INTERRUPTED)
        cancel.set()
        _tell(f"\n{_ASKED}")

    def terminated(_number: int, _frame: FrameType | None) -> None:
        if not has_begun():
            raise KeyboardInterrupt
        cancel.set()

    handlers = {signal.SIGINT: interrupted, signal.SIGTERM: terminated, signal.SIGHUP: terminated}
    earlier = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield cancel
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does: what it made is taken away in order."""

    def ended(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    earlier = {number: signal.signal(number, ended) for number in numbers}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _tell(text: str) -> None:
    """Past all buffers: the main thread may hold their locks."""
    try:
        os.write(sys.stderr.fileno(), text.encode())
    except (OSError, ValueError):
        return
