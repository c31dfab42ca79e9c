"""Every refusal has its code and points at the line that causes it.

`refusals.txt` holds one file per case, `=== what is wrong | code | part of the remedy`; the line
that the error must point at ends in `# <--`.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.unit.compose.project import understood
from underway.errors import CODES, ConfigurationError

MARK = "# <--"
PLAIN = "services: {web: {image: app:1}}\n"
FILES = {"small": "x", "big": "x" * 1_100_000}


class Case(NamedTuple):
    name: str
    code: str
    hint: str
    text: str

    @property
    def line(self) -> int:
        (line,) = [n for n, text in enumerate(self.text.split("\n"), 1) if text.endswith(MARK)]
        return line


def cases() -> list[Case]:
    found = []
    for block in (Path(__file__).parent / "refusals.txt").read_text().split("=== ")[1:]:
        head, _, text = block.partition("\n")
        name, code, hint = (part.strip() for part in head.split("|"))
        found.append(Case(name, code, hint, text))
    return found


def test_there_are_many_cases() -> None:
    names = [case.name for case in cases()]
    assert len(names) == len(set(names)) >= 80


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_wrong_file_is_refused_with_its_place(case: Case, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        understood(tmp_path, case.text, files=FILES)
    error = caught.value
    assert (error.code, error.place) == (case.code, f"compose.yaml:{case.line}"), str(error)
    assert error.hint
    assert case.hint in error.hint
    assert error.code in CODES


def test_an_override_is_named_where_it_causes_the_error(tmp_path: Path) -> None:
    files = {"compose.production.yaml": "services:\n  web:\n    pid: container:x\n"}
    with pytest.raises(ConfigurationError) as caught:
        understood(tmp_path, PLAIN, files=files, environment="production")
    assert caught.value.place == "compose.production.yaml:3"


def test_an_included_file_is_named_where_it_causes_the_error(tmp_path: Path) -> None:
    files = {"parts/db.yaml": "services:\n  db:\n    image: x\n    pid: container:x\n"}
    with pytest.raises(ConfigurationError) as caught:
        understood(tmp_path, "include: [parts/db.yaml]\n" + PLAIN, files=files)
    assert caught.value.place == "parts/db.yaml:4"


def test_a_missing_environment_names_those_that_exist(tmp_path: Path) -> None:
    files = {"compose.production.yaml": "services: {}\n", "compose.staging.yml": "services: {}\n"}
    with pytest.raises(ConfigurationError) as caught:
        understood(tmp_path, PLAIN, files=files, environment="prod")
    assert caught.value.code == "environment-missing"
    assert "production, staging" in caught.value.cause
    assert caught.value.hint == "Did you mean `production`?"


def test_no_file_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        understood(tmp_path)
    assert caught.value.code == "file-missing"
