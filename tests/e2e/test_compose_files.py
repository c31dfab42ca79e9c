"""One project that uses every kind of example of the Compose specification, run by both programs.

What `docker compose up` and `underway deploy` make of it is compared field by field, as
`docker inspect` tells it: what differs stands in `underway.compose.deviations` with its reason.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from lab.engine import init_pid, inside
from tests.e2e.inspection import differing, fields_of
from tests.laboratories import Fleet
from underway.compose.deviations import DEVIATIONS

FILES: Final = Path(__file__).parent / "compose"
VALUES: Final = {"PASSED_ON": "through", "WIND": "west", "CODE": "0000"}
PROFILE: Final = ("--profile", "night")
PAPERS: Final = """
cat /chart /etc/chart /etc/tide /etc/wind /etc/harbour/key
cd /run/secrets && for file in key master code.txt; do cat $file; done
"""
OWNERS: Final = """
stat --format '%n %u:%g %a' /etc/chart /run/secrets/master
"""
PASSING: Final = (
    "ExecIDs",
    "State.Health.",
    "NetworkSettings.Ports[100",
    "NetworkSettings.Ports[84",
)
"""Where both programs may happen to be alike: a check that runs, a port that is free."""

Made = dict[tuple[str, str], dict[str, Any]]
"""What one program made: inspections by kind and name."""


@dataclass(frozen=True)
class Harbour:
    """The project, on the client's machine and at the same path on the host."""

    fleet: Fleet
    directory: Path
    environment: dict[str, str]

    def compose(self, *arguments: str) -> None:
        """Run `docker compose`."""
        done = subprocess.run(
            ["docker", "compose", *PROFILE, *arguments],
            cwd=self.directory,
            env={**self.fleet.environment, **self.environment},
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def underway(self, *arguments: str) -> str:
        """Run `underway`; what it told."""
        done = self.fleet.underway(
            *arguments, *PROFILE, cwd=self.directory, extra=self.environment, timeout_s=500
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def docker(self, *arguments: str) -> str:
        return self.fleet.docker("h1", *arguments)

    def made(self, service: str, number: str) -> Made:
        """All there is; containers are named by the labels `service` and `number`."""
        made: Made = {}
        for body in self._inspect("container", "ps", "-aq"):
            labels = body["Config"]["Labels"]
            if service in labels and number in labels:
                made["container", f"{labels[service]} {labels[number]}"] = body
        for kind in ("network", "volume"):
            for body in self._inspect(kind, kind, "ls", "-q"):
                made[kind, body["Name"]] = body
        return made

    def read(self, prefix: str, command: str) -> str:
        """What a command prints in the container of service `papers`."""
        name = self.docker("ps", "--format={{.Names}}", f"--filter=name={prefix}-papers-")
        return self.docker("exec", name, "sh", "-ec", command)

    def _inspect(self, kind: str, *listing: str) -> Any:
        found = self.docker(*listing).split()
        return json.loads(self.docker(kind, "inspect", *found)) if found else []


@pytest.fixture
def harbour(fleet: Fleet, tmp_path: Path) -> Iterator[Harbour]:
    """The files of `tests/e2e/compose`, and what their author has on the engine already.

    A laptop's engine sees the laptop's files. The laboratory's host has a file system of its own,
    and gets a copy at the same path.
    """
    directory = tmp_path / "harbour"
    shutil.copytree(FILES, directory)
    init = init_pid(fleet.laboratory.host("h1"))
    assert init is not None
    files = subprocess.run(
        ["tar", "--create", "--directory=/", str(directory).lstrip("/")],
        capture_output=True,
        check=True,
    ).stdout
    subprocess.run([*inside(init), "tar", "--extract", "--directory=/"], input=files, check=True)
    image = fleet.laboratory.images["debian"]
    harbour = Harbour(
        fleet,
        directory,
        {
            **VALUES,
            "BASE": image.removesuffix("/debian:13"),
            "DOCKER_CONFIG": str(newest_compose(fleet, tmp_path)),
            "DOCKER_HOST": fleet.laboratory.hosts[0].url,
        },
    )
    harbour.docker("network", "create", "sea-of-others")
    harbour.docker("volume", "create", "drydock-of-others")
    harbour.docker("run", "--rm", "--volume=drydock-of-others:/v", image, "mkdir", "-p", "/v/box")
    yield harbour
    subprocess.run([*inside(init), "rm", "-rf", str(tmp_path)], check=True)


def newest_compose(fleet: Fleet, tmp_path: Path) -> Path:
    """A Docker configuration whose Compose is the one of `requirements.lock`."""
    directory = tmp_path / "docker-config"
    shutil.copytree(fleet.environment["DOCKER_CONFIG"], directory, symlinks=True)
    plugin = directory / "cli-plugins" / "docker-compose"
    plugin.unlink()
    plugin.symlink_to(Path(sys.executable).parent / "docker-compose")
    return directory


@pytest.mark.lab(hosts=1)
def test_what_differs_from_docker_compose_up_is_listed_with_its_reason(harbour: Harbour) -> None:
    harbour.compose("up", "--detach", "--quiet-pull")
    ours = harbour.made("com.docker.compose.service", "com.docker.compose.container-number")
    papers = harbour.read("harbour", PAPERS)
    harbour.compose("down", "--volumes", "--timeout=0")
    harbour.underway("deploy")
    theirs = harbour.made("underway.service", "underway.replica")
    assert harbour.read("harbour", PAPERS) == papers
    assert harbour.read("harbour", OWNERS).split("\n") == [
        "/etc/chart 1000:100 440",
        "/run/secrets/master 1000:100 400",
    ]
    expect_listed(ours, theirs)
    again = harbour.underway("plan")
    assert "nothing to do" in again, again


def expect_listed(compose: Made, underway: Made) -> None:
    """Raise AssertionError for differences without a row, and for rows without a difference."""
    containers = {name for kind, name in compose if kind == "container"}
    assert containers == {name for kind, name in underway if kind == "container"}
    assert len(containers) > 25
    both = sorted({*compose} & {*underway})
    assert {"harbour_quay", "harbour-canal", "harbour_hold"} <= {name for _, name in both}
    unlisted, used = [], set()
    for key in both:
        for difference in differing(fields_of(compose[key]), fields_of(underway[key])):
            rows = [row for row in DEVIATIONS if row.covers(key[0], *difference)]
            used.update(rows)
            if not rows:
                unlisted.append((key, *difference))
    assert not unlisted, "\n".join(map(str, unlisted))
    idle = [row for row in DEVIATIONS if row not in used and not row.path.startswith(PASSING)]
    assert not idle, idle
