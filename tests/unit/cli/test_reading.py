"""How much of the file each command reads: what only looks or goes back works without values."""

import pytest

from tests.unit.cli.conftest import Stage
from underway import api
from underway.cli.program import run_program
from underway.cli.sections import SECTIONS
from underway.errors import RefusedError, UsageError
from underway.model.history import Stance
from underway.wiring.options import Reading

READINGS = {
    "plan": Reading.WHOLE,
    "plan 3": Reading.SITE,
    "test": Reading.WHOLE,
    "ship": Reading.WHOLE,
    "deploy": Reading.WHOLE,
    "deploy 3": Reading.SITE,
    "deploy 3 --current-secrets": Reading.WHOLE,
    "adopt": Reading.WHOLE,
    "adopt --undo --yes": Reading.SITE,
    "rollback": Reading.SITE,
    "rollback 3": Reading.SITE,
    "rollback 3 --current-secrets": Reading.WHOLE,
    "status": Reading.SITE,
    "history": Reading.SITE,
    "history --releases": Reading.SITE,
    "releases": Reading.SITE,
    "show": Reading.SITE,
    "diff": Reading.WHOLE,
    "diff 3": Reading.WHOLE,
    "diff 3 4": Reading.SITE,
    "events": Reading.SITE,
    "open": Reading.SITE,
    "top": Reading.SITE,
    "logs": Reading.SITE,
    "check": Reading.BEST,
    "exec web true": Reading.SITE,
    "scale web=3": Reading.SITE,
    "restart web": Reading.SITE,
    "stop": Reading.SITE,
    "start": Reading.SITE,
    "run web true": Reading.SITE,
    "backup create": Reading.WHOLE,
    "backup list": Reading.WHOLE,
    "backup restore": Reading.WHOLE,
    "backup verify": Reading.WHOLE,
    "image snapshot remove web-1": Reading.SITE,
    "image snapshot create web": Reading.BEST,
    "tag add 3 approved": Reading.SITE,
    "tag list": Reading.SITE,
    "tag remove approved": Reading.SITE,
    "repair": Reading.SITE,
    "report": Reading.BEST,
    "prune": Reading.SITE,
    "lock": Reading.SITE,
    "remove --yes": Reading.SITE,
}
ASKS_NO_HOST = {"completion", "config", "errors", "init", "recover", "setup"}


def test_every_command_is_known_here() -> None:
    commands = {name for names in SECTIONS.values() for name in names}
    assert {line.split()[0] for line in READINGS} == commands - ASKS_NO_HOST - {"promote"}


@pytest.fixture(autouse=True)
def no_use_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands end where they would do something."""

    def stop(*_: object, **__: object) -> None:
        raise RefusedError("not-confirmed", "far enough")

    for name in api.__all__:
        if callable(getattr(api, name)) and not isinstance(getattr(api, name), type):
            monkeypatch.setattr(api, name, stop)


@pytest.mark.parametrize("line", READINGS)
def test_a_command_reads_no_more_than_it_needs(line: str, stage: Stage) -> None:
    assert run_program(line.split()) == RefusedError.exit_code
    assert stage.readings == [READINGS[line]]


def test_promoting_reads_the_site_it_comes_from_and_the_whole_of_where_it_goes(
    stage: Stage,
) -> None:
    line = ["promote", "3", "--to", "production"]
    assert run_program(line) == RefusedError.exit_code
    assert stage.readings == [Reading.SITE, Reading.WHOLE]


@pytest.mark.parametrize("line", ["-E production promote", "-p libra promote"])
def test_promoting_to_itself_is_a_wrong_command(line: str, stage: Stage) -> None:
    assert run_program([*line.split(), "--to", "production"]) == UsageError.exit_code
    assert stage.readings == [Reading.SITE]


STANCES = {
    "plan": Stance.TELL,
    "ship": Stance.REFUSE,
    "deploy": Stance.REFUSE,
    "deploy --accept-history": Stance.ACCEPT,
    "adopt": Stance.REFUSE,
    "adopt --plan": Stance.TELL,
    "rollback": Stance.REFUSE,
    "rollback --accept-history": Stance.ACCEPT,
    "status": Stance.TELL,
    "history": Stance.TELL,
    "releases": Stance.TELL,
    "show": Stance.TELL,
    "diff": Stance.TELL,
    "events": Stance.TELL,
    "open": Stance.TELL,
    "top": Stance.TELL,
    "logs": Stance.TELL,
    "check": Stance.TELL,
    "lock": Stance.TELL,
    "repair": Stance.REFUSE,
    "repair --accept-history": Stance.ACCEPT,
    "prune": Stance.REFUSE,
    "remove --yes": Stance.REFUSE,
    "remove --yes --accept-history": Stance.ACCEPT,
}


@pytest.mark.parametrize("line", STANCES)
def test_what_changes_the_app_refuses_a_doubtful_history_and_what_looks_tells_it(
    line: str, stage: Stage
) -> None:
    assert run_program(line.split()) == RefusedError.exit_code
    assert stage.stances == [STANCES[line]]
