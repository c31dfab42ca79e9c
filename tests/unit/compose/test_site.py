"""A site needs the values that it is made of, and no others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.unit.compose.project import BINARY, PATH, understood, write
from underway.adapters.compose_files import find_sources
from underway.adapters.compose_program import ComposeProgram
from underway.compose.loading import load_site
from underway.errors import ConfigurationError
from underway.model.spec import AppSpec, EdgeSpec, HostSpec

NEEDY = """
    name: libra
    services:
      web:
        image: "app:${TAG:?tell the tag}"
        env_file: [gone.env, "${STAGE:?}.env"]
        environment: {A: "${A:-${B:?}}"}
        ports: ["${PORT:?}:80"]
        mem_limit: ${MEMORY:?}
        volumes:
          - {type: bind, source: "${DIRECTORY:?}", target: /data}
          - ./gone.conf:/etc/app.conf:ro
        deploy: {replicas: "${REPLICAS:?}"}
        secrets: [token]
        configs: [settings]
        x-underway: {proxy: "${DOMAIN:?}"}
    secrets: {token: {file: ./gone.txt}}
    configs: {settings: {environment: SETTINGS}}
    volumes: {data: {name: "${VOLUME:?}"}}
    x-underway:
      backup: {repository: "${REPOSITORY:?}"}
      sensitive: {TAG: {command: exit 1}}
    """


@dataclass
class Commands:
    """Prints `value` for every command, and keeps what was run."""

    value: bytes = b""
    ran: list[Sequence[str]] = field(default_factory=list)

    def output_of(self, command: Sequence[str], *, timeout_s: float) -> bytes:
        assert timeout_s
        self.ran.append(command)
        return self.value


def site(
    directory: Path,
    text: str,
    *,
    files: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    environment: str = "",
    project_name: str = "",
    commands: Commands | None = None,
) -> AppSpec:
    write(directory, {"compose.yaml": text, **(files or {})})
    variables = {**PATH, **(environ or {})}
    sources = find_sources(directory, environment_name=environment, environ=variables)
    composer = ComposeProgram(
        sources.directory, variables, project_name=project_name, _binary=BINARY
    )
    return load_site(sources, composer, commands or Commands()).spec


def refused(directory: Path, text: str, **given: Mapping[str, str]) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        site(directory, text, **given)  # type: ignore[arg-type]
    return caught.value


def test_a_site_is_read_where_every_other_value_is_missing(tmp_path: Path) -> None:
    commands = Commands()
    found = site(tmp_path, NEEDY, commands=commands)
    assert found.name == "libra"
    assert found.services == found.volumes == found.networks == ()
    assert [host.name for host in found.hosts] == ["local"]
    assert found.edge == EdgeSpec(("local",)), "a service has a proxy"
    assert commands.ran == [], "no password manager is asked"


def test_the_whole_file_names_every_variable_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        understood(tmp_path, NEEDY.replace("sensitive:", "x-none:").replace("      x-none", "#"))
    error = caught.value
    assert error.code == "variable-missing"
    for name in ("TAG", "STAGE", "B", "PORT", "MEMORY", "DIRECTORY", "REPLICAS", "VOLUME"):
        assert name in error.message.replace(",", "").split()
    assert "required variable" in error.cause
    assert error.place.startswith("compose.yaml:")
    assert "only look" in error.hint


def test_a_site_is_that_of_the_whole_file(tmp_path: Path) -> None:
    text = """
        name: "${STAGE}-libra"
        services: {web: {image: "app:1", x-underway: {proxy: a.example}}}
        x-underway:
          hosts:
            app:
              - {url: "ssh://deploy@${FIRST}", address: 10.0.0.1, name: one}
              - {url: "ssh://deploy@b.example", address: 10.0.0.2, name: two}
          edge: {hosts: app, http_port: "${PORT:-8080}"}
          tools: "registry.example/tools:${TOOLS-1}"
        """
    values = {".env": "STAGE=test\nFIRST=a.example\n"}
    found = site(tmp_path, text, files=values)
    whole = understood(tmp_path, text, files=values).spec
    assert found.name == "test-libra" == whole.name
    assert found.hosts == whole.hosts
    assert found.hosts[0] == HostSpec("one", "ssh://deploy@a.example", "10.0.0.1", ("app",))  # type: ignore[arg-type]
    assert found.edge == whole.edge == EdgeSpec(("one", "two"), 8080)  # type: ignore[arg-type]
    assert found.tools == whole.tools == "registry.example/tools:1"


def test_an_environment_may_change_name_and_hosts(tmp_path: Path) -> None:
    files = {
        "compose.production.yaml": "name: libra-${KIND:-production}\n"
        "services: {web: {image: '${TAG:?}'}}\nx-underway: {hosts: 'ssh://app@p.example'}\n"
    }
    found = site(tmp_path, "name: libra\nservices: {}\n", files=files, environment="production")
    assert (found.name, found.environment) == ("libra-production", "production")
    assert [host.url for host in found.hosts] == ["ssh://app@p.example"]


@pytest.mark.parametrize(
    ("text", "environ", "option", "name"),
    [
        ("services: {}", {}, "", "here"),
        ("name: libra", {}, "", "libra"),
        ("name: ${NAME}", {"NAME": "vela"}, "", "vela"),
        ("name: libra", {"COMPOSE_PROJECT_NAME": "lyra"}, "", "lyra"),
        ("name: ${NAME}", {"NAME": "vela", "COMPOSE_PROJECT_NAME": "lyra"}, "", "lyra"),
        ("name: ${NAME}", {"NAME": "vela"}, "pavo", "pavo"),
        ("x-n: &n {name: apus}\n<<: *n", {}, "", "apus"),
    ],
)
def test_the_name_is_composes(
    tmp_path: Path, text: str, environ: Mapping[str, str], option: str, name: str
) -> None:
    directory = tmp_path / "here"
    directory.mkdir()
    services = "" if "services" in text else "\nservices: {web: {image: 'a:${TAG:?}'}}"
    assert site(directory, text + services, environ=environ, project_name=option).name == name


def test_a_host_that_needs_a_value_asks_for_it(tmp_path: Path) -> None:
    text = (
        "services: {web: {image: '${TAG:?}'}}\nx-underway:\n  hosts: ['ssh://${SERVER:?which}']\n"
    )
    error = refused(tmp_path, text)
    assert (error.code, error.place) == ("variable-missing", "compose.yaml:3")
    assert "SERVER" in error.message
    assert "TAG" not in str(error)
    assert "which" in error.cause


@pytest.mark.parametrize("text", ["name: 'libra${STAGE}'", "x-underway: {hosts: 'ssh://a$STAGE'}"])
def test_a_site_in_which_a_value_is_left_out_is_another_one(tmp_path: Path, text: str) -> None:
    whole = f"{text}\nservices: {{web: {{image: 'app:1'}}}}\n"
    error = refused(tmp_path, whole)
    assert (error.code, error.place) == ("variable-missing", "compose.yaml:1")
    assert "STAGE" in error.message
    assert "which app" in error.cause
    with pytest.raises(ConfigurationError) as caught:
        understood(tmp_path, whole)
    assert str(caught.value) == str(error), "a deploy does not go there either"
    assert site(tmp_path, whole.replace("$STAGE", "${STAGE:-}").replace("${STAGE}", "${STAGE:-}"))


def test_a_command_runs_where_the_site_is_made_of_what_it_prints(tmp_path: Path) -> None:
    text = """
        services: {web: {image: "app:$OTHER"}}
        x-underway:
          hosts: ["ssh://$SERVER"]
          sensitive: {SERVER: {command: ask server}, OTHER: {command: ask other}}
        """
    commands = Commands(b"a.example\n")
    found = site(tmp_path, text, commands=commands)
    assert [host.url for host in found.hosts] == ["ssh://a.example"]
    assert commands.ran == [("ask", "server")]


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("x-underwy: {hosts: 'ssh://a'}", "key-unknown", "x-underway"),
        ("x-underway: {host: 'ssh://a'}", "x-underway-unknown", "hosts"),
        ("x-underway: {hosts: [{ulr: 'ssh://a'}]}", "x-underway-unknown", "url"),
    ],
)
def test_hosts_that_are_misspelt_are_not_taken_for_none(
    tmp_path: Path, text: str, code: str, hint: str
) -> None:
    error = refused(tmp_path, f"{text}\nservices: {{web: {{image: '${{TAG:?}}'}}}}\n")
    assert (error.code, error.place) == (code, "compose.yaml:1")
    assert hint in error.hint
