import json
from collections.abc import Iterator

import pytest

from tests.unit.cli.conftest import Stage
from tests.unit.report.sample import HOSTS, NEW, WEB
from underway import api
from underway.cli.program import run_program
from underway.model.names import ServiceName
from underway.model.status import ServiceUrl
from underway.model.usage import ReplicaUsage, UsageReport

Capture = pytest.CaptureFixture[str]


def test_top_is_one_look_where_no_terminal_is(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    asked: list[tuple[tuple[ServiceName, ...], float]] = []

    def usage(
        _session: api.Session, services: tuple[ServiceName, ...], *, interval_s: float
    ) -> Iterator[UsageReport]:
        asked.append((services, interval_s))
        while True:
            yield UsageReport(1.0, (ReplicaUsage(NEW[HOSTS[0]], HOSTS[0], WEB, cpus=0.25),))

    monkeypatch.setattr(api, "usage", usage)
    assert run_program(["top"]) == 0
    assert "libra-web-7f3a2c-1  app1  25.0%" in capsys.readouterr().out
    assert run_program(["top", "web", "--interval", "0s", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["replicas"][0]["cpus"] == 0.25
    assert asked == [((), 2.0), (("web",), 0.5)]
    assert len(stage.sessions) == 2


def test_open_prints_one_url_per_line(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    found = (ServiceUrl(WEB, "http://a.test/"), ServiceUrl(WEB, "http://b.test/"))
    monkeypatch.setattr(api, "urls", lambda _session, service: found if not service else found[:1])
    assert run_program(["open"]) == 0
    assert capsys.readouterr().out == "http://a.test/\nhttp://b.test/\n"
    assert run_program(["open", "web", "--json"]) == 0
    urls = json.loads(capsys.readouterr().out)["urls"]
    assert urls == [{"service": "web", "url": "http://a.test/"}]
    assert len(stage.sessions) == 2
