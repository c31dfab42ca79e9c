"""Progress on a terminal: a live part that follows the run, and above it what stays to be read.

Rich draws the live part; it is imported here only, and this module only when a terminal is there.
"""

import threading
import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from underway.model.event import (
    BUILD,
    Event,
    Note,
    Outcome,
    Output,
    RunFinished,
    StepFailed,
    UndoStarted,
)
from underway.report.event_text import event_lines
from underway.report.line import Line, Tone, clean
from underway.report.progress_text import progress_lines
from underway.report.view import RunView, fold

_STYLES = {
    Tone.PLAIN: "",
    Tone.STRONG: "bold",
    Tone.FAINT: "dim",
    Tone.GOOD: "green",
    Tone.WARN: "yellow",
    Tone.BAD: "red",
    Tone.MARK_1: "cyan",
    Tone.MARK_2: "yellow",
    Tone.MARK_3: "green",
    Tone.MARK_4: "magenta",
    Tone.MARK_5: "blue",
    Tone.MARK_6: "bright_cyan",
}
_FRAMES_PER_S = 8


class _LivePart:
    """Draws the view it is given at the moment rich asks."""

    def __init__(self) -> None:
        self.view = RunView()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        now = time.time()
        height = max((options.max_height or console.height) - 2, 3)
        frame = int(now * _FRAMES_PER_S)
        for entry in progress_lines(self.view, now, frame, height):
            yield _text(entry)


class TerminalProgress:
    """Shows a run live. A context manager; safe to call from several threads."""

    def __init__(self, stream: TextIO, *, is_verbose: bool = False) -> None:
        self._console = Console(file=stream, force_terminal=True, highlight=False, markup=False)
        self._part = _LivePart()
        self._is_verbose = is_verbose
        self._lock = threading.Lock()
        self._live = Live(
            self._part,
            console=self._console,
            refresh_per_second=_FRAMES_PER_S,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._is_running = False

    def __enter__(self) -> Self:
        """Nothing is drawn before the first event."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the live part away and give the cursor back."""
        with self._lock:
            self._stop()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            try:
                self._take(event)
            except (OSError, ValueError):
                self._is_running = False

    def _take(self, event: Event) -> None:
        self._part.view = fold(self._part.view, event)
        if isinstance(event.body, RunFinished):
            self._stop()
        elif not self._is_running and _has_begun(self._part.view):
            self._live.start()
            self._is_running = True
        for entry in self._lines(event):
            # What a build says is followed, not read: one line of the terminal each.
            self._console.print(_text(entry), soft_wrap=not _is_of_build(event))

    def _lines(self, event: Event) -> list[Line]:
        """What stays above the live part. The error and the result that end a command say the rest.

        That is why the first failure is one line here, and a good end none.
        """
        if self._is_verbose:
            return event_lines(event)
        match event.body:
            case StepFailed() if len(self._part.view.failures) == 1:
                return event_lines(event)[:1]
            case RunFinished(outcome=Outcome.DONE | Outcome.NOTHING_TO_DO):
                return []
            case Note() | Output() | StepFailed() | UndoStarted() | RunFinished():
                return event_lines(event)
            case _:
                return []

    def _stop(self) -> None:
        if self._is_running:
            self._is_running = False
            self._live.stop()

    def suspend(self) -> None:
        """Take the live part away while a question is asked; the next event brings it back."""
        with self._lock:
            self._stop()


def _has_begun(view: RunView) -> bool:
    """Whether there is something to follow: notes before it need no live part."""
    return bool(view.command or view.plans or view.output)


def _is_of_build(event: Event) -> bool:
    return isinstance(event.body, Output) and event.body.source == BUILD


def _text(entry: Line) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    for span in entry:
        text.append(clean(span.text), _STYLES[span.tone])
    return text
