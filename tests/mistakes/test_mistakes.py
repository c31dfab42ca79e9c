"""Every mistake is answered with a code, a place, a cause and a remedy, as a user meets them.

The commands run as on the command line, without an engine. `made_on_engines` holds the rest.
"""

import os
import re
from pathlib import Path

import pytest

from tests.mistakes.table import Mistake, mistakes
from underway.cli.program import run_program
from underway.errors import CODES

IN_FILES = mistakes("file", "settings", "values")
ELSEWHERE = mistakes("hosts", "commands")
ALL = [*IN_FILES, *ELSEWHERE]
NAMED = ("-f", "-E", "--profile", "--env-file", "test", "backup")
"""Words of commands whose mistake stands on the command line, or is that the file says nothing."""


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user without Docker, SSH configuration or colours."""
    for name in os.environ:
        if name.startswith(("DOCKER_", "COMPOSE_", "UNDERWAY_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize("mistake", ALL, ids=lambda mistake: mistake.name)
def test_a_mistake_is_explained(
    mistake: Mistake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, content in mistake.files.items():
        (tmp_path / name).write_bytes(content)
    for name, value in mistake.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    status = run_program(list(mistake.words))
    told = capsys.readouterr().err.replace(f"{tmp_path}/", "").replace(str(tmp_path), ".")
    error = told[told.find("error[") :].rstrip().splitlines()
    assert (status, pattern_of(mistake).fullmatch("\n".join(error)) is not None) == (
        mistake.exit_code,
        True,
    ), told


def test_there_are_many_ways_to_be_wrong() -> None:
    names = [mistake.name for mistake in ALL]
    assert len(names) == len(set(names)) > 120
    assert len({mistake.code for mistake in ALL}) > 50


@pytest.mark.parametrize("mistake", ALL, ids=lambda mistake: mistake.name)
def test_a_mistake_has_its_exit_code_and_says_what_to_do(mistake: Mistake) -> None:
    assert CODES[mistake.code].exit_code == mistake.exit_code
    assert mistake.part("help:")
    assert mistake.part("why") or mistake.exit_code == 2


@pytest.mark.parametrize(
    "mistake",
    [one for one in IN_FILES if one.files and not set(NAMED) & set(one.words)],
    ids=lambda mistake: mistake.name,
)
def test_a_mistake_in_a_file_has_its_place(mistake: Mistake) -> None:
    place = mistake.part("at")
    assert place.partition(":")[0] in mistake.files, place


def test_a_missing_line_would_be_seen() -> None:
    (first, *_) = mistakes("file")
    assert pattern_of(first).fullmatch("\n".join(first.shown))
    assert not pattern_of(first).fullmatch("\n".join(first.shown[:-1]))


def pattern_of(mistake: Mistake) -> re.Pattern[str]:
    return re.compile(
        "\n".join(".*".join(map(re.escape, line.split("…"))) for line in mistake.shown)
    )
