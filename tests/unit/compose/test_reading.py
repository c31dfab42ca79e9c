"""Texts are read as Compose means them: scalars, durations, positions, complaints."""

import re

import pytest

from underway.compose.canonical import mapping_of, read_canonical
from underway.compose.complaints import explained
from underway.compose.positions import Positions, SourceText
from underway.compose.quantities import duration_s, size_bytes
from underway.errors import ConfigurationError


def test_scalars_are_those_of_yaml_1_2() -> None:
    tree = read_canonical(
        "a: =\nb: <<\nc: yes\nd: 12:30\ne: 0o17\nf: true\ng: 12\nh: 1.5\n"
        "i: null\nj: ~\nk: 2020-01-01\n",
        is_interpolated=True,
    )
    assert tree == {
        "a": "=", "b": "<<", "c": "yes", "d": "12:30", "e": "0o17", "f": True, "g": 12,
        "h": 1.5, "i": None, "j": None, "k": "2020-01-01",
    }  # fmt: skip


def test_dollars_are_single_again_only_where_compose_doubled_them() -> None:
    assert read_canonical("a: x$$y\n", is_interpolated=True) == {"a": "x$y"}
    assert read_canonical("a: x$$y\n", is_interpolated=False) == {"a": "x$$y"}


def test_lists_of_pairs_are_mappings() -> None:
    assert mapping_of(["A=1", "B", "C=x=y"]) == {"A": "1", "B": None, "C": "x=y"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("1m30s", 90), ("500ms", 0.5), ("1h0m0.5s", 3600.5), ("0s", 0), ("1d", 86400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "s", "10 s", "-1s", "1x", "s10"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        duration_s(text)


@pytest.mark.parametrize(
    ("text", "size"), [("64m", 64 * 1024**2), ("1.5gb", 1610612736), (7, 7), ("-1", -1), ("3", 3)]
)
def test_sizes(text: object, size: int) -> None:
    assert size_bytes(text) == size


BASE = """services:
  web: &web
    image: a
    environment:
      - A=1
      - B=2
    ports:
      - "80:80"
      - {target: 90}
  api:
    <<: *web
    command: x
"""
OVERRIDE = "services:\n  web:\n    image: b\n"


def test_positions_follow_overrides_anchors_and_list_entries() -> None:
    positions = Positions([SourceText("one", BASE), SourceText("two", OVERRIDE)])
    assert positions.place("services", "web") == "two:2"
    assert positions.place("services", "web", "image") == "two:3"
    assert positions.place("services", "web", "environment", "B") == "one:6"
    assert positions.place("services", "web", "nothing") == "two:2"
    assert positions.place("services", "api", "image") == "one:3"
    assert positions.item("services", "web", "ports", holds="90") == "one:9"
    assert positions.item("services", "web", "ports", holds="77") == "one:7"


def test_positions_of_an_alias_bomb_end() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    positions = Positions([SourceText("bomb", "\n".join(lines))])
    assert positions.place("a11") in {"bomb:12", "bomb"}


def test_positions_survive_a_broken_file() -> None:
    assert Positions([SourceText("broken", "a: [\n")]).place("a") == "broken"


@pytest.mark.parametrize(
    ("cause", "place"),
    [
        ("validating /x/one: services.web.ports false schema", "one:7"),
        ("error while interpolating services.web.image: required variable X is missing", "one:3"),
        ('service "api" depends on undefined service "b": invalid compose project', "one:10"),
        ("go-yaml load error in scanner (while scanning) at L4.C1: tab", "one:4"),
        (
            'failed to parse one: yaml: line 1: line 5: mapping key "a" already defined at line 4',
            "one:5",
        ),
        ("something else entirely", "one"),
    ],
)
def test_complaints_are_placed(cause: str, place: str) -> None:
    error = ConfigurationError("compose-invalid", "no", cause=cause)
    assert explained(error, (SourceText("one", BASE),)).place == place
