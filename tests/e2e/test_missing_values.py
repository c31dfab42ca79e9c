"""Somebody who has the Compose file alone can look, go back, mend, tidy up and take the app away.

The machine that deployed had an `.env`, an environment file and a secret's file; this one has none.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.project import Project, Wish

NEEDY = Wish(
    environment={"BEACON_MOTTO": "${MOTTO:?say it}", "BEACON_NEEDED": "${A-${NEEDED:?from .env}}"},
    web={"env_file": ["web.env"], "mem_limit": "${MEMORY:?}"},
)


def deploy(project: Project, version: str) -> Wish:
    wish = replace(NEEDY, version=version)
    memory = "200m" if version == "v1" else "300m"
    (project.directory / ".env").write_text(f"NEEDED=needed by {version}\nMEMORY={memory}\n")
    (project.directory / "web.env").write_text(f"BEACON_FROM_FILE=file of {version}\n")
    project.deploy(wish).expect(0)
    return wish


def bare_machine(project: Project) -> Client:
    """A machine with the Compose file and nothing else of the project."""
    directory = project.root / "bare" / "checkout"
    directory.mkdir(parents=True)
    shutil.copy(project.directory / "compose.yaml", directory)
    values = ("MOTTO", "PYTHON_IMAGE")
    environment = {
        name: value for name, value in project.client.environment.items() if name not in values
    }
    return Client(directory, project.root / "bare" / "home", environment)


def expect_values(project: Project, wish: Wish) -> None:
    project.sight.expect_settled(wish)
    for one in project.sight.replicas():
        assert one.environment["BEACON_MOTTO"] == wish.motto
        assert one.environment["BEACON_NEEDED"] == f"needed by {wish.version}"
        assert one.environment["BEACON_FROM_FILE"] == f"file of {wish.version}"
        told = project.fleet.docker(one.host, "exec", one.name, "sha256sum", "/run/secrets/token")
        assert told.split()[0] == wish.token_sha256
        limit = project.fleet.docker(
            one.host, "inspect", "--format={{.HostConfig.Memory}}", one.name
        )
        assert int(limit) == (200 if wish.version == "v1" else 300) * 1024 * 1024


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_the_file_alone_is_enough_to_look_and_to_go_back(project: Project) -> None:
    first, second = deploy(project, "v1"), deploy(project, "v2")
    kim = bare_machine(project)
    for command in ("status", "history", "history --releases", "logs", "lock", "prune"):
        told = kim.run(*command.split()).expect(0)
        assert told.out, command
    for command in ("plan", "deploy", "ship", "config"):
        told = kim.run(command).expect(3)
        assert "error[variable-missing]" in told.err
        assert all(name in told.err for name in ("MOTTO", "NEEDED", "MEMORY")), told
        assert "Commands that only look" in told.err
    checked = kim.run("check", "--json").expect(4).document()
    failed = {one["topic"] for one in checked["results"] if one["verdict"] == "fail"}
    assert failed == {"values"}, checked
    expect_values(project, second)

    assert kim.run("rollback", "--current-secrets").expect(3)
    kim.run("plan", "1").expect(0)
    with project.load() as load:
        kim.run("rollback").expect(0)
        load.stop().check()
    expect_values(project, first)

    victim = project.sight.replicas()[0]
    project.fleet.docker(victim.host, "rm", "--force", victim.name)
    kim.run("status").expect(11)
    kim.run("repair").expect(0)
    expect_values(project, first)
    kim.run("deploy", "2").expect(0)
    expect_values(project, second)
    kim.run("status").expect(0)

    kim.run("remove", "--yes").expect(0)
    project.sight.expect_nothing()


@pytest.mark.lab(hosts=1)
def test_an_app_that_never_came_to_serve_is_removed_by_its_file_alone(project: Project) -> None:
    (project.directory / ".env").write_text("NEEDED=n\nMEMORY=200m\n")
    (project.directory / "web.env").write_text("")
    project.deploy(replace(NEEDY, fail="crash-at-start")).expect(10)
    kim = bare_machine(project)
    assert Path(kim.directory / "compose.yaml").is_file()
    kim.run("status").expect(0)
    kim.run("rollback").expect(4)
    kim.run("remove", "--yes").expect(0)
    project.sight.expect_nothing()
