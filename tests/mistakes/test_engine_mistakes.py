"""The mistakes that only a real engine tells: `engine.txt`, each on a host that is empty before.

`@PYTHON@`, `@REGISTRY@` and `@ADDRESS@` stand for the laboratory's image, registry and host; `%`
begins a command that is run first. A line that is `…` alone stands for any lines.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.laboratories import Fleet, clear
from tests.mistakes.table import Mistake, mistakes
from underway.errors import CODES

ROWS = mistakes("engine")
PROGRAM = (sys.executable, "-m", "underway.cli.main")


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.lab(hosts=1)
def test_a_mistake_on_an_engine_is_explained(fleet: Fleet, tmp_path: Path) -> None:
    wrong = []
    for number, row in enumerate(ROWS):
        directory = tmp_path / str(number)
        directory.mkdir()
        said, code = told(fleet, row, directory)
        pattern = pattern_of(fleet, row)
        if code != row.exit_code or not pattern.fullmatch(said):
            wrong.append(f"{row.name}: exit {code}\n{said}")
        clear(fleet.laboratory)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_its_code_has_the_exit_code_and_it_says_what_to_do(row: Mistake) -> None:
    assert CODES[row.code].exit_code == row.exit_code
    assert row.part("help:")


def told(fleet: Fleet, row: Mistake, directory: Path) -> tuple[str, int]:
    """The error that the command ended with, and its exit code."""
    for name, content in row.files.items():
        (directory / name).write_bytes(filled(fleet, content.decode()).encode())
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith("COMPOSE_")},
        **fleet.environment,
        "DOCKER_HOST": fleet.laboratory.hosts[0].url,
        "NO_COLOR": "1",
    }
    for line in row.first:
        words = shlex.split(filled(fleet, line))
        run(words, directory, environment).check_returncode()
    done = run(["underway", *row.words], directory, {**environment, **row.environment})
    text = done.stderr.replace(f"{directory}/", "")
    return text[text.find("error[") :].rstrip(), done.returncode


def run(
    words: list[str], directory: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """A command that may begin with variables."""
    given = dict(environment)
    while "=" in words[0]:
        name, value = words.pop(0).split("=", 1)
        given[name] = value
    argv = [*PROGRAM, *words[1:]] if words[0] == "underway" else words
    return subprocess.run(
        argv,
        cwd=directory,
        env=given,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def filled(fleet: Fleet, text: str) -> str:
    laboratory = fleet.laboratory
    registry = laboratory.describe()["registry"]["address"]
    known = {
        "@PYTHON@": laboratory.images["python"],
        "@REGISTRY@": registry,
        "@ADDRESS@": laboratory.hosts[0].address,
    }
    for name, value in known.items():
        text = text.replace(name, value)
    return text


def pattern_of(fleet: Fleet, row: Mistake) -> re.Pattern[str]:
    lines = [filled(fleet, line) for line in row.shown]
    patterns = [
        r"(?:.*\n)*?.*" if line == "…" else ".*".join(map(re.escape, line.split("…")))
        for line in lines
    ]
    return re.compile("\n".join(patterns))
