"""The same file gives the same thing: exactly what it says, everywhere, again, and back again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.e2e.client import Done
from tests.e2e.project import Project, Wish
from tests.e2e.sight import identities

LOCAL_S, FLEET_S = 3.0, 6.0
"""Three times what an empty plan may take on an idle machine."""
COMPOSE_RUNS = 20
"""On a busy one, where Compose takes long as well: so many times what it takes to read the file."""
KINDS = {
    "containers": ("ps", "-aq", "--no-trunc"),
    "images": ("images", "-q", "--no-trunc"),
    "volumes": ("volume", "ls", "-q"),
    "networks": ("network", "ls", "-q", "--no-trunc"),
}


def edit(project: Project, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the Compose file beyond what a wish can say."""
    file = project.directory / "compose.yaml"
    said = yaml.safe_load(file.read_text())
    change(said)
    file.write_text(yaml.safe_dump(said, allow_unicode=True, sort_keys=False))


def held(project: Project, kind: str) -> set[str]:
    return {
        f"{host.name} {one}"
        for host in project.fleet.laboratory.hosts
        for one in project.fleet.docker(host.name, *KINDS[kind]).split()
    }


def in_every_replica(project: Project, *command: str) -> set[str]:
    return {
        project.fleet.docker(replica.host, "exec", replica.name, *command)
        for replica in project.sight.replicas()
    }


@pytest.mark.lab(hosts=1)
def test_1_environment_is_exact_in_every_replica_and_before_runs_once(project: Project) -> None:
    with_data = Wish(
        "v1",
        "blue-green",
        before={"command": "migrate"},
        web={"volumes": ["data:/data"]},
        volumes={"data": {}},
    )
    second = replace(with_data, version="v2")
    for wish in (with_data, second, second):
        project.deploy(wish).expect(0)
        project.sight.expect_settled(wish)
        for one in project.sight.replicas():
            assert one.environment["BEACON_MOTTO"] == wish.motto
            assert one.environment["BEACON_PLAIN"] == wish.plain
    project.client.run("rollback").expect(4)
    project.client.run("rollback", "--past-migrations").expect(0)
    project.sight.expect_settled(with_data)
    (log,) = in_every_replica(project, "cat", "/data/migrations.log")
    assert [line.split()[0] for line in log.splitlines()] == ["v1", "v2"], "once each, in order"
    runs = project.client.run("history", "--json").expect(0).document()["runs"]
    assert sorted(run["number"] for run in runs) == [1, 2, 3]
    by_number = sorted(runs, key=lambda run: run["number"])
    assert [run["release"] for run in by_number] == [1, 2, 1], "the audit is in order"


@pytest.mark.lab(hosts=1)
def test_4_what_was_set_up_is_removed_and_the_other_app_stays(project: Project) -> None:
    project.client.run("remove", "--yes").expect(0)
    before = {kind: held(project, kind) for kind in KINDS}
    neighbour = project.neighbour()
    for one in (neighbour, project):
        source = one.directory / "beacon.py"
        source.write_text(f"{source.read_text()}\n# {one.root}\n")
    first = Wish("v1", web={"volumes": ["data:/data"]}, volumes={"data": {}}, worker={})
    neighbour.deploy(Wish("v1")).expect(0)
    others = identities(neighbour.sight.replicas())
    project.deploy(first).expect(0)
    project.deploy(replace(first, version="v2")).expect(0)
    project.client.run("remove", "--yes", "--with-data").expect(0)
    assert identities(neighbour.sight.replicas()) == others, "the other app was not touched"
    neighbour.sight.expect_settled(Wish("v1"))
    project.sight.expect_nothing()
    neighbour.client.run("remove", "--yes", "--with-data").expect(0)
    for kind in KINDS:
        assert not held(project, kind) - before[kind], f"{kind} are left"
    project.client.run("remove", "--yes").expect(0)


@pytest.mark.parametrize(
    "limit_s",
    [
        pytest.param(LOCAL_S, marks=pytest.mark.lab(hosts=1), id="1 host"),
        pytest.param(FLEET_S, marks=pytest.mark.lab(hosts=3), id="3 hosts"),
    ],
)
def test_5_the_same_again_changes_nothing_and_tells_so_at_once(
    project: Project, limit_s: float
) -> None:
    wish = Wish("v1", worker={})
    project.deploy(wish).expect(0)
    before = identities(project.sight.containers())
    again = [project.deploy(wish).expect(0) for _ in range(3)]
    assert identities(project.sight.containers()) == before, "not even an anchor is another"
    assert project.client.run("plan", "--json").expect(0).document()["is_empty"]
    runs = project.client.run("history", "--json").expect(0).document()["runs"]
    assert len(runs) == 1, "what changed nothing is no run"
    floor_s = min(compose.took_s for compose in (_compose_config(project) for _ in range(3)))
    took_s = [done.took_s for done in again]
    assert min(took_s) < max(limit_s, COMPOSE_RUNS * floor_s), (took_s, floor_s)


