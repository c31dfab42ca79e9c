"""Lines come where they belong, and what stood in the file stays, byte for byte."""

import pytest
import yaml

from underway.compose.insertion import Insertion, end_of_file, inserted, service_spot
from underway.compose.positions import SourceText
from underway.errors import ConfigurationError

_HEAD = "services:\n  web:\n    image: a\n"
_NEXT = "  db:\n    image: b\n"
FILES = {
    "plain": _HEAD,
    "without a line end": _HEAD.rstrip(),
    "carriage returns": _HEAD.replace("\n", "\r\n"),
    "comments around": f"services:\n  web: # it\n    image: a # so\n\n  # the next\n{_NEXT}",
    "a block scalar with comments in it": (
        f"{_HEAD}    command: |\n      sh\n      # mine\n\n  # the next\n{_NEXT}"
    ),
    "a folded scalar at the end of the file": f"{_HEAD}    command: >-\n      a\n      b\n\n",
    "a flow list": f"{_HEAD}    ports: [1,\n      2]  # two\n{_NEXT}",
    "an empty value": f"{_HEAD}    tty:\n{_NEXT}",
    "a list at the key's own column": f"{_HEAD}    ports:\n    - 1\n    - 2\n{_NEXT}",
    "an alias as the last value": f"x-log: &log\n  a: b\n{_HEAD}    logging: *log\n{_NEXT}",
    "a document mark": "---\nservices:\n        web:\n                image: a\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_a_key_is_added_to_the_service_and_nothing_else_changes(text: str):
    spot = service_spot(SourceText("compose.yaml", text), "web")
    made = inserted(text, [Insertion(spot.after + 1, (" " * spot.indent + "x-underway: yes",))])
    before, after = yaml.safe_load(text), yaml.safe_load(made)
    assert after["services"]["web"].pop("x-underway") is True
    assert after == before
    kept = [line for line in made.splitlines(keepends=True) if "x-underway" not in line]
    assert "".join(kept).rstrip("\r\n") == text.rstrip("\r\n")
    assert ("\r\n" in text) == all(line.endswith("\r\n") for line in made.splitlines(keepends=True))


@pytest.mark.parametrize(
    "text",
    [
        "services: {web: {image: a}}\n",
        "services:\n  web: {image: a}\n",
        "services:\n  web:\n",
        "x-base: &base\n  image: a\nservices:\n  web: *base\n",
        "{services: {web: {image: a}}}\n",
        "- a\n",
        "services:\n  db:\n    image: a\n",
    ],
)
def test_where_nothing_can_be_added_the_user_is_told_how(text: str):
    with pytest.raises(ConfigurationError, match="cannot be completed") as told:
        service_spot(SourceText("compose.yaml", text), "web")
    assert told.value.code == "init-cannot-write"
    assert "--print" in told.value.hint


def test_several_insertions_count_the_lines_of_the_file_as_it_was():
    text = "a: 1\nb: 2\n"
    made = inserted(text, [Insertion(1, ("x: 0",)), Insertion(end_of_file(text), ("", "z: 9"))])
    assert made == "a: 1\nx: 0\nb: 2\n\nz: 9\n"
