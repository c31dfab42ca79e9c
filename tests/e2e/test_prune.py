"""What tidying takes: somebody's `docker system prune`, and `underway prune`."""

from dataclasses import replace

import pytest

from tests.e2e.project import Project, Wish
from tests.e2e.sight import identities

SHARED = "/srv/shared/beacon"


def somebody_prunes(project: Project) -> None:
    """Everything Docker thinks nobody needs, on every host, named volumes too."""
    engine = project.fleet.laboratory.record.engine
    for host in project.fleet.laboratory.hosts:
        project.fleet.docker(host.name, "system", "prune", "-af", "--volumes", timeout_s=120)
        if engine != "20":  # 20 has taken them already
            project.fleet.docker(host.name, "volume", "prune", "-af", timeout_s=120)


def prune_between_deploys(project: Project, first: Wish) -> None:
    """Deploy, write, prune, and again; roll back to an image that only the registry has."""
    project.deploy(first).expect(0)
    kept = project.sight.put("/files/kept", b"acknowledged")
    assert kept.status in {200, 201}, kept
    before = identities(project.sight.containers())
    running = project.sight.replicas()
    somebody_prunes(project)
    assert identities(project.sight.containers()) == before, "nothing that runs was taken"
    project.sight.expect_settled(first)
    # The build's cache is gone too: building anew would give another image.
    steps = project.client.run("plan", "1", "--json").expect(0).document()["steps"]
    hosts = {host.name for host in project.fleet.laboratory.hosts}
    missing = {(step["kind"], step["host"]) for step in steps}
    # Where it runs the image stays, but a prune may take the name that containers are made from.
    assert {("PullImage", host) for host in hosts - {one.host for one in running}} <= missing
    assert missing <= {("PullImage", host) for host in hosts}, "only images were taken"
    second = replace(first, version="v2")
    project.deploy(second).expect(0)
    somebody_prunes(project)
    runs = project.client.run("history", "--json").expect(0).document()["runs"]
    assert [run["outcome"] for run in runs] == ["done", "done"], "the records are still there"
    project.client.run("rollback").expect(0)
    project.sight.expect_settled(first)
    for edge in project.edges:
        assert project.sight.get("/files/kept", edge).body == b"acknowledged"
    somebody_prunes(project)
    project.deploy(replace(first, version="v3")).expect(0)
    project.sight.expect_settled(replace(first, version="v3"))


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1, engine="20")
def test_records_values_and_data_survive_a_prune_of_the_host(project: Project) -> None:
    project.has_registry = True
    volumes: dict[str, object] = {"data": {}}
    prune_between_deploys(project, Wish("v1", web={"volumes": ["data:/data"]}, volumes=volumes))


@pytest.mark.lab(hosts=3)
def test_records_values_and_data_survive_a_prune_of_every_host(project: Project) -> None:
    project.fleet.laboratory.layout.shared_dir.joinpath("beacon").mkdir(mode=0o777)
    project.fleet.laboratory.layout.shared_dir.joinpath("beacon").chmod(0o777)
    options = {"type": "none", "o": "bind", "device": SHARED}
    volumes = {"data": {"driver_opts": options, "x-underway": {"shared": True}}}
    first = Wish("v1", "blue-green", web={"volumes": ["data:/data"]}, volumes=volumes)
    prune_between_deploys(project, first)


@pytest.mark.lab(hosts=1)
def test_36_prune_never_takes_what_runs_or_a_rollback_needs_or_another_apps(
    project: Project,
) -> None:
    first = Wish("v1", "blue-green", replicas=1)
    neighbour = project.neighbour()
    neighbour.deploy(first).expect(0)
    versions = [replace(first, version=f"v{number}") for number in (1, 2, 3, 4, 5)]
    images = []
    for wish in versions:
        project.deploy(wish).expect(0)
        images.append(image_of(project))
    before = identities(project.sight.containers())
    project.client.run("prune").expect(0)
    assert identities(project.sight.containers()) == before
    there = project.fleet.docker("h1", "images", "-q", "--no-trunc").split()
    assert images[0] not in there or image_of(neighbour) == images[0]
    assert images[1] not in there, "nobody needs the second of five"
    assert set(images[2:]) <= set(there), "what a rollback needs is there"
    neighbour.sight.expect_settled(first)
    project.client.run("rollback").expect(0)
    project.sight.expect_settled(versions[3])
    project.client.run("rollback", "3").expect(0)
    project.sight.expect_settled(versions[2])
    neighbour.client.run("deploy", "--recreate").expect(0)
    neighbour.sight.expect_settled(first)


def image_of(project: Project) -> str:
    name = project.sight.replicas()[0].name
    return project.fleet.docker("h1", "inspect", "-f", "{{.Image}}", name)
