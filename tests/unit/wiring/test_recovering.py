"""What a restore point keeps of a project suffices to read its values anew, and holds none."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.backup.sample import MANIFEST
from tests.unit.compose.project import PATH, write
from underway.errors import ConfigurationError
from underway.model.names import SensitiveName
from underway.model.restore_point import Manifest
from underway.model.sensitive import SensitiveDigest
from underway.wiring import Reading, SessionOptions
from underway.wiring.project import Project
from underway.wiring.recovering import lay_out, project_of, values_of

FILES = {
    "compose.yaml": """
        name: libra
        services:
          web:
            build: {context: ., secrets: [ca]}
            image: ${IMAGE:?}
            env_file: web.env
            environment: {URL: "postgres://u:${PASS:?}@db", PLAIN: it, PASSED: null, PRICE: "5$$"}
            volumes:
              - ./conf:/etc/app:ro
              - ./private.key:/etc/private.key:ro
              - data:/data
            secrets: [token]
            configs: [banner]
            x-underway: {proxy: {host: "${DOMAIN:?}", port: 80}}
        volumes: {data: {}}
        secrets:
          token: {file: "${TOKEN_FILE:-./secrets/token}"}
          ca: {file: ./ca.pem}
        configs: {banner: {file: ./banner.txt}}
        x-underway:
          hosts: ["${HOST_URL:?}"]
          backup: {repository: /srv/b, password: {variable: P}}
          sensitive: {FROM_COMMAND: {command: "printf hu%s sh"}}
        """,
    "web.env": "FROM_FILE=secret-of-env-file\n",
    "conf/app.conf": "public configuration",
    "private.key": "secret-of-private-key",
    "ca.pem": "for builds only",
    "banner.txt": "hello",
    "secrets/token": "secret-of-token",
}
VALUES = {"PASS": "secret-of-variable", "PASSED": "secret-passed"}
SITE = {"IMAGE": "app:1", "DOMAIN": "libra.example.com", "HOST_URL": "unix:///var/run/docker.sock"}


@pytest.fixture
def team(tmp_path: Path) -> Path:
    write(tmp_path / "team", FILES)
    for file, mode in (("private.key", 0o600), ("banner.txt", 0o644), ("conf/app.conf", 0o644)):
        (tmp_path / "team" / file).chmod(mode)
    return tmp_path / "team"


def kept(team: Path) -> tuple[Manifest, dict[SensitiveName, bytes]]:
    """What a backup keeps, and the values that were deployed."""
    environ = {**PATH, **VALUES, **SITE}
    read = Project(SessionOptions((team / "compose.yaml",), environ=environ)).read(Reading.WHOLE)
    values = {name: value.reveal() for name, value in read.runtime_values.items()}
    release = replace(
        MANIFEST.release, sensitive=tuple(SensitiveDigest(name, "") for name in sorted(values))
    )
    return replace(MANIFEST, release=release, project=read.kept), values


def recovered(
    manifest: Manifest, scratch: Path, secrets: Path, **environ: str
) -> dict[SensitiveName, bytes]:
    options = SessionOptions(environ={**PATH, **environ})
    scratch.mkdir(exist_ok=True)
    project = project_of(options, manifest, secrets, scratch)
    read = project.read(Reading.WHOLE)
    values = values_of(manifest, read.runtime_values)
    return {name: value.reveal() for name, value in values.items()}


def test_values_come_back_from_the_team_s_secrets_alone(team: Path, tmp_path: Path) -> None:
    manifest, values = kept(team)
    secrets = tmp_path / "secrets"
    write(secrets, {name: FILES[name] for name in ("web.env", "private.key", "secrets/token")})
    assert recovered(manifest, tmp_path / "scratch", secrets, **VALUES) == values
    assert values[SensitiveName("env/web/URL")] == b"postgres://u:secret-of-variable@db"
    assert values[SensitiveName("file/web/etc/app/app.conf")] == b"public configuration"


def test_variables_may_stand_in_an_env_file_beside_the_secrets(team: Path, tmp_path: Path) -> None:
    manifest, values = kept(team)
    shutil.rmtree(team / "conf")
    said = "".join(f"{name}={value}\n" for name, value in VALUES.items())
    write(team, {".env": said})
    assert recovered(manifest, tmp_path / "scratch", team) == values


def test_no_secret_is_kept(team: Path) -> None:
    manifest, _ = kept(team)
    project = manifest.project
    assert project is not None
    held = project.compose.encode() + b"".join(file.content for file in project.files)
    for secret in (b"secret-", b"hush"):
        assert secret not in held
    assert {file.path for file in project.files} == {"conf/app.conf", "banner.txt"}
    assert b"hosts" not in json.dumps(json.loads(project.compose)["x-underway"]).encode()


def test_all_that_is_missing_is_named_at_once(team: Path, tmp_path: Path) -> None:
    manifest, _ = kept(team)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ConfigurationError) as caught:
        recovered(manifest, tmp_path / "scratch", empty)
    assert caught.value.code == "recover-values-missing"
    named = ("variable PASS", "variable PASSED", "web.env", "private.key", "secret token")
    assert [text for text in named if text not in caught.value.cause] == []
    assert "DOMAIN" not in caught.value.cause, "the release knows it"


def test_a_value_that_the_project_does_not_tell_is_named(team: Path, tmp_path: Path) -> None:
    manifest, _ = kept(team)
    more = SensitiveDigest(SensitiveName("env/web/GONE"), "")
    release = replace(manifest.release, sensitive=(*manifest.release.sensitive, more))
    with pytest.raises(ConfigurationError, match="env/web/GONE"):
        recovered(replace(manifest, release=release), tmp_path / "scratch", team, **VALUES)


def test_a_kept_file_is_written_nowhere_else(team: Path, tmp_path: Path) -> None:
    manifest, _ = kept(team)
    project = manifest.project
    assert project is not None
    files = tuple(replace(file, path="../../outside") for file in project.files)
    directory = tmp_path / "deep" / "project"
    directory.mkdir(parents=True)
    lay_out(replace(project, files=files), manifest.app, directory, team)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["project"]
    assert [path.name for path in directory.iterdir()] == ["compose.json"]
