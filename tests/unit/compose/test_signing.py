"""The signing key comes from a command, a file or a variable, and is shown nowhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.unit.compose.project import BINARY, PATH, understood, write
from underway.adapters.compose_files import LocalFiles, find_sources
from underway.adapters.compose_program import ComposeProgram
from underway.compose.loading import load_site
from underway.compose.signing import read_key
from underway.compose.sources import KeySource
from underway.errors import ConfigurationError

KEY = "0123456789abcdef0123456789abcdef"
APP = "name: libra\nservices: {web: {image: app:1}}\nx-underway: {signing: {key: {SOURCE}}}\n"


@dataclass
class Commands:
    """Prints `value`, and keeps what was run."""

    value: bytes = b""
    ran: list[tuple[Sequence[str], float]] = field(default_factory=list)

    def output_of(self, command: Sequence[str], *, timeout_s: float) -> bytes:
        self.ran.append((command, timeout_s))
        return self.value


def source_of(directory: Path, source: str) -> KeySource | None:
    write(directory, {"compose.yaml": APP.replace("SOURCE", source)})
    sources = find_sources(directory, environ=PATH)
    composer = ComposeProgram(sources.directory, PATH, _binary=BINARY)
    return load_site(sources, composer, Commands()).signing


def key_of(
    directory: Path,
    source: str,
    *,
    commands: Commands | None = None,
    variables: Mapping[str, str] | None = None,
) -> bytes:
    found = source_of(directory, source)
    assert found
    return read_key(found, commands or Commands(), LocalFiles(), variables or {}).reveal()


def refused(directory: Path, source: str, **given: Mapping[str, str]) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        key_of(directory, source, **given)  # type: ignore[arg-type]
    assert caught.value.place.startswith("compose.yaml:3")
    assert KEY[:8] not in str(caught.value)
    return caught.value


def test_a_command_prints_it(tmp_path: Path) -> None:
    commands = Commands(f"{KEY}\n".encode())
    source = "command: \"op read 'op://libra/key'\", timeout: 5s"
    assert key_of(tmp_path, source, commands=commands) == KEY.encode()
    assert commands.ran == [(("op", "read", "op://libra/key"), 5.0)]


def test_a_file_beside_the_compose_file_holds_it(tmp_path: Path) -> None:
    (tmp_path / "team.key").write_text(f"{KEY}\r\n")
    assert key_of(tmp_path, "file: ./team.key") == KEY.encode()


def test_a_variable_holds_it(tmp_path: Path) -> None:
    found = source_of(tmp_path, "variable: TEAM_KEY")
    assert found
    assert found.variable == "TEAM_KEY"
    assert key_of(tmp_path, "variable: TEAM_KEY", variables={"TEAM_KEY": KEY}) == KEY.encode()


def test_a_key_that_is_not_at_hand_is_told_with_its_place(tmp_path: Path) -> None:
    assert refused(tmp_path, "variable: TEAM_KEY").code == "variable-missing"
    assert refused(tmp_path, "file: gone.key").code == "file-unreadable"


def test_a_short_key_is_refused_without_being_shown(tmp_path: Path) -> None:
    error = refused(tmp_path, "variable: TEAM_KEY", variables={"TEAM_KEY": KEY[:31]})
    assert error.code == "signing-key-weak"


@pytest.mark.parametrize("source", ["", "file: a, variable: B", "timeout: 5s"])
def test_exactly_one_source_is_named(tmp_path: Path, source: str) -> None:
    assert refused(tmp_path, source).code == "x-underway-invalid"


def test_a_misspelt_source_is_told(tmp_path: Path) -> None:
    error = refused(tmp_path, "commands: x")
    assert error.code == "x-underway-unknown"
    assert "command" in error.hint


def test_the_whole_file_tells_the_same_source_and_keeps_it_out_of_the_release(
    tmp_path: Path,
) -> None:
    whole = understood(
        tmp_path, APP.replace("SOURCE", "variable: TEAM_KEY"), environ={"TEAM_KEY": KEY}
    )
    assert whole.signing == source_of(tmp_path, "variable: TEAM_KEY")
    assert "TEAM_KEY" not in repr(whole.spec)
    assert KEY not in repr(whole)
    assert not whole.values


def test_without_signing_there_is_no_source(tmp_path: Path) -> None:
    plain = "services: {web: {image: app:1}}\n"
    assert understood(tmp_path, plain).signing is None
