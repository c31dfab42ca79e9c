"""Compose projects of the shapes that teams have: deployed, replaced, rolled back, or refused.

The files of `projects/` were written here after the shapes of well-known public ones: several
networks, init containers, profiles, anchors, values that must be given, data beside the file. None
knows Underway.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from lab.databases import MARIADB, REDIS, bring
from tests.e2e.client import Client
from tests.laboratories import Fleet

FILES: Final = Path(__file__).parent / "projects"
VALUES: Final = """\
PG_PASS=pass
SECRET_KEY=key
POSTGRES_PASSWORD=pass
POSTGRES_USER=user
POSTGRES_DB=base
DOMAIN=shop.test
REDIS_PASSWORD=queue
"""


@dataclass(frozen=True)
class Shape:
    """A project: the service whose environment changes, what is made before, what refuses it."""

    name: str
    changed: str = ""
    first: tuple[str, ...] = ()
    refused: str = ""
    options: tuple[str, ...] = ("--allow-interruption",)


SHAPES: Final = (
    Shape("analytics", "app"),
    Shape("balancer", "backend"),
    Shape("ballots", "votes"),
    Shape("blog", "blog"),
    Shape("identity", "server"),
    Shape("pipelines", "api"),
    Shape("shopfront", "backend"),
    Shape("support", "rails"),
    Shape("template", "backend", first=("network", "create", "proxy-public")),
    Shape("town", "web"),
    Shape("appliance", refused="key-refused"),
)


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
@pytest.mark.lab(hosts=1)
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_project_is_deployed_replaced_and_rolled_back(
    fleet: Fleet, tmp_path: Path, shape: Shape
) -> None:
    project = laid_out(fleet, tmp_path, shape.name)
    client = Client(project, tmp_path / "home", surroundings(fleet))
    if shape.first:
        fleet.docker("h1", *shape.first)
    if shape.refused:
        assert f"error[{shape.refused}]" in client.run("deploy").expect(3, 4).err
        return
    client.run("deploy").expect(0)
    assert round_of(fleet, shape) == "one"
    client.run("status").expect(0)
    compose = project / "compose.yaml"
    before = compose.read_text()
    compose.write_text(before.replace("ROUND: one", "ROUND: two").replace("=one", "=two"))
    assert compose.read_text() != before
    client.run("deploy", *shape.options).expect(0)
    assert round_of(fleet, shape) == "two"
    assert client.run("plan", "--json").expect(0).document()["steps"] == []
    client.run("rollback", *shape.options).expect(0)
    assert round_of(fleet, shape) == "one"
    client.run("status").expect(0)
    client.run("remove", "--yes", "--with-data").expect(0)
    assert not fleet.docker("h1", "ps", "-aq")


def surroundings(fleet: Fleet) -> dict[str, str]:
    return {**fleet.environment, "DOCKER_HOST": fleet.laboratory.hosts[0].url}


def laid_out(fleet: Fleet, root: Path, name: str) -> Path:
    """The project's directory with what belongs to it, and the images it names on the host."""
    directory = root / name
    directory.mkdir()
    text = (FILES / f"{name}.yaml").read_text()
    images = {mark: fleet.laboratory.images[mark.lower()] for mark in ("PYTHON", "POSTGRES")}
    for mark, database in (("REDIS", REDIS), ("MARIADB", MARIADB)):
        if f"@{mark}@" in text:
            images[mark] = bring(database, fleet.laboratory.registry)
    for mark, image in images.items():
        text = text.replace(f"@{mark}@", image)
    (directory / "compose.yaml").write_text(text)
    for file in (".env", ".env.production"):
        (directory / file).write_text(VALUES)
    (directory / "password.txt").write_text("word\n")
    for part, serves in (("backend", 8000), ("proxy", 80)):
        (directory / part).mkdir()
        command = f'CMD ["python3", "-m", "http.server", "{serves}"]'
        (directory / part / "Dockerfile").write_text(
            f"FROM {images['PYTHON']} AS builder\nSTOPSIGNAL SIGKILL\n{command}\n"
        )
    return directory


def round_of(fleet: Fleet, shape: Shape) -> str:
    """The environment in which the changed service's only replica runs."""
    wanted = (f"label=underway.service={shape.changed}", "label=underway.role=replica")
    filters = [word for one in wanted for word in ("--filter", one)]
    (name,) = fleet.docker("h1", "ps", "-q", *filters).split()
    form = "{{range .Config.Env}}{{println .}}{{end}}"
    lines = fleet.docker("h1", "inspect", "-f", form, name).splitlines()
    return next(line.removeprefix("ROUND=") for line in lines if line.startswith("ROUND="))
