import os
import signal
import subprocess
import sys
import threading

import pytest

from underway.cli.interruption import cancel_on_interrupt

PROGRAM = (
    "import threading, sys\n"
    "from underway.cli.interruption import cancel_on_interrupt\n"
    "with cancel_on_interrupt(lambda: {begun}) as cancel:\n"
    "    print('ready', flush=True)\n"
    "    cancel.wait(60)\n"
    "    print('cancelled', flush=True)\n"
    "    {after}\n"
    "print('in order', flush=True)\n"
)


def start(after: str, *, begun: bool = True) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(after=after, begun=begun)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_first_interrupt_asks_the_run_to_end_in_order():
    with start("pass") as process:
        assert read_line(process) == "ready"
        process.send_signal(signal.SIGINT)
        assert read_line(process) == "cancelled"
        assert read_line(process) == "in order"
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert "press Ctrl-C again" in process.stderr.read()


def test_the_second_interrupt_ends_at_once_although_a_thread_waits():
    waiting = "threading.Thread(target=threading.Event().wait).start(); threading.Event().wait(60)"
    with start(waiting) as process:
        assert read_line(process) == "ready"
        process.send_signal(signal.SIGINT)
        assert read_line(process) == "cancelled"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_before_anything_was_changed_the_first_is_enough(number: signal.Signals):
    with start("pass", begun=False) as process:
        assert read_line(process) == "ready"
        process.send_signal(number)
        assert process.wait(30) != 0
        assert process.stderr is not None
        assert "KeyboardInterrupt" in process.stderr.read()


def test_termination_only_ever_asks():
    again = "cancel.clear(); print('again', flush=True); print(cancel.wait(60), flush=True)"
    with start(again) as process:
        assert read_line(process) == "ready"
        process.send_signal(signal.SIGTERM)
        assert read_line(process) == "cancelled"
        assert read_line(process) == "again"
        process.send_signal(signal.SIGTERM)
        assert read_line(process) == "True"
        assert process.wait(30) == 0


def test_the_earlier_handlers_come_back():
    before = signal.getsignal(signal.SIGINT)
    with cancel_on_interrupt(lambda: True) as cancel:
        assert isinstance(cancel, threading.Event)
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
