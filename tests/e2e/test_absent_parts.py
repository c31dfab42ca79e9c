"""What is gone, stopped or taken out of the file is not what was never there."""

from typing import Any

import pytest
import yaml

from tests.e2e.project import APP, Project, Wish

EDGE = "underway-edge"
ANCHOR = f"underway-anchor-{APP}"


def blue_green(version: str) -> Wish:
    return Wish(version, "blue-green")


@pytest.mark.lab(hosts=1)
def test_32_a_proxy_that_somebody_took_away_comes_back_with_what_it_served(
    project: Project,
) -> None:
    for version in ("v1", "v2"):
        project.deploy(blue_green(version)).expect(0)
    for number, harm in enumerate((("stop",), ("rm", "-f")), start=3):
        project.fleet.docker("h1", *harm, EDGE)
        told = project.client.run("plan", "--json").expect(0).document()
        assert {step["kind"] for step in told["steps"]} <= {"StartContainer", "CreateContainer"}
        wish = blue_green(f"v{number}")
        project.deploy(wish).expect(0)
        project.sight.expect_settled(wish)
        assert project.client.run("plan", "--json").expect(0).document()["steps"] == []


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_32_an_app_whose_anchor_somebody_took_away_is_still_deployed(project: Project) -> None:
    for version in ("v1", "v2"):
        project.deploy(blue_green(version)).expect(0)
    for harm in (("stop",), ("rm", "-f")):
        project.fleet.docker("h1", *harm, ANCHOR)
        project.client.run("repair").expect(0)
        project.sight.expect_settled(blue_green("v2"))
    project.fleet.docker("h1", "rm", "-f", ANCHOR)
    project.client.run("rollback").expect(0)
    project.fleet.docker("h1", "rm", "-f", ANCHOR)
    wish = blue_green("v3")
    project.deploy(wish).expect(0)
    assert [run["release"] for run in runs(project)] == [3, 1, 2, 1]
    project.sight.expect_settled(wish)


def runs(project: Project) -> list[dict[str, Any]]:
    return list(project.client.run("history", "--json").expect(0).document()["runs"])


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=3)
def test_a_host_that_is_taken_out_of_the_file_is_left_clean_under_load(project: Project) -> None:
    project.deploy(Wish("v1", replicas=3)).expect(0)
    project.write(Wish("v2", replicas=2))
    path = project.directory / "compose.yaml"
    said = yaml.safe_load(path.read_text())
    extension = said["x-underway"]
    extension["hosts"]["app"] = [h for h in extension["hosts"]["app"] if h["name"] != "h3"]
    path.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False))
    with project.load() as load:
        project.client.run("deploy").expect(0)
        load.stop().check()
    assert project.fleet.docker("h3", "ps", "-aq") == ""
    volumes = project.fleet.docker("h3", "volume", "ls", "-q").split()
    assert not [name for name in volumes if "underway" in name]
    assert {replica.version for replica in project.sight.replicas()} == {"v2"}
    assert project.client.run("plan", "--json").expect(0).document()["steps"] == []
    project.client.run("status").expect(0)
