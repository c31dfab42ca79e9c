"""Services are renamed and host names move between them, under load: nothing is lost, none asked.

Without a terminal a plan that interrupts is refused (exit 4): success tells that nobody was asked.
"""

from dataclasses import dataclass, replace
from typing import Final

import pytest
import yaml

from lab.load import Load
from tests.e2e.course import WARM
from tests.e2e.project import GENTLE, HOST, Project, Wish

OTHER: Final = "other.test"


@dataclass(frozen=True)
class Named:
    """A service of the file: its version, the host names that lead to it, how it may fail."""

    version: str
    hosts: tuple[str, ...]
    fail: str = ""


def write(project: Project, services: dict[str, Named]) -> None:
    """Make the file say these services, each like the project's own one."""
    project.write(replace(project.wish))
    said = yaml.safe_load((project.directory / "compose.yaml").read_text())
    said["services"] = {}
    for name, one in services.items():
        wish = Wish(one.version, strategy="blue-green", fail=one.fail)
        made = wish.compose(project.fleet, "", project.name, project.host)["services"]["web"]
        made["x-underway"]["proxy"]["host"] = list(one.hosts)
        said["services"][name] = made
    text = yaml.safe_dump(said, allow_unicode=True, sort_keys=False)
    (project.directory / "compose.yaml").write_text(text)


def run(project: Project, load: Load, *arguments: str, code: int = 0) -> None:
    """One command, and load enough afterwards to see what it did."""
    project.client.run(*arguments).expect(code)
    seen = load.snapshot().requests
    load.wait_until(
        lambda now: now.requests > seen + WARM, timeout_s=60, what=f"load after {arguments}"
    )


def answers(project: Project) -> tuple[str, str]:
    """The versions that serve the two host names, and "" where nobody does."""
    both = (replace(project.sight, host=host).get("/version") for host in (HOST, OTHER))
    first, second = (one.version if one.status == 200 else "" for one in both)
    return first, second


def services(project: Project) -> set[str]:
    return {c.service for c in project.sight.containers() if c.role == "replica"}


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_renamed_services_and_moved_host_names_lose_nothing(project: Project) -> None:
    write(project, {"web": Named("v1", (HOST,))})
    project.client.run("deploy").expect(0)
    with project.load(GENTLE) as load:
        load.wait_until(lambda seen: seen.requests > WARM, timeout_s=60, what="traffic")
        write(project, {"site": Named("v2", (HOST,))})
        run(project, load, "deploy")
        assert (answers(project), services(project)) == (("v2", ""), {"site"})
        write(project, {"site": Named("v2", (OTHER,)), "api": Named("v3", (HOST,))})
        run(project, load, "deploy")
        assert (answers(project), services(project)) == (("v3", "v2"), {"site", "api"})
        write(project, {"site": Named("v2", (HOST,)), "api": Named("v3", (OTHER,))})
        run(project, load, "deploy")
        assert answers(project) == ("v2", "v3")
        write(project, {"late": Named("v4", (HOST,), "crash-at-start")})
        run(project, load, "deploy", "--allow-interruption", code=10)
        assert (answers(project), services(project)) == (("v2", "v3"), {"site", "api"})
        run(project, load, "rollback")
        assert answers(project) == ("v3", "v2")
        run(project, load, "rollback", "1", "--allow-interruption")
        assert (answers(project), services(project)) == (("v1", ""), {"web"})
        result = load.stop()
    result.check()
    assert set(result.versions) == {"v1", "v2", "v3"}
    project.sight.expect_no_leftovers(project.wish)
