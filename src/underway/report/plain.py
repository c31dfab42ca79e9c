"""Progress without a terminal: one line per event, with prefixes that stay what they are."""

import threading
from typing import TextIO

from underway.model.event import Event, Level, Note, Output, RunFinished, StepFailed, UndoStarted
from underway.report.event_text import event_lines
from underway.report.json_lines import encode_event
from underway.report.line import draw


class PlainProgress:
    """Writes events as lines. Safe to call from several threads; a closed stream is ignored.

    `is_quiet` leaves failures, warnings, the undo and the end.
    """

    def __init__(
        self, stream: TextIO, *, is_quiet: bool = False, is_coloured: bool = False
    ) -> None:
        self._stream = stream
        self._is_quiet = is_quiet
        self._is_coloured = is_coloured
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if self._is_quiet and not is_urgent(event):
            return
        _write(self._stream, self._lock, draw(event_lines(event), is_coloured=self._is_coloured))


class JsonProgress:
    """Writes events as JSON lines. Safe to call from several threads.

    `is_quiet` leaves what it leaves of plain lines.
    """

    def __init__(self, stream: TextIO, *, is_quiet: bool = False) -> None:
        self._stream = stream
        self._is_quiet = is_quiet
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        if self._is_quiet and not is_urgent(event):
            return
        _write(self._stream, self._lock, encode_event(event).decode() + "\n")


def is_urgent(event: Event) -> bool:
    """Whether even a quiet run says it."""
    match event.body:
        case StepFailed() | UndoStarted():
            return True
        case RunFinished(exit_code=exit_code):
            return exit_code != 0
        case Note(level=level):
            return level is not Level.INFO
        case Output():
            return False
        case _:
            return False


def _write(stream: TextIO, lock: threading.Lock, text: str) -> None:
    """Write and flush; a reader that went away (`| head`) must not end a deploy."""
    if not text:
        return
    with lock:
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            return
