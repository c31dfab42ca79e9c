"""Which directory a project's paths begin in: `--project-directory`, else the first file's."""

import json
from pathlib import Path

import pytest

from tests.unit.compose.project import PATH, write
from underway.compose.sources import Understood
from underway.errors import ConfigurationError
from underway.model.names import SensitiveName, ServiceName
from underway.wiring import Reading, SessionOptions, understand
from underway.wiring.project import Project

FILES = {
    "deploy/compose.yaml": """
        name: ${NAME:?}
        services:
          web:
            build: ./app
            env_file: web.env
            environment: {GIVEN: "${GIVEN:-none}"}
            volumes:
              - ./conf/app.conf:/etc/app.conf:ro
              - "${HERE:-./conf}/app.conf:/etc/b.conf:ro"
            secrets: [token]
        secrets: {token: {file: ./token}}
        """,
    "deploy/.env": "NAME=wrong\n",
    ".env": "NAME=libra\n",
    "web.env": "FROM=root\n",
    "app/Dockerfile": "FROM scratch\n",
    "conf/app.conf": "root",
    "token": "t0ken",
    "elsewhere/values.env": "NAME=vela\nGIVEN=a value\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path


def options(**given: object) -> SessionOptions:
    return SessionOptions(files=(Path("../deploy/compose.yaml"),), environ=PATH, **given)  # type: ignore[arg-type]


def value(project: Understood, name: str) -> bytes:
    return project.values[SensitiveName(name)].reveal()


def expect_root(project: Understood, root: Path) -> None:
    web = project.spec.service(ServiceName("web"))
    assert web.build is not None
    assert Path(web.build.context) == root / "app"
    assert json.loads(web.build.definition)["context"] == str(root / "app")
    assert value(project, "env/web/FROM") == b"root"
    assert value(project, "file/web/etc/app.conf") == b"root"
    assert value(project, "file/web/etc/b.conf") == b"root"
    assert value(project, "secret/token") == b"t0ken"


@pytest.mark.usefixtures("root")
def test_without_it_paths_begin_beside_the_file() -> None:
    site = Project(options()).read(Reading.SITE)
    assert site.spec.name == "wrong"
    with pytest.raises(ConfigurationError, match=r"environment file web\.env"):
        understand(options())


@pytest.mark.parametrize("is_absolute", [True, False])
def test_relative_paths_begin_in_the_directory_that_is_named(
    root: Path, *, is_absolute: bool
) -> None:
    project = understand(options(project_directory=root if is_absolute else Path("..")))
    assert project.spec.name == "libra"
    expect_root(project, root)


def test_a_file_of_values_is_named_from_where_the_user_stands(root: Path) -> None:
    project = understand(options(project_directory=Path(".."), env_files=(Path("values.env"),)))
    assert project.spec.name == "vela"
    assert value(project, "env/web/GIVEN") == b"a value"
    expect_root(project, root)


def test_an_error_names_the_line_of_the_file_that_was_named(root: Path) -> None:
    (root / "token").unlink()
    with pytest.raises(ConfigurationError) as caught:
        understand(options(project_directory=Path("..")))
    assert (caught.value.code, caught.value.place) == ("file-unreadable", "compose.yaml:11")
    assert str(root / "token") in caught.value.message


def test_a_directory_alone_is_looked_into_for_the_file(root: Path) -> None:
    (root / "deploy" / "compose.yaml").rename(root / "compose.yaml")
    found = understand(SessionOptions(project_directory=Path(".."), environ=PATH))
    assert found.spec.name == "libra"
    expect_root(found, root)