def _compose_config(project: Project) -> Done:
    return project.client.run("compose", "config", "--quiet", program=("docker",)).expect(0)


@pytest.mark.lab(hosts=1)
def test_6_rollback_brings_environment_and_configuration_back(project: Project) -> None:
    settings = project.directory / "settings.txt"
    first = Wish("v1", "blue-green", web={"volumes": ["./settings.txt:/etc/settings.txt:ro"]})
    second = replace(first, version="v2", proxy={"health": "/up?second"})
    for wish in (first, second):
        settings.write_text(f"settings of {wish.version}\n")
        project.deploy(wish).expect(0)
        assert in_every_replica(project, "cat", "/etc/settings.txt") == {
            f"settings of {wish.version}"
        }
    project.client.run("rollback").expect(0)
    project.sight.expect_settled(first)
    assert in_every_replica(project, "cat", "/etc/settings.txt") == {"settings of v1"}
    assert settings.read_text() == "settings of v2\n", "today's file is not what came back"


@pytest.mark.lab(hosts=3)
def test_7_the_same_image_is_on_every_host_before_anything_stops(project: Project) -> None:
    first = Wish("v1", replicas=3)
    project.deploy(first).expect(0)
    project.write(replace(first, version="v2"))
    with project.client.running("deploy") as client:
        client.await_told("] stop ", timeout_s=120)
        new = next(one for one in project.sight.replicas() if one.version == "v2")
        image = project.fleet.docker(new.host, "inspect", "-f", "{{.Image}}", new.name)
        for host in project.fleet.laboratory.hosts:
            there = project.fleet.docker(host.name, "images", "-q", "--no-trunc").split()
            assert image in there, f"{host.name} lacks {image} while something stops"
        client.wait().expect(0)
    ran = {
        project.fleet.docker(one.host, "inspect", "-f", "{{.Image}}", one.name)
        for one in project.sight.replicas()
    }
    assert ran == {image}


@pytest.mark.lab(hosts=1)
def test_10_bytes_through_logs_arrive_intact(project: Project) -> None:
    nothing = (
        "import sys,time; sys.stdout.buffer.write(b'<' + bytes(512) + '> ü'.encode() + b'\\n')"
    )
    writer = ["python3", "-uc", f"{nothing}; sys.stdout.flush(); time.sleep(900)"]
    project.deploy(Wish("v1", worker={"entrypoint": writer, "command": []})).expect(0)
    told = project.client.run("logs", "worker").expect(0).out
    assert told.endswith(" | <" + "\0" * 512 + "> ü\n"), repr(told[-600:])
    document = project.client.run("logs", "worker", "--json").expect(0).document()
    assert document["text"] == "<" + "\0" * 512 + "> ü"


@pytest.mark.lab(hosts=1)
def test_a_moved_upstream_tag_does_not_touch_a_service_that_is_not_built(project: Project) -> None:
    laboratory = project.fleet.laboratory
    side = f"{laboratory.describe()['registry']['address']}/side:1"

    def move(key: str) -> None:
        for command in (("pull", "-q", laboratory.images[key]),
                        ("tag", laboratory.images[key], side), ("push", "-q", side)):  # fmt: skip
            project.fleet.docker("h1", *command, timeout_s=120)
        project.fleet.docker("h1", "rmi", side)

    def add_side(said: dict[str, Any]) -> None:
        said["services"]["side"] = {"image": side, "entrypoint": ["sleep", "infinity"]}

    def deployed(version: str, *options: str) -> set[tuple[str, str, str, int]]:
        project.write(Wish(version))
        edit(project, add_side)
        project.client.run("deploy", *options).expect(0)
        return identities(project.sight.replicas("side"))

    move("debian")
    first = deployed("v1")
    move("python")
    assert deployed("v2") == first, "the database does not restart because the web changed"
    assert project.client.run("plan", "--json").expect(0).document()["is_empty"]
    assert deployed("v2", "--pull", "side") != first, "it moves when it is asked to"
