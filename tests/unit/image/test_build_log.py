"""A builder's output as lines people read."""

import base64
import json

import pytest

from underway.adapters.build_log import TAIL_LINES, BuildLog
from underway.adapters.buildx import build_failed
from underway.image.definition import read_definition
from underway.model.spec import BuildSpec


def _status(**parts: object) -> str:
    return json.dumps(parts)


def _data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("indent", [None, 2])
def test_objects_on_one_line_or_many_become_lines(indent: int | None) -> None:
    lines: list[str] = []
    log = BuildLog(lines.append, ("s3cret",))
    vertex = {"digest": "d", "name": "RUN make", "started": "t"}
    for status in (
        {"vertexes": [vertex]},
        {"vertexes": [vertex], "logs": [{"vertex": "d", "data": _data("one\ntw")}]},
        {"logs": [{"vertex": "d", "data": _data("o s3cret\n10%\r20%\r\nrest")}]},
        {"vertexes": [{**vertex, "error": "exit code: 7"}]},
    ):
        for line in json.dumps(status, indent=indent).splitlines():
            log.feed(line)
    log.feed("ERROR: failed to solve: s3cret")
    assert lines == [
        "RUN make",
        "one",
        "two ***",
        "20%",
        "RUN make: exit code: 7",
        "ERROR: failed to solve: ***",
    ]
    assert log.reason == "failed to solve: ***"
    assert log.tail()[-1] == "rest"


def test_only_the_last_lines_are_kept() -> None:
    log = BuildLog(lambda _: None)
    for number in range(100):
        log.feed(f"line {number}")
    assert log.tail() == tuple(f"line {number}" for number in range(100 - TAIL_LINES, 100))


def test_what_is_no_json_is_shown_as_it_is() -> None:
    lines: list[str] = []
    log = BuildLog(lines.append)
    log.feed("{not json}")
    assert lines == ["{not json}"]


def test_cached_steps_say_so() -> None:
    lines: list[str] = []
    log = BuildLog(lines.append)
    log.feed(_status(vertexes=[{"digest": "d", "name": "COPY", "started": "t", "cached": True}]))
    assert lines == ["COPY (cached)"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (
            "ERROR: failed to do request: Head https://r:5000/v2/: connect: connection refused",
            "registry-unreachable",
        ),
        ("ERROR: process `curl http://r` did not complete: connection refused", "build-failed"),
        ("ERROR: failed to resolve source metadata for r/x:1: not found", "build-failed"),
    ],
)
def test_a_registry_that_keeps_a_build_from_beginning_is_told_apart(line: str, code: str) -> None:
    definition = read_definition(BuildSpec(".", "Dockerfile", definition='{"context":"."}'))
    assert build_failed(definition, ("one", line), "exit status 1").code == code
    assert build_failed(definition, (), line).code == code
