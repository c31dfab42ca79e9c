"""The classic builder's failures: what they quote is masked, and files are told from engines."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import docker
import pytest
import requests

from underway.adapters.engine_builder import EngineBuilder
from underway.errors import RefusedError, UnderwayError, UnreachableError
from underway.model.names import HostName, SensitiveName
from underway.model.sensitive import Sensitive
from underway.model.spec import BuildSpec

EXPANDED: Final = "t0ken-value"
NAME: Final = SensitiveName("build/web/TOKEN")
FAILED: Final = f"The command 'curl {EXPANDED}' returned a non-zero code"


@dataclass
class Client:
    """An engine's library that answers a build as it is told."""

    answers: Callable[[], Iterator[dict[str, Any]]]
    host: HostName = HostName("h1")  # noqa: RUF009 -- a name is a text

    def open(self) -> "Client":
        return self

    def build(self, **_: object) -> Iterator[dict[str, Any]]:
        return self.answers()


def failure(tmp_path: Path, answers: Callable[[], Iterator[dict[str, Any]]]) -> UnderwayError:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nARG TOKEN\n")
    definition = json.dumps({"args": {"TOKEN": {"sensitive": NAME}}})
    builder = EngineBuilder(Client(answers), values={NAME: Sensitive(EXPANDED.encode())})  # type: ignore[arg-type]
    with pytest.raises(UnderwayError) as caught:
        builder.build(BuildSpec(str(tmp_path), "Dockerfile", definition), (), lambda _: None)
    return caught.value


def raising(error: Exception) -> Callable[[], Iterator[dict[str, Any]]]:
    def answers() -> Iterator[dict[str, Any]]:
        raise error

    return answers


def test_a_failed_command_is_told_without_the_values_it_expanded(tmp_path: Path) -> None:
    told = failure(tmp_path, lambda: iter([{"stream": "Step 1\n"}, {"error": FAILED}]))
    assert isinstance(told, RefusedError)
    assert "returned a non-zero code" in told.cause
    assert EXPANDED not in repr((told.message, told.cause, told.detail))


def test_what_the_library_raises_is_masked_too(tmp_path: Path) -> None:
    told = failure(tmp_path, raising(docker.errors.BuildError(FAILED, iter(()))))
    assert isinstance(told, RefusedError)
    assert EXPANDED not in repr((told.message, told.cause, told.detail))


@pytest.mark.parametrize(
    "error",
    [
        OSError("Can not read file in context: /src/private"),
        PermissionError(13, "Permission denied", "/src/private"),
        OSError(28, "No space left on device", "/src/private"),
    ],
)
def test_a_file_that_cannot_be_read_is_no_engine_that_does_not_answer(
    tmp_path: Path, error: OSError
) -> None:
    told = failure(tmp_path, raising(error))
    assert isinstance(told, RefusedError)
    assert "/src/private" in told.cause or "space" in told.cause


@pytest.mark.parametrize(
    "error", [requests.exceptions.ConnectionError("gone"), BrokenPipeError(32, "Broken pipe")]
)
def test_an_engine_that_goes_away_is_told_as_such(tmp_path: Path, error: OSError) -> None:
    assert isinstance(failure(tmp_path, raising(error)), UnreachableError)
