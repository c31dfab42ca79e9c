import json
import re

from scripts.reference import DIRECTORY, commands_page, errors_page, pages, stale_pages
from underway.cli.sections import SECTIONS
from underway.errors import CODES
from underway.report.documents import DOCUMENTS


def test_the_reference_is_current():
    assert stale_pages() == [], "run `python scripts/reference.py`"


def test_no_page_outlives_what_it_describes():
    kept = {path.relative_to(DIRECTORY).as_posix() for path in (DIRECTORY / "json").iterdir()}
    assert kept == {name for name in pages() if name.startswith("json/")}


def test_every_code_is_in_the_reference_once():
    found = re.findall(r"^\| `([a-z-]+)` \|", errors_page(), re.MULTILINE)
    assert sorted(found) == sorted(CODES)


def test_every_command_is_in_the_reference():
    found = re.findall(r"^### `underway ([a-z]+)`$", commands_page(), re.MULTILINE)
    assert found == [name for names in SECTIONS.values() for name in names]
    assert "`-f, --follow`" in commands_page()


def test_schemas_are_json_and_links_lead_to_them():
    made = pages()
    for name, text in made.items():
        if name.endswith(".json"):
            assert json.loads(text)["$schema"].endswith("2020-12/schema")
    links = re.findall(r"\(([a-z-]+\.schema\.json)\)", made["json/README.md"])
    assert {f"json/{link}" for link in links} == {n for n in made if n.endswith(".schema.json")}
    assert len(links) == len(DOCUMENTS) + 1
