"""Values from outside the file never stand in the specification."""

from pathlib import Path

from tests.unit.compose.project import remarks, service, understood
from underway.compose.sources import Understood
from underway.model.names import SensitiveName
from underway.model.spec import EnvVar


def value(project: Understood, name: str) -> bytes:
    return project.values[SensitiveName(name)].reveal()


def environment(project: Understood, name: str = "web") -> dict[str, EnvVar]:
    return {variable.name: variable for variable in service(project, name).environment}


def test_values_are_sensitive_by_where_they_come_from(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:${TAG}
            env_file: web.env
            environment:
              LITERAL: plain
              DOLLAR: a$$b
              OUTSIDE: "pg://${USER_PART}:x@db"
              DEFAULT: "${UNSET:-calm}"
              FROM_SHELL:
              NOT_IN_SHELL:
              LEVEL: "${LEVEL}"
        x-underway: {public: [LEVEL, LISTED]}
        """,
        files={"web.env": "KEY=s3cret\nLISTED=open\nMULTI='two\nlines'\n"},
        environ={"TAG": "7", "USER_PART": "who$", "FROM_SHELL": "sh", "LEVEL": "info"},
    )
    variables = environment(project)
    assert variables["LITERAL"] == EnvVar("LITERAL", "plain")
    assert variables["DOLLAR"] == EnvVar("DOLLAR", "a$b")
    assert variables["DEFAULT"] == EnvVar("DEFAULT", "calm")
    assert variables["LEVEL"] == EnvVar("LEVEL", "info")
    assert variables["LISTED"] == EnvVar("LISTED", "open")
    assert variables["OUTSIDE"].sensitive == "env/web/OUTSIDE"
    assert "NOT_IN_SHELL" not in variables
    assert value(project, "env/web/OUTSIDE") == b"pg://who$:x@db"
    assert value(project, "env/web/FROM_SHELL") == b"sh"
    assert value(project, "env/web/KEY") == b"s3cret"
    assert value(project, "env/web/MULTI") == b"two\nlines"
    assert service(project).image == "app:7"
    assert "s3cret" not in repr(project)
    assert "who$" not in repr(project)


def test_dot_env_counts_as_outside(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        "services: {web: {image: app:1, environment: {A: '$A'}}}\n",
        files={".env": "A=from the file\n"},
    )
    assert value(project, "env/web/A") == b"from the file"


def test_a_command_is_a_source_of_a_variable(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            environment: {URL: "db://${PASSWORD:?set it}@db"}
            secrets: [token]
        secrets:
          token: {environment: PASSWORD}
        x-underway:
          sensitive: {PASSWORD: {command: "printf 'a b\\\\n'"}}
        """,
    )
    assert value(project, "env/web/URL") == b"db://a b@db"
    assert value(project, "secret/token") == b"a b"


def test_what_a_command_prints_goes_before_shell_and_dot_env(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services: {web: {image: app:1, environment: {A: "$A"}}}
        x-underway: {sensitive: {A: {command: printf printed}}}
        """,
        files={".env": "A=from the file\n"},
        environ={"A": "from the shell"},
    )
    assert value(project, "env/web/A") == b"printed"


def test_a_failing_command_never_shows_what_it_printed(tmp_path: Path) -> None:
    text = """
        services: {web: {image: app:1}}
        x-underway:
          sensitive: {A: {command: [sh, -c, "echo s3cret; echo locked >&2; exit 3"]}}
        """
    try:
        understood(tmp_path, text)
    except Exception as error:  # noqa: BLE001 - every part of it is looked at
        shown = f"{error!r} {error} {vars(error)}"
    assert "s3cret" not in shown
    assert "locked" in shown


def test_secrets_and_configs_carry_owner_mode_and_place(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            secrets: [key, {source: key, target: other, uid: "103", gid: "7", mode: 0440}]
            configs: [{source: nginx, target: /etc/nginx.conf}, plain]
        secrets: {key: {file: ./key}}
        configs:
          nginx: {content: "listen ${PORT:-80}; $$host"}
          plain: {file: ./plain}
        """,
        files={"key": "k\n", "plain": "p"},
    )
    files = {file.target: file for file in service(project).files}
    assert sorted(files) == ["/etc/nginx.conf", "/plain", "/run/secrets/key", "/run/secrets/other"]
    other = files["/run/secrets/other"]
    assert (other.uid, other.gid, other.mode, other.is_secret) == (103, 7, 0o440, True)
    assert files["/run/secrets/key"].mode == 0o444
    assert not files["/plain"].is_secret
    assert value(project, "secret/key") == b"k\n"
    assert value(project, "config/nginx") == b"listen 80; $host"


def test_build_values_stay_out_of_definition_and_vault(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            build: {context: ., args: {TOKEN: "$TOKEN", MODE: prod}, secrets: [ca]}
            environment: {TOKEN: "$TOKEN"}
        secrets: {ca: {file: ./ca}}
        """,
        files={"ca": "authority", "Dockerfile": "FROM scratch\n"},
        environ={"TOKEN": "t0k"},
    )
    build = service(project).build
    assert build is not None
    assert '"args":{"MODE":"prod","TOKEN":{"sensitive":"build/web/TOKEN"}}' in build.definition
    assert project.build_only == {"build/web/TOKEN", "secret/ca"}
    assert set(project.runtime_values) == {"env/web/TOKEN"}
    assert remarks(project, "interpolated-in-the-open")


def test_what_cannot_be_sensitive_is_noted_in_the_open(tmp_path: Path) -> None:
    project = understood(
        tmp_path,
        """
        services:
          web:
            image: app:1
            command: ["run", "--token=${TOKEN}"]
            labels: {owner: "${OWNER:-us}"}
        """,
        environ={"TOKEN": "t0k"},
    )
    (open_remark,) = remarks(project, "interpolated-in-the-open")
    assert "TOKEN" in open_remark
    assert "t0k" not in open_remark


def test_an_unset_variable_is_noted_with_its_name(tmp_path: Path) -> None:
    project = understood(tmp_path, "services: {web: {image: app:1, environment: {A: '${B}'}}}\n")
    assert remarks(project, "variable-unset") == ["variable B is not set: it is left empty"]
    assert environment(project)["A"] == EnvVar("A", "")
