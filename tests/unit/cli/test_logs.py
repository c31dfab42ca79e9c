import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.unit.cli import conftest
from tests.unit.cli.conftest import Stage
from tests.unit.report.sample import HOSTS, NEW, WEB
from underway import api
from underway.cli.program import run_program
from underway.ports.output import LogLine

Asked = list[tuple[api.LogFilter, int, bool]]


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Callable[[LogLine], Asked]:
    """`api.logs` that gives one line and keeps what it was asked."""

    def prepare(line: LogLine) -> Asked:
        asked: Asked = []

        def logs(
            _session: api.Session, wanted: api.LogFilter, *, tail: int, follow: bool
        ) -> tuple[api.ReplicaLine, ...]:
            asked.append((wanted, tail, follow))
            return (api.ReplicaLine(HOSTS[0], WEB, NEW[HOSTS[0]], line, 1),)

        monkeypatch.setattr(api, "logs", logs)
        return asked

    return prepare


def test_logs_keep_every_byte_and_follow_with_f(
    stage: Stage, speak: Callable[[LogLine], Asked], capfdbinary: pytest.CaptureFixture[bytes]
):
    raw = b"\x1b[31mred\x1b[0m \xff\r"
    line = LogLine("red \ufffd", "2026-03-01T10:00:00.5Z", is_stderr=True, raw=raw)
    asked = speak(line)
    assert run_program(["logs", "web", "-f", "-n", "5", "--since", "10m", "-t"]) == 0
    wanted, tail, follow = asked[0]
    assert (wanted.services, tail, follow) == (("web",), 5, True)
    assert wanted.since_s > 0
    head = b"libra-web-7f3a2c-1@app1 | 2026-03-01T10:00:00.5Z "
    assert capfdbinary.readouterr().out == head + raw + b"\n"
    assert run_program(["logs", "--json"]) == 0
    document = json.loads(capfdbinary.readouterr().out)
    assert (document["kind"], document["host"], document["is_stderr"]) == ("log", "app1", True)
    assert (document["replica"], b64decode(document["data"])) == (1, raw)
    assert run_program(["logs", "--no-log-prefix"]) == 0
    assert capfdbinary.readouterr().out == raw + b"\n"
    assert len(stage.sessions) == 3


def test_where_an_app_has_several_hosts_the_prefix_tells_which(
    stage: Stage,
    speak: Callable[[LogLine], Asked],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    asked = speak(LogLine("one"))
    assert run_program(["logs"]) == 0
    assert capsys.readouterr().out == "libra-web-7f3a2c-1@app1 | one\n"
    monkeypatch.setattr(conftest, "SPEC", replace(conftest.SPEC, hosts=conftest.SPEC.hosts[:1]))
    assert run_program(["logs"]) == 0
    assert capsys.readouterr().out == "libra-web-7f3a2c-1 | one\n"
    assert len(asked) == len(stage.sessions) == 2


def test_logs_are_chosen_by_time_host_replica_and_pattern(
    stage: Stage, speak: Callable[[LogLine], Asked], capsys: pytest.CaptureFixture[str]
):
    asked = speak(LogLine("one"))
    words = ["--since", "2026-03-01T10:00:00Z", "--until", "2026-03-01T11:00:00+00:00"]
    chosen = ["--host", "app1", "--replica", "2", "--index", "3", "--grep", "(?i)error"]
    assert run_program(["logs", *words, *chosen]) == 0
    wanted, tail, _ = asked[0]
    began = datetime(2026, 3, 1, 10, tzinfo=UTC).timestamp()
    assert (wanted.since_s, wanted.until_s) == (began, began + 3600)
    assert (wanted.hosts, wanted.replicas, tail) == (("app1",), ("2", "3"), 0)
    assert wanted.takes_line("an Error")
    assert not wanted.takes_line("fine")
    assert run_program(["logs"]) == 0
    assert asked[1] == (api.LogFilter(), 100, False)
    assert capsys.readouterr().out == "libra-web-7f3a2c-1@app1 | one\n" * 2
    assert len(stage.sessions) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "some day"], "'some day' is neither a duration"),
        (["--grep", "("], "'(' is no regular expression"),
        (["-f", "--until", "1m"], "--until ends what --follow would wait for"),
    ],
    ids=["since", "grep", "until"],
)
def test_what_cannot_be_meant_is_said_before_any_host_is_asked(
    stage: Stage, capsys: pytest.CaptureFixture[str], words: list[str], said: str
):
    assert run_program(["logs", *words]) == 2
    assert said in capsys.readouterr().err
    assert not stage.sessions
