"""What scale, restart, stop and start hand on."""

from collections.abc import Callable

import pytest

from tests.unit.cli.conftest import OLDER, RELEASE, Stage
from tests.unit.report.sample import HOSTS, WEB
from underway import api
from underway.cli.program import run_program
from underway.model.event import Outcome
from underway.model.names import ServiceName

Capture = pytest.CaptureFixture[str]
DB = ServiceName("db")


def adjusts(asked: list[object]) -> Callable[..., api.DeployResult]:
    def adjust(session: api.Session, what: object, options: api.AdjustOptions) -> api.DeployResult:
        del session
        asked.extend((what, options))
        return api.DeployResult(RELEASE, OLDER.number, Outcome.DONE, 4, 2.0)

    return adjust


@pytest.mark.parametrize(
    ("line", "name", "what"),
    [
        ("scale web=4 db=0", "scale", {WEB: 4, DB: 0}),
        ("restart web", "restart", (WEB,)),
        ("restart", "restart", ()),
        ("stop web db", "stop", (WEB, DB)),
        ("start", "start", ()),
    ],
)
def test_what_is_asked_is_handed_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, line: str, name: str, what: object
):
    asked: list[object] = []
    monkeypatch.setattr(api, name, adjusts(asked))
    more = ["--allow-interruption", "--skip-host", HOSTS[0], "--wait", "5m"]
    assert run_program([*line.split(), *more]) == 0
    assert asked == [what, api.AdjustOptions(True, frozenset({HOSTS[0]}), 300.0)]  # noqa: FBT003
    assert len(stage.sessions) == 1


@pytest.mark.parametrize("count", ["web", "web=", "=3", "web=-1", "web=many"])
def test_a_scale_names_a_service_and_a_number(stage: Stage, capsys: Capture, count: str):
    assert run_program(["scale", count]) == 2
    assert "SERVICE=NUMBER" in capsys.readouterr().err
    assert not stage.sessions
