"""Removing an app says what goes for good and what stays, and goes on only if somebody says yes."""

import json
from dataclasses import replace

import pytest

from tests.unit.cli.conftest import Stage as CommandStage
from tests.unit.report.sample import HOSTS, plan
from underway import api
from underway.cli.program import run_program
from underway.model.plan import Lane, Plan, Stage
from underway.model.step import RemoveVolume

Capture = pytest.CaptureFixture[str]


def test_remove_takes_nothing_unless_somebody_says_yes(
    stage: CommandStage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    done: list[bool] = []

    def remove(session: api.Session, *, with_data: bool, wait_s: float) -> Plan:
        done.append(with_data)
        assert wait_s == 0
        return replace(plan(), app=session.app, left=())

    volume = RemoveVolume(HOSTS[0], "underway-vault-libra", "the app is removed")
    data = RemoveVolume(HOSTS[0], "libra_data", "its data was asked to go")

    def plan_remove(session: api.Session, *, with_data: bool = False) -> Plan:
        del session
        lane = Lane(HOSTS[0], (volume, *((data,) if with_data else ())))
        stays = () if with_data else ("volume libra_data on app1",)
        return replace(plan(), stages=(Stage("Remove", (lane,)),), left=(), remarks=stays)

    monkeypatch.setattr(api, "plan_remove", plan_remove)
    monkeypatch.setattr(api, "remove", remove)
    assert run_program(["remove", "--json"]) == 4
    refused = json.loads(capsys.readouterr().out)["error"]
    assert "stays: volume libra_data on app1" in refused["detail"]
    assert any(text.startswith("goes: records of releases") for text in refused["detail"])
    assert run_program(["remove"]) == 4
    captured = capsys.readouterr()
    assert "error[not-confirmed]" in captured.err
    assert "stays: volume libra_data on app1" in captured.err
    assert done == []
    assert run_program(["remove", "--yes"]) == 0
    assert "done: libra is off its hosts" in capsys.readouterr().out
    assert run_program(["remove", "--yes", "--with-data"]) == 0
    captured = capsys.readouterr()
    assert "goes for good: data in volumes libra_data: no command brings it" in captured.err
    assert "stays: volume" not in captured.err
    assert done == [False, True]
    assert len(stage.sessions) == 4
