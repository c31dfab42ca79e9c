"""This side of a command in a container: standard streams, and the terminal put out of the way."""

import os
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from underway.api.commanding import Streams
from underway.ports.conversation import Size

_CHUNK: Final = 65536
_INPUT: Final = 0
_OUTPUT: Final = 1
_ERRORS: Final = 2


def has_terminal() -> bool:
    """Whether somebody sits at both ends: types, and sees what comes."""
    return os.isatty(_INPUT) and os.isatty(_OUTPUT)


@contextmanager
def standard_streams(*, has_tty: bool) -> Iterator[Streams]:
    """The process's own streams, byte for byte.

    With `has_tty` every key goes to the command, Ctrl-C too, until the block ends.
    """
    sys.stdout.flush()
    with _raw_terminal() if has_tty else _untouched():
        yield Streams(
            read=lambda: os.read(_INPUT, _CHUNK),
            write=lambda data: _write(_OUTPUT, data),
            write_error=lambda data: _write(_ERRORS, data),
            watch_size=_watch_size if has_tty else lambda _: None,
        )


def _watch_size(tell: Callable[[Size], None]) -> None:
    def changed(*_: object) -> None:
        columns, rows = os.get_terminal_size(_OUTPUT)
        tell(Size(rows, columns))

    changed()
    signal.signal(signal.SIGWINCH, changed)


@contextmanager
def _raw_terminal() -> Iterator[None]:
    before = termios.tcgetattr(_INPUT)
    resized = signal.getsignal(signal.SIGWINCH)
    tty.setraw(_INPUT)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, resized)
        termios.tcsetattr(_INPUT, termios.TCSADRAIN, before)


@contextmanager
def _untouched() -> Iterator[None]:
    yield


def _write(descriptor: int, data: bytes) -> None:
    """All of it, or BrokenPipeError where nobody reads any more."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
