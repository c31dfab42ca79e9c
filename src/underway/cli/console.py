"""Where a command writes: results on stdout, progress and errors on stderr, each as asked for."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, AnyStr, Final, TextIO

from underway.cli.options import GlobalOptions

if TYPE_CHECKING:
    from underway.errors import UnderwayError
    from underway.model.event import Event
    from underway.ports import EventSink
    from underway.report.documents import Document
    from underway.report.line import Line
    from underway.report.view import RunView


INTERRUPTED: Final = 130
"""The exit code of a command that the user ended before it could end in order."""


class Console:
    """Knows the options and the streams. One per process; `options` grow as they are parsed."""

    def __init__(self, options: GlobalOptions | None = None) -> None:
        self.options = options or GlobalOptions()
        self.view: RunView | None = None
        self._suspend: Callable[[], None] = _nothing
        self._has_printed_document = False
        self.summary_path = ""

    @property
    def has_begun(self) -> bool:
        """Whether the run that is followed has begun to apply a plan."""
        return self.view is not None and self.view.plans > 0

    @property
    def is_interactive(self) -> bool:
        """Whether somebody is there to answer a question."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.options.is_json

    def print(self, lines: "Iterable[Line]") -> None:
        """Write a result for people."""
        from underway.report.line import draw

        _write(sys.stdout, draw(lines, is_coloured=self._is_coloured(sys.stdout)))

    def redraw(self, lines: "Iterable[Line]") -> None:
        """Write a result for people in place of what stands on the terminal."""
        from underway.report.line import CLEARED, draw

        _write(sys.stdout, CLEARED + draw(lines, is_coloured=self._is_coloured(sys.stdout)))

    def print_document(self, document: "Document") -> None:
        """Write a result for programs."""
        from underway.report.documents import encode_document

        self._has_printed_document = True
        _write(sys.stdout, encode_document(document))

    def show(self, lines: "Iterable[Line]") -> None:
        """Write beside the result: what a question is about, a warning."""
        from underway.report.line import draw

        self._suspend()
        _write(sys.stderr, draw(lines, is_coloured=self._is_coloured(sys.stderr)))

    def tell(self, text: str) -> None:
        """Write a line of progress, unless only failures and results were asked for."""
        if not self.options.is_quiet:
            self._suspend()
            _write(sys.stderr, f"{text}\n")

    def ask(self, question: str) -> bool:
        """A yes or no on the terminal; no where nobody is there."""
        if not self.is_interactive:
            return False
        self._suspend()
        _write(sys.stderr, f"{question} [y/N] ")
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def ask_text(self, question: str, default: str = "") -> str:
        """A line from the terminal; `default` where nobody is there, or nothing is said."""
        if not self.is_interactive:
            return default
        self._suspend()
        _write(sys.stderr, f"{question} [{default}] " if default else f"{question} ")
        return sys.stdin.readline().strip() or default

    def print_run(self, command: str, app: str) -> None:
        """Write the document of the run that was followed; `command` and `app` if it told none."""
        from dataclasses import replace

        from underway.model.names import AppName
        from underway.report.document_making import run_document
        from underway.report.view import RunView

        view = self.view or RunView()
        if not view.command:
            view = replace(view, command=command, app=AppName(app))
        self.print_document(run_document(view))

    def write_line(self, text: str) -> None:
        """Write a line of a stream (logs) as it is."""
        _write(sys.stdout, f"{text}\n")

    def write_bytes(self, data: bytes) -> None:
        """Write bytes of a stream (logs) as they are, in order with what was written before."""
        sys.stdout.flush()
        _write(sys.stdout.buffer, data)

    def print_error(self, error: "UnderwayError") -> None:
        """Write an error where the reader expects it."""
        from underway.report.document_making import error_document, run_document
        from underway.report.errors_text import error_lines

        if not self.options.is_json:
            self.show(error_lines(error))
        elif not self._has_printed_document:
            has_run = self.view is not None and self.view.command
            self.print_document(
                run_document(self.view, error)
                if self.view is not None and has_run
                else error_document(error)
            )

    def write_summary(self, error: "UnderwayError | None" = None) -> None:
        """Append what came of the run as Markdown, where that was asked for; a warning if not."""
        if not self.summary_path or self.view is None or not self.view.command:
            return
        from underway.report.line import line, warn
        from underway.report.summary_text import summary_markdown

        try:
            with open(self.summary_path, "a", encoding="utf-8") as file:  # noqa: PTH123 (a name)
                file.write(summary_markdown(self.view, error))
        except OSError as problem:
            why = f"{self.summary_path}: {problem.strerror}"
            if not self.options.is_json:
                self.show([line(warn("note: "), f"the summary could not be written: {why}")])

    @contextmanager
    def follow(self, *, is_quiet: bool = False) -> "Iterator[EventSink]":
        """A sink for events: shows them, and folds them into `view`.

        `is_quiet` shows only what is urgent, unless everything is asked for.
        """
        from underway.report.view import RunView, fold

        self.view = RunView()
        quiet = self.options.is_quiet or (is_quiet and not self.options.is_verbose)
        with self._progress(is_quiet=quiet) as show:

            def take(event: "Event") -> None:
                self.view = fold(self.view or RunView(), event)
                show(event)

            yield take

    @contextmanager
    def _progress(self, *, is_quiet: bool) -> "Iterator[EventSink]":
        options = self.options
        if options.is_json:
            from underway.report.plain import JsonProgress

            yield JsonProgress(sys.stderr, is_quiet=is_quiet)
        elif options.is_plain or is_quiet or not self._is_drawable():
            from underway.report.plain import PlainProgress

            colour = self._is_coloured(sys.stderr)
            yield PlainProgress(sys.stderr, is_quiet=is_quiet, is_coloured=colour)
        else:
            from underway.report.terminal import TerminalProgress

            with TerminalProgress(sys.stderr, is_verbose=options.is_verbose) as progress:
                self._suspend = progress.suspend
                try:
                    yield progress
                finally:
                    self._suspend = _nothing

    def _is_drawable(self) -> bool:
        return self._is_coloured(sys.stderr)

    def _is_coloured(self, stream: TextIO) -> bool:
        options = self.options
        if options.is_json or options.is_plain or options.has_no_color:
            return False
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        return stream.isatty()


def _nothing() -> None:
    return None


def _write(stream: IO[AnyStr], text: AnyStr) -> None:
    """Write and flush; a reader that went away (`| head`) is no error of ours."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
