"""A proxy is renewed under load, another HAProxy and back, while the app beside it deploys."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.e2e.client import eventually
from tests.e2e.course import Course
from tests.e2e.project import Project, Wish

BASES = {"2.6": "tools-base-2", "3.0": "tools-base"}


def edge_of(project: Project) -> dict[str, Any]:
    said = project.client.run("status", "--json").expect(0)
    (edge, *_) = json.loads(said.out)["edges"]
    return dict(edge)


def choose(project: Project, version: str) -> None:
    project.extra["UNDERWAY_TOOLS_BASE"] = project.fleet.laboratory.images[BASES[version]]


def containers(project: Project) -> list[str]:
    names = project.fleet.docker("h1", "ps", "-a", "--format", "{{.Names}}").split()
    return sorted(name for name in names if name.startswith("underway-edge"))


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_another_haproxy_takes_over_under_load_while_two_apps_deploy(project: Project) -> None:
    choose(project, "2.6")
    first = Wish("v1", strategy="rolling")
    project.deploy(first).expect(0)
    neighbour = project.neighbour()
    neighbour.deploy(Wish("v1", strategy="rolling")).expect(0)
    assert edge_of(project)["version"].startswith("2.6")
    with project.load() as load:
        course = Course(project, load)
        course.begin()
        choose(project, "3.0")
        done = project.client.run("plan").expect(0)
        assert "--renew-proxy" in done.out, "a shared proxy is not renewed unasked, and told"
        neighbour.write(Wish("v2", strategy="rolling"))
        with neighbour.client.running("deploy", "--keep-proxy") as beside:
            course.to(replace(first, version="v2"), "--renew-proxy")
            beside.wait().expect(0)
        assert edge_of(project)["version"].startswith("3.")
        assert "underway-edge" in containers(project)
        assert "nothing to do" in project.client.run("plan").expect(0).out
        assert "nothing to do" in neighbour.client.run("plan", "--keep-proxy").expect(0).out
        choose(project, "2.6")
        course.to(replace(first, version="v1"), "--renew-proxy")
        assert edge_of(project)["version"].startswith("2.6")
        course.finish()
    eventually(lambda: is_tidy(project), "former proxies end, and the next deploy removes them", 60)


def is_tidy(project: Project) -> bool:
    project.client.run("deploy", "--keep-proxy").expect(0)
    return containers(project) == ["underway-edge"]
