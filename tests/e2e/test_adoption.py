"""A running Compose project comes under Underway, under counted load, and goes back."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.load import BEACON_FILES, Load, Target, read_back
from tests.e2e.client import Client, eventually
from tests.e2e.project import BEACON, GENTLE, HOST
from tests.laboratories import Fleet

APP = "shop"
WEB, DB = f"{APP}-web-1", f"{APP}-db-1"
SECOND_S = 1.0
"""How exactly the load tells when a request was lost."""
COUNT = ("psql", "-U", "shop", "-Atc", "select sum(n) from kept")


@dataclass
class Shop:
    """A web with files and a database with rows, as `docker compose up -d` made them."""

    fleet: Fleet
    root: Path

    def __post_init__(self) -> None:
        self.directory = self.root / APP
        shutil.copytree(BEACON, self.directory, ignore=shutil.ignore_patterns("__pycache__"))
        (self.directory / "compose.yaml").write_text(yaml.safe_dump(self._file()))
        laboratory = self.fleet.laboratory
        extra = {"PYTHON_IMAGE": laboratory.images["python"], "PASSWORD": "not told"}
        extra["DOCKER_HOST"] = laboratory.hosts[0].url
        environment = {**self.fleet.environment, **extra}
        self.client = Client(self.directory, self.root / "home", environment)

    def _file(self) -> dict[str, Any]:
        web = {
            "build": {"context": ".", "args": {"PYTHON_IMAGE": "${PYTHON_IMAGE}", "VERSION": "v1"}},
            "ports": ["80:8080"],
            "volumes": ["files:/data"],
            "depends_on": {"db": {"condition": "service_healthy"}},
            "restart": "unless-stopped",
            "stop_grace_period": "8s",
        }
        db = {
            "image": self.fleet.laboratory.images["postgres"],
            "environment": {"POSTGRES_USER": "shop", "POSTGRES_PASSWORD": "${PASSWORD}"},
            "volumes": ["rows:/var/lib/postgresql/data"],
            "healthcheck": {
                "test": ["CMD", "pg_isready", "-U", "shop"],
                "interval": "1s",
                "start_period": "60s",
            },
            "restart": "always",
        }
        services = {"web": web, "db": db}
        return {"name": APP, "services": services, "volumes": {"files": {}, "rows": {}}}

    def compose(self, *arguments: str) -> str:
        return self.client.run(*arguments, program=("docker", "compose")).expect(0).out

    def up(self) -> None:
        """The project runs, with rows; its file knows Underway."""
        self.compose("up", "-d", "--build", "--wait")
        self.psql(DB, "create table kept (n int); insert into kept values (40), (2)")
        self.client.run("init", "--proxy", HOST, "--health", "/up", "--no-schema").expect(0)

    def say(self, service: str, **changes: object) -> None:
        """Make the file say something else of a service."""
        path = self.directory / "compose.yaml"
        said = yaml.safe_load(path.read_text())
        said["services"][service] |= changes
        path.write_text(yaml.safe_dump(said))

    def psql(self, container: str, text: str) -> str:
        return self.fleet.docker("h1", "exec", container, *COUNT[:-1], text)

    def rows(self) -> str:
        """What the database that runs now says of the rows."""
        (name,) = self.running("db")
        return self.psql(name, COUNT[-1])

    def running(self, service: str) -> list[str]:
        names = self.fleet.docker("h1", "ps", "--format", "{{.Names}}").split()
        return [name for name in names if name.startswith(f"{APP}-{service}-")]

    def made_by_compose(self) -> dict[str, tuple[object, ...]]:
        """What must come back as it was."""
        label = f"label=com.docker.compose.project={APP}"
        found = {}
        for one in self.fleet.docker("h1", "ps", "-aq", "--filter", label).split():
            (told,) = json.loads(self.fleet.docker("h1", "inspect", one))
            host = told["HostConfig"]
            found[told["Name"].lstrip("/")] = (
                told["Id"],
                told["State"]["Running"],
                host["RestartPolicy"],
                host["PortBindings"],
                sorted(mount["Name"] for mount in told["Mounts"]),
            )
        return found

    @property
    def target(self) -> Target:
        return Target("h1", self.fleet.laboratory.hosts[0].address, 80)

    def load(self) -> Load:
        return Load([self.target], host=HOST, profile=BEACON_FILES, mix=GENTLE)


@pytest.fixture
def shop(fleet: Fleet, tmp_path: Path) -> Shop:
    return Shop(fleet, tmp_path)


def stages(told: str) -> dict[str, tuple[float, float]]:
    """When each stage began and ended, by its title; seconds since the epoch."""
    began: dict[str, float] = {}
    found = {}
    for line in told.splitlines():
        event = json.loads(line)
        body = event["body"]
        if event["type"] == "stage-started":
            began[body["title"]] = event["time"]
        elif event["type"] == "stage-finished":
            found[body["title"]] = (began[body["title"]], event["time"])
    return found


@pytest.mark.lab(hosts=1)
def test_requests_are_lost_in_the_named_switch_alone_and_all_of_it_is_undone(shop: Shop) -> None:
    shop.up()
    before = shop.made_by_compose()
    assert shop.client.run("deploy").expect(4).err.count("compose-project-runs") == 1
    asked = shop.client.run("adopt").expect(4)
    assert "port 80 of local goes from shop-web-1 to the proxy" in asked.err
    assert "only one replica may write to volume rows" in asked.err
    assert shop.made_by_compose() == before
    with shop.load() as load:
        began = time.time() - load.snapshot().elapsed_s
        load.wait_until(lambda seen: len(seen.journal) > 1, what="uploads before the switch")
        done = shop.client.run("adopt", "--allow-interruption", "--json").expect(0)
        after = load.snapshot().requests
        load.wait_until(lambda seen: seen.requests > after + 200, what="traffic after the switch")
        found = load.stop()
    first, last = stages(done.err)["Switch port 80"]
    lost = {second.at_s for second in found.timeline if second.lost}
    named = (first - began - SECOND_S, last - began + SECOND_S)
    assert all(named[0] - SECOND_S <= at_s <= named[1] for at_s in lost), (
        f"lost in {sorted(lost)}, switched from {named}\n{found.explain()}"
    )
    assert found.versions.keys() == {"v1"}
    assert shop.rows() == "42"
    assert len(shop.running("db")) == len(shop.running("web")) == 1
    kept = {f"{WEB}-adopted", f"{DB}-adopted-always"}
    assert shop.made_by_compose().keys() == kept
    read = read_back(found.journal, [shop.target], host=HOST, profile=BEACON_FILES)
    assert (read.right, read.wrong) == (len(found.journal), ())
    assert shop.client.run("plan", "--json").expect(0).document()["steps"] == []
    assert "nothing to do" in shop.client.run("adopt").expect(0).out
    shop.client.run("adopt", "--undo", "--yes").expect(0)
    assert shop.made_by_compose() == before
    read = read_back(found.journal, [shop.target], host=HOST, profile=BEACON_FILES)
    assert (shop.rows(), read.wrong) == ("42", ())
    assert "underway" not in shop.fleet.docker("h1", "ps", "-a", "--format", "{{.Names}}")


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_a_client_that_dies_leaves_what_the_next_one_ends_or_takes_back(shop: Shop) -> None:
    shop.up()
    before = shop.made_by_compose()
    for stage, way in (("Start db", ("adopt", "--undo", "--yes")), ("Switch port 80", ("adopt",))):
        with shop.client.running("adopt", "--allow-interruption", "--plain") as dying:
            dying.await_told(stage, timeout_s=240)
            dying.kill()
            dying.wait()
        allowed = () if "--undo" in way else ("--allow-interruption",)
        shop.client.run(*way, *allowed, "--wait", "30s").expect(0)
        if "--undo" in way:
            assert shop.made_by_compose() == before
    assert shop.rows() == "42"
    assert shop.client.run("plan", "--json").expect(0).document()["steps"] == []
    shop.client.run("prune").expect(0)
    assert shop.made_by_compose() == {}
    eventually(lambda: shop.rows() == "42", "the rows stand where they stood")
    assert "adopt-no-way-back" in shop.client.run("adopt", "--undo", "--yes").expect(4).err


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
@pytest.mark.parametrize("fault", ["never-ready", "crash-at-start"])
def test_a_version_that_turns_out_unwell_leaves_the_project_as_it_was(
    shop: Shop, fault: str
) -> None:
    shop.up()
    before = shop.made_by_compose()
    with shop.load() as load:
        load.wait_until(lambda seen: len(seen.journal) > 1, what="uploads before the switch")
        shop.say("web", environment={"BEACON_FAIL": fault})
        done = shop.client.run("adopt", "--allow-interruption", "--json").expect(10)
        after = load.snapshot().requests
        load.wait_until(lambda seen: seen.requests > after + 200, what="traffic as it was")
        found = load.stop()
    assert "Switch port 80" not in stages(done.err), "users were sent to what never passed"
    assert not found.lost, found.explain()
    assert found.versions.keys() == {"v1"}
    assert shop.made_by_compose() == before
    assert shop.rows() == "42"
    read = read_back(found.journal, [shop.target], host=HOST, profile=BEACON_FILES)
    assert (read.right, read.wrong) == (len(found.journal), ())
    assert len(shop.running("db")) == len(shop.running("web")) == 1


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_a_database_that_turns_out_unwell_comes_back_as_it_was(shop: Shop) -> None:
    """Its data has one writer: the old one had stopped when the new one failed."""
    shop.up()
    before = shop.made_by_compose()
    test = ["CMD-SHELL", "exit 1"]
    shop.say("db", healthcheck={"test": test, "interval": "1s", "retries": 3})
    shop.client.run("adopt", "--allow-interruption").expect(10)
    assert shop.made_by_compose() == before
    eventually(lambda: shop.rows() == "42", "the rows stand where they stood")
    assert len(shop.running("db")) == len(shop.running("web")) == 1
