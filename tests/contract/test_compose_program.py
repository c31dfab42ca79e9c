"""The Composer port on the real Compose: found, limited, exact."""

import json
import stat
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from underway.adapters.compose_commands import CommandOutputs
from underway.adapters.compose_files import LocalFiles, find_sources
from underway.adapters.compose_program import ComposeProgram, find_compose
from underway.compose.canonical import read_canonical
from underway.compose.sources import (
    TRAVEL_LIMIT_BYTES,
    FileReader,
    ProjectComposer,
    SensitiveCommands,
)
from underway.errors import ConfigurationError, UnreachableError
from underway.ports import Composer

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"}
NASTY = "a b\n'quoted' \"double\" $dollar ${brace} ünï \t# end\n"


def composer(directory: Path, environment: Mapping[str, str] = ENVIRONMENT) -> ComposeProgram:
    return ComposeProgram(directory, environment)


def program(directory: Path, name: str, script: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_the_adapters_are_their_ports(tmp_path: Path) -> None:
    port: Composer = composer(tmp_path)
    project: ProjectComposer = composer(tmp_path)
    reader: FileReader = LocalFiles()
    commands: SensitiveCommands = CommandOutputs(ENVIRONMENT)
    assert all((port, project, reader, commands))


def test_values_pass_through_exactly(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services: {web: {image: x, environment: {A: '${A}', B: 'a$$b'}}}\n"
    )
    text = composer(tmp_path).canonical(
        [tmp_path / "compose.yaml"], interpolate=True, environment={"A": NASTY}
    )
    tree = read_canonical(text, is_interpolated=True)
    assert tree["services"]["web"]["environment"] == {"A": NASTY, "B": "a$b"}


def test_variables_are_told_exactly_and_only_if_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_FILE=f\nBOTH=file\n")
    variables = composer(tmp_path, {**ENVIRONMENT, "BOTH": "shell", "EMPTY": ""}).variables(
        ["NASTY", "FROM_FILE", "BOTH", "EMPTY", "UNSET"], environment={"NASTY": NASTY}
    )
    assert variables == {"NASTY": NASTY, "FROM_FILE": "f", "BOTH": "shell", "EMPTY": ""}


def test_env_files_replace_dot_env(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nB=1\n")
    (tmp_path / "other.env").write_text("A=2\n")
    program_ = ComposeProgram(tmp_path, ENVIRONMENT, env_files=(tmp_path / "other.env",))
    assert program_.variables(["A", "B"]) == {"A": "2"}


def test_uninterpolated_text_keeps_paths_and_references(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services: {web: {image: 'x:${TAG:-1}', volumes: ['./a:/a'], env_file: missing.env}}\n"
    )
    text = composer(tmp_path).canonical([tmp_path / "compose.yaml"], interpolate=False)
    web = read_canonical(text, is_interpolated=False)["services"]["web"]
    assert web["image"] == "x:${TAG:-1}"
    assert web["volumes"][0]["source"] == "./a"


def test_extensions_below_the_top_are_kept(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services: {web: {image: x, x-underway: {proxy: a},"
        " ports: [{target: 80, x-underway: {public: true}}]}}\n"
    )
    text = composer(tmp_path).canonical([tmp_path / "compose.yaml"], interpolate=True)
    web = read_canonical(text, is_interpolated=True)["services"]["web"]
    assert web["x-underway"] == {"proxy": "a"}
    assert web["ports"][0]["x-underway"] == {"public": True}


def test_composes_own_error_is_told(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x, nonsense: 1}}\n")
    with pytest.raises(ConfigurationError) as caught:
        composer(tmp_path).canonical([tmp_path / "compose.yaml"], interpolate=True)
    assert caught.value.code == "compose-invalid"
    assert "services.web.nonsense" in caught.value.cause


def test_an_alias_bomb_ends_within_its_limits(tmp_path: Path) -> None:
    lines = ["services: {web: {image: x}}", "x-a0: &a0 [l, l, l, l, l, l, l, l, l]"]
    lines += [f"x-a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 11)]
    (tmp_path / "compose.yaml").write_text("\n".join(lines))
    started = time.monotonic()
    with pytest.raises(ConfigurationError) as caught:
        ComposeProgram(tmp_path, ENVIRONMENT, timeout_s=20).canonical(
            [tmp_path / "compose.yaml"], interpolate=True
        )
    assert caught.value.code == "compose-too-large"
    assert time.monotonic() - started < 30


def test_a_compose_that_hangs_is_ended(tmp_path: Path) -> None:
    program(tmp_path, "docker-compose", '[ "$1" = version ] && echo 5.0.0 && exit; exec sleep 60')
    slow = ComposeProgram(tmp_path, {"PATH": f"{tmp_path}:/usr/bin:/bin"}, timeout_s=0.5)
    with pytest.raises(ConfigurationError) as caught:
        slow.canonical([tmp_path / "compose.yaml"], interpolate=True)
    assert caught.value.code == "compose-too-large"


@pytest.fixture
def no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose Docker program knows its plugins alone."""
    monkeypatch.setattr("underway.adapters.docker_plugins.SYSTEM_DIRECTORIES", ())


def test_a_plugin_is_called_by_its_own_path(tmp_path: Path) -> None:
    plugins = tmp_path / "config" / "cli-plugins"
    plugins.mkdir(parents=True)
    program(plugins, "docker-compose", "echo 2.40.3")
    program(tmp_path, "docker", "exit 1")
    paths = {"PATH": f"{tmp_path}:/usr/bin:/bin", "DOCKER_CONFIG": str(tmp_path / "config")}
    assert find_compose(paths).argv == (str(plugins / "docker-compose"),)
    (tmp_path / "other").mkdir()
    (plugins / "docker-compose").rename(tmp_path / "other" / "docker-compose")
    extra = {"cliPluginsExtraDirs": [str(tmp_path / "other")]}
    (tmp_path / "config" / "config.json").write_text(json.dumps(extra))
    assert find_compose(paths).argv == (str(tmp_path / "other" / "docker-compose"),)


@pytest.mark.usefixtures("no_plugins")
def test_the_plugin_comes_first(tmp_path: Path) -> None:
    program(tmp_path, "docker", '[ "$1" = compose ] && echo 2.40.3')
    program(tmp_path, "docker-compose", "echo v2.24.0")
    found = find_compose({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert found.argv == (str(tmp_path / "docker"), "compose")
    assert found.version == "2.40.3"


@pytest.mark.usefixtures("no_plugins")
def test_an_old_plugin_is_passed_over(tmp_path: Path) -> None:
    program(tmp_path, "docker", "echo 2.23.3")
    program(tmp_path, "docker-compose", "echo v2.24.0")
    found = find_compose({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert found.argv == (str(tmp_path / "docker-compose"),)


def test_the_packaged_one_is_found_without_path(tmp_path: Path) -> None:
    found = find_compose({"PATH": str(tmp_path)})
    assert found.argv == (str(Path(sysconfig.get_path("scripts")) / "docker-compose"),)


def test_no_compose_names_the_old_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "docker-compose", "echo 1.29.2")
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    with pytest.raises(UnreachableError) as caught:
        find_compose({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert caught.value.code == "compose-missing"
    assert "1.29.2" in caught.value.cause


def test_files_are_found_as_compose_finds_them(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / "docker-compose.yml").write_text("services: {}\n")
    (tmp_path / "compose.override.yml").write_text("services: {}\n")
    found = find_sources(below)
    assert [path.name for path in found.files] == ["compose.yaml", "compose.override.yml"]
    assert found.directory == tmp_path
    named = find_sources(tmp_path, files=[Path("docker-compose.yml")])
    assert [path.name for path in named.files] == ["docker-compose.yml"]
    by_variable = find_sources(
        tmp_path, environ={"COMPOSE_FILE": "docker-compose.yml:compose.override.yml"}
    )
    assert [text.label for text in by_variable.texts] == [
        "docker-compose.yml",
        "compose.override.yml",
    ]


def test_included_files_are_known_for_their_lines(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("include: [a/one.yaml, {path: [two.yaml]}]\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.yaml").write_text("include: [three.yaml]\n")
    (tmp_path / "a" / "three.yaml").write_text("services: {}\n")
    (tmp_path / "two.yaml").write_text("include: [two.yaml]\n")
    found = find_sources(tmp_path)
    assert [path.name for path in found.files] == ["compose.yaml"]
    labels = [text.label for text in found.texts]
    assert labels[:2] == ["a/three.yaml", "a/one.yaml"]
    assert labels[-1] == "compose.yaml"


def test_what_cannot_travel_is_told(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (TRAVEL_LIMIT_BYTES + 1))
    (tmp_path / "many").mkdir()
    for number in range(201):
        (tmp_path / "many" / str(number)).write_text("x")
    (tmp_path / "empty").mkdir()
    reader = LocalFiles()
    assert "empty" in reader.read(tmp_path / "empty").problem
    assert "more than" in reader.read(tmp_path / "big").problem
    assert "more than" in reader.read(tmp_path / "many").problem
    assert "no such file" in reader.read(tmp_path / "none").problem
    assert "regular" in reader.read(Path("/dev/null")).problem


def test_a_small_directory_travels_with_its_modes(tmp_path: Path) -> None:
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "d" / "run.sh").chmod(0o755)
    (tmp_path / "d" / "sub" / "x").write_bytes(b"\x00\xff")
    (tmp_path / "d" / "link").symlink_to("run.sh")
    found = LocalFiles().read(tmp_path / "d")
    assert [(file.path, file.mode) for file in found.files][:2] == [
        ("link", 0o755),
        ("run.sh", 0o755),
    ]
    assert found.files[2].content == b"\x00\xff"
    assert found.is_directory


def test_a_tree_is_interpolated_as_a_file_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SERVER=from.file\n")
    tree = {"name": "${NAME}-x", "x-underway": {"hosts": ["ssh://${A:-${SERVER:?}}"], "n": "a$$b"}}
    text = composer(tmp_path).interpolated(tree, environment={"NAME": "vela"})
    told = read_canonical(text, is_interpolated=True)
    assert told["name"] == "vela-x"
    assert told["x-underway"] == {"hosts": ["ssh://from.file"], "n": "a$b"}


@pytest.mark.parametrize("interpolate", [True, False])
def test_only_the_interpolated_file_needs_values(tmp_path: Path, *, interpolate: bool) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(
        "services: {web: {image: 'x:${TAG:?told}', ports: ['${A:-${PORT:?}}:80'],"
        " mem_limit: '${MEMORY:?}', env_file: ['${WHERE:?}/gone.env']}}\n"
    )
    if not interpolate:
        assert "${MEMORY:?}" in composer(tmp_path).canonical([file], interpolate=False)
        return
    with pytest.raises(ConfigurationError) as caught:
        composer(tmp_path).canonical([file], interpolate=True)
    assert caught.value.code == "variable-missing"
    assert any(name in caught.value.message for name in ("MEMORY", "PORT", "TAG", "WHERE"))
    values = {"TAG": "1", "PORT": "8", "MEMORY": "1m", "WHERE": "."}
    with pytest.raises(ConfigurationError) as lacking:
        composer(tmp_path).canonical([file], interpolate=True, environment=values)
    assert lacking.value.code == "file-unreadable"
    assert "gone.env" in lacking.value.message
