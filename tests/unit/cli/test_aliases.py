"""A team's own commands stand in its file, beside the commands there are."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Stage
from underway import api
from underway.cli.program import run_program
from underway.wiring.options import Reading

Capture = pytest.CaptureFixture[str]
FILE = """
name: libra
services: {web: {image: "lab/web:1"}}
x-underway:
  aliases:
    %s
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMPOSE_FILE", raising=False)
    return tmp_path


def write(project: Path, *aliases: str) -> None:
    (project / "compose.yaml").write_text(FILE % "\n    ".join(aliases))


def test_an_alias_stands_for_a_command_and_takes_more(
    project: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    write(project, "past: history -n 1", "'errs': \"logs --grep 'an error' web\"")
    asked: list[api.LogFilter] = []

    def logs(_session: api.Session, wanted: api.LogFilter, **_: object) -> tuple[()]:
        asked.append(wanted)
        return ()

    monkeypatch.setattr(api, "logs", logs)
    monkeypatch.setattr(api, "history", lambda _session: ())
    assert run_program(["errs", "db", "--host", "app1"]) == 0
    (wanted,) = asked
    assert (wanted.services, wanted.hosts) == (("web", "db"), ("app1",))
    assert wanted.takes_line("what an error is")
    assert run_program(["past", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "history"
    assert stage.readings == [Reading.SITE, Reading.SITE]


def test_aliases_are_in_the_help_and_in_what_may_be_meant(project: Path, capsys: Capture):
    write(project, "console: logs web")
    assert run_program(["--help"]) == 0
    page = capsys.readouterr().out
    assert "This project's own:\n  console" in page
    assert run_program(["consxole"]) == 2
    assert "Did you mean `console`?" in capsys.readouterr().err
    below = project / "below"
    below.mkdir()
    assert run_program(["--file", "compose.yaml", "--help"]) == 0


WRONG = {
    "deploy: history": ("alias-taken", "`deploy` is a command"),
    "mine: histxory": ("alias-invalid", "Did you mean `history`?"),
    "Mine: history": ("alias-invalid", "lower-case"),
    'mine: "logs \'web"': ("alias-invalid", "which is no command"),
}


@pytest.mark.parametrize("alias", WRONG)
def test_what_cannot_be_an_alias_is_refused_with_its_line(
    project: Path, stage: Stage, capsys: Capture, alias: str
):
    write(project, alias)
    code, said = WRONG[alias]
    for command in ("status", "config"):
        assert run_program([command]) == 3
        told = capsys.readouterr().err
        assert f"error[{code}]" in told
        assert "compose.yaml:6" in told
        assert said in told
    assert not stage.sessions


def test_a_command_goes_on_where_the_file_cannot_be_read(project: Path, capsys: Capture):
    (project / "compose.yaml").write_text("services: [aliases\n")
    assert run_program(["--help"]) == 0
    assert run_program(["nothing"]) == 2
    assert "There is no command `nothing`" in capsys.readouterr().err
