"""What stands before SERVICE is Underway's, what follows it is the command's."""

import pytest

from tests.unit.cli.conftest import Stage
from tests.unit.report.sample import HOSTS, WEB
from underway import api
from underway.cli.program import run_program
from underway.model.spec import EnvVar

Capture = pytest.CaptureFixture[str]


def test_exec_hands_on_choice_and_command(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[api.Choice, api.CommandWish]] = []

    def execute(
        session: api.Session, choice: api.Choice, wish: api.CommandWish, streams: api.Streams
    ) -> int:
        assert session is stage.sessions[0]
        del streams
        asked.append((choice, wish))
        return 42

    monkeypatch.setattr(api, "execute", execute)
    monkeypatch.setenv("HANDED_ON", "x=y")
    line = f"exec -it --index 2 --host {HOSTS[0]} -e A=b=c -e HANDED_ON -u root -w /srv web ls -la"
    assert run_program([*line.split(), "--json", "-e"]) == 42
    wish = api.CommandWish(
        ("ls", "-la", "--json", "-e"),
        (EnvVar("A", "b=c"), EnvVar("HANDED_ON", "x=y")),
        "root",
        "/srv",
    )
    assert asked == [(api.Choice(WEB, 2, HOSTS[0]), wish)]


def test_run_hands_on_what_is_to_be_run_once(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    asked: list[api.RunWish] = []

    def run_once(session: api.Session, wanted: api.RunWish, streams: api.Streams) -> int:
        assert session is stage.sessions[0]
        del streams
        asked.append(wanted)
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "run_once", run_once)
    line = ["run", "--rm", "-T", "--entrypoint", "sh -e", "web", "-c", "true"]
    assert run_program(line) == 130
    wish = api.CommandWish(("-c", "true"))
    assert asked == [api.RunWish(WEB, wish, None, ("sh", "-e"))]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["exec", "web"], "Missing argument"),
        (["exec", "-e", "NOT_SET_ANYWHERE", "web", "ls"], "neither NAME=VALUE"),
        (["exec", "--replica", "0", "web", "ls"], "x>=1"),
        (["run", "--entrypoint", "'sh", "web"], "closing quotation"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    stage: Stage, capsys: Capture, words: list[str], said: str
):
    assert run_program(words) == 2
    assert said.lower() in capsys.readouterr().err.lower()
    assert not stage.sessions
