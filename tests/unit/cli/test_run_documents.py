"""`--json` of a command that changes hosts names that command."""

import json

import pytest

from tests.unit.cli.conftest import OLDER, RELEASE, Stage
from underway import api
from underway.cli.program import run_program
from underway.model.event import Outcome

RESULT = api.DeployResult(RELEASE, OLDER.number, Outcome.DONE, 16, 42.0)
COMMANDS = {
    "deploy": "deploy",
    "rollback": "rollback",
    "promote --to production": "promote",
    "repair": "repair",
    "scale web=3": "scale",
    "restart web": "restart",
    "stop web": "stop",
    "start web": "start",
}


@pytest.mark.parametrize("line", COMMANDS)
def test_the_document_of_a_run_names_its_command(
    line: str, stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, COMMANDS[line], lambda *_, **__: RESULT)
    assert run_program([*line.split(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["command"] == COMMANDS[line]
    assert stage.sessions
