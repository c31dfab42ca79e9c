import io
import subprocess
import sys
import threading
import time

import pytest

from tests.unit.report.sample import undone_run
from underway.report.line import clean
from underway.report.terminal import TerminalProgress


def test_what_must_be_read_stays_after_the_live_part_is_gone():
    stream = io.StringIO()
    with TerminalProgress(stream) as progress:
        for event in undone_run():
            progress(event)
    lines = [clean(entry).strip() for entry in stream.getvalue().split("\n")]
    assert any(
        entry.endswith("await libra-web-7f3a2c-2: It exited with 1. [replica-exited]")
        for entry in lines
    )
    assert lines[-2].endswith("failed and undone in 22s (exit 10)")
    assert not any("start [app1]" in entry for entry in lines)
    assert stream.getvalue().count("\x1b[?25l") == stream.getvalue().count("\x1b[?25h") > 0


def test_what_the_error_and_the_result_say_is_not_said_twice():
    stream = io.StringIO()
    with TerminalProgress(stream) as progress:
        for event in undone_run():
            progress(event)
    assert "help: " not in stream.getvalue()


def test_notes_before_a_run_need_no_live_part():
    stream = io.StringIO()
    with TerminalProgress(stream) as progress:
        progress(undone_run()[-3])
    assert "app2 answers slowly" in stream.getvalue()
    assert "\x1b[?25l" not in stream.getvalue()


def test_verbose_keeps_every_step():
    stream = io.StringIO()
    with TerminalProgress(stream, is_verbose=True) as progress:
        for event in undone_run():
            progress(event)
    assert "[app1] pull image libra:3f2a91c" in stream.getvalue()


def test_an_exception_gives_the_cursor_back_and_ends_the_drawing_thread():
    before = set(threading.enumerate())
    stream = io.StringIO()
    with (  # noqa: PT012 (what ends the block is its last statement)
        pytest.raises(KeyboardInterrupt),
        TerminalProgress(stream) as progress,
    ):
        progress(undone_run()[0])
        drawing = set(threading.enumerate()) - before
        assert len(drawing) == 1
        raise KeyboardInterrupt
    assert stream.getvalue().count("\x1b[?25h") == 1
    deadline = time.monotonic() + 10
    while drawing & set(threading.enumerate()):
        assert time.monotonic() < deadline, "the drawing thread is still there"
        threading.Event().wait(0.02)


def test_a_question_takes_the_live_part_away_and_the_next_event_brings_it_back():
    stream = io.StringIO()
    with TerminalProgress(stream) as progress:
        progress(undone_run()[0])
        progress.suspend()
        assert stream.getvalue().count("\x1b[?25h") == 1
        progress(undone_run()[2])
        assert stream.getvalue().count("\x1b[?25l") == 2


def test_only_the_terminal_needs_rich():
    code = (
        "import sys, pkgutil, importlib, underway.report as r\n"
        "for m in pkgutil.iter_modules(r.__path__):\n"
        "    if m.name != 'terminal': importlib.import_module('underway.report.' + m.name)\n"
        "assert 'rich' not in sys.modules\n"
        "import underway.report.terminal\n"
        "assert 'rich' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
