"""The generated pages are what the code generates, and the table knows every key of Compose."""

import json
from pathlib import Path

import msgspec
import pytest
import yaml

from tests.unit.compose.project import PATH
from underway.adapters.compose_program import find_compose
from underway.compose.engine_limits import LIMIT_KEYS
from underway.compose.engine_words import ENGINE_KEYS
from underway.compose.keys import RULES, rule_of
from underway.compose.reference import (
    compose_keys_page,
    deviations_page,
    x_underway_page,
    x_underway_schema,
)
from underway.compose.rules import Level, Verdict
from underway.compose.wishes import AppWish
from underway.errors import ConfigurationError
from underway.image.definition import read_definition
from underway.model.spec import BuildSpec

ROOT = Path(__file__).resolve().parents[3]

COMPOSE_KEYS = yaml.safe_load((Path(__file__).parent / "compose_keys.txt").read_text())
"""By level, the properties in the schema of the Compose specification, separated by spaces."""


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/reference/compose-keys.md", compose_keys_page()),
        ("docs/reference/compose-differences.md", deviations_page()),
        ("docs/reference/x-underway.md", x_underway_page()),
        ("src/underway/compose/x-underway.schema.json", x_underway_schema()),
    ],
)
def test_a_generated_page_is_up_to_date(path: str, text: str) -> None:
    written = (ROOT / path).read_text(encoding="utf-8")
    assert written == text, "run `python -m scripts.compose_reference`"


@pytest.mark.parametrize("level", Level)
def test_every_key_of_compose_has_a_rule(level: Level) -> None:
    assert sorted(COMPOSE_KEYS[level].split()) == sorted(
        rule.key for rule in RULES if rule.level is level
    )


def test_what_a_build_takes_is_honoured() -> None:
    rules = [rule for rule in RULES if rule.level is Level.BUILD]
    taken = {rule.key for rule in rules if rule.verdict is Verdict.HONOURED}
    for rule in rules:
        build = BuildSpec("/x", "Dockerfile", json.dumps({rule.key: None}))
        if rule.key in taken:
            read_definition(build)
        else:
            with pytest.raises(ConfigurationError):
                read_definition(build)


def test_a_key_has_one_rule_and_a_refused_one_a_remedy() -> None:
    assert len({(rule.level, rule.key) for rule in RULES}) == len(RULES)
    assert all(rule.text for rule in RULES if rule.verdict is not Verdict.HONOURED)


def test_what_is_translated_is_honoured() -> None:
    for key in ENGINE_KEYS | LIMIT_KEYS:
        rule = rule_of(Level.SERVICE, key)
        assert rule is not None, key
        assert rule.verdict is Verdict.HONOURED, key


def test_the_schema_has_every_setting_of_the_app() -> None:
    schema = json.loads(x_underway_schema())
    known = set(schema["$defs"]["AppWish"]["properties"])
    assert known == {field.name for field in msgspec.structs.fields(AppWish)}


def test_compose_is_on_this_machine() -> None:
    assert find_compose(PATH).version
