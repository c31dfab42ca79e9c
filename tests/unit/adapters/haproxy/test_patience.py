"""A proxy that restarts, or that another app changes, is waited for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from underway.adapters.haproxy import HaproxyProxy
from underway.adapters.haproxy.refusal import ScriptExit
from underway.errors import EngineError
from underway.model.names import AppName, HostName, RunNumber, ServiceName
from underway.ports.output import ExecResult

EDGE: Final = HostName("edge")
STATE: Final = Path(__file__).with_name("recorded") / "state-3.0.txt"
STOPPED: Final = EngineError("container-not-running", "underway-edge is not running", status=409)
BUSY: Final = ExecResult(ScriptExit.BUSY, b"", b"another change of this edge holds its lock")


@dataclass
class Script:
    """Answers one after the other; the last one again and again."""

    answers: list[ExecResult | EngineError]
    asked: list[Sequence[str]] = field(default_factory=list)
    host: HostName = EDGE

    def execute(
        self, _name: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30
    ) -> ExecResult:
        del stdin, timeout_s
        self.asked.append(command)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, EngineError):
            raise answer
        return answer


def test_a_proxy_that_restarts_is_asked_again() -> None:
    silent = ExecResult(ScriptExit.NOT_RUNNING, b"", b"")
    runner = Script([STOPPED, silent, ExecResult(0, STATE.read_bytes(), b"")])
    state = HaproxyProxy(runner).state(wait_s=20)
    assert state is not None
    assert state.upstreams


def test_a_proxy_that_stays_silent_is_none_in_time() -> None:
    assert HaproxyProxy(Script([STOPPED])).state() is None
    assert HaproxyProxy(Script([STOPPED])).state(wait_s=0.3) is None


def test_a_proxy_that_has_not_checked_its_servers_yet_is_asked_again() -> None:
    text = STATE.read_text()
    unchecked = ExecResult(0, text.replace(",L7OK", ",INI").encode(), b"")
    assert unchecked.stdout != text.encode()
    runner = Script([unchecked, ExecResult(0, text.encode(), b"")])
    state = HaproxyProxy(runner).state(wait_s=20)
    assert state is not None
    assert all(server.check for up in state.upstreams for server in up.servers)


def test_a_proxy_that_changes_hands_is_asked_where_it_is_now() -> None:
    """The former container says so, ends before the script begins, or in its midst."""
    moved, ended, killed = (ExecResult(code, b"", b"") for code in (ScriptExit.SUCCEEDED, 126, 137))
    runner = Script([moved, ended, killed, STOPPED, STOPPED, STOPPED, ExecResult(0, b"", b"")])
    HaproxyProxy(runner).remove(AppName("app"), ServiceName("web"), RunNumber(1))
    assert len(runner.asked) == 7


def test_a_change_waits_for_the_change_of_another_app() -> None:
    runner = Script([BUSY, BUSY, ExecResult(0, b"", b"")])
    HaproxyProxy(runner).remove(AppName("app"), ServiceName("web"), RunNumber(1))
    assert len(runner.asked) == 3
