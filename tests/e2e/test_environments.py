"""Two environments of one file on one host: apart in all but the proxy, and one image for both."""

import http.client
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.e2e.client import Client
from tests.laboratories import Fleet

DOCKERFILE: Final = """\
ARG BASE
FROM ${BASE}
COPY page /www/index.html
CMD ["python3", "-m", "http.server", "8000", "--directory", "/www"]
"""
GIT: Final = ("git", "-c", "user.name=t", "-c", "user.email=t@example.com")


@dataclass
class Team:
    """A checkout whose file has two environments, and whoever works in it."""

    fleet: Fleet
    root: Path

    def write(self) -> None:
        registry = self.fleet.laboratory.describe()["registry"]["address"]
        names = {"names": ["{semver}", "{commit}"], "semver": "patch", "moving": ["{environment}"]}
        web: dict[str, Any] = {
            "build": {"context": ".", "args": {"BASE": self.fleet.laboratory.images["python"]}},
            "environment": {"MODE": "${MODE}"},
            "secrets": ["key"],
            "volumes": ["data:/data"],
            "stop_grace_period": "0s",
            "x-underway": {"proxy": {"host": "shop.test", "port": 8000, "drain": "1s"}},
        }
        said = {
            "name": "shop",
            "services": {"web": web},
            "secrets": {"key": {"environment": "KEY"}},
            "volumes": {"data": {}},
            "x-underway": {"tags": names, "test": {"service": "web", "command": "test -e /www"}},
        }
        self.root.mkdir()
        (self.root / "compose.yaml").write_text(yaml.safe_dump(said))
        for environment in ("staging", "production"):
            own = {
                "image": f"{registry}/{self.root.parent.name}-{environment}",
                "x-underway": {"proxy": {"host": f"{environment}.test", "port": 8000}},
            }
            file = {"name": f"shop-{environment}", "services": {"web": own}}
            (self.root / f"compose.{environment}.yaml").write_text(yaml.safe_dump(file))
        (self.root / "Dockerfile").write_text(DOCKERFILE)
        (self.root / "page").write_text("one\n")
        for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "one"), ("tag", "v1.4.1")):
            subprocess.run([*GIT, *command], cwd=self.root, check=True)

    def commit(self, page: str) -> None:
        (self.root / "page").write_text(page)
        subprocess.run([*GIT, "commit", "-qam", page], cwd=self.root, check=True)

    def client(self, mode: str) -> Client:
        environment = {
            **self.fleet.environment,
            "DOCKER_HOST": self.fleet.laboratory.hosts[0].url,
            "MODE": mode,
            "KEY": f"key of {mode}",
        }
        return Client(self.root, self.root.parent / "home", environment)

    def replica(self, environment: str) -> dict[str, Any]:
        label = f"label=underway.app=shop-{environment}"
        role = "label=underway.role=replica"
        name = self.fleet.docker("h1", "ps", "-q", "--filter", label, "--filter", role).strip()
        return dict(json.loads(self.fleet.docker("h1", "inspect", name))[0])

    def page(self, environment: str) -> str:
        connection = http.client.HTTPConnection(self.fleet.laboratory.hosts[0].address, timeout=10)
        connection.request("GET", "/", headers={"Host": f"{environment}.test"})
        return connection.getresponse().read().decode()


@pytest.mark.lab(hosts=1)
def test_a_release_is_promoted_as_it_is_to_an_environment_apart_from_its_own(
    fleet: Fleet, tmp_path: Path
) -> None:
    team = Team(fleet, tmp_path / "app")
    team.write()
    staging, production = team.client("staging"), team.client("production")
    staging.run("-E", "staging", "deploy").expect(0)
    shown = production.run("promote", "-E", "staging", "--to", "production", "--plan").expect(0)
    assert "shop-staging, environment staging" in shown.out
    assert "shop-production" not in fleet.docker("h1", "ps", "-a", "--format", "{{.Names}}")
    production.run("promote", "-E", "staging", "1.4.1", "--to", "production").expect(0)
    one, other = team.replica("staging"), team.replica("production")
    assert one["Image"] == other["Image"], "nothing was built for production"
    tags = production.run("-E", "production", "tag", "list", "--json").expect(0).document()["tags"]
    theirs = staging.run("-E", "staging", "tag", "list", "--json").expect(0).document()["tags"]
    assert {tag["tag"] for tag in tags} >= {"1.4.1", "production"}
    assert {tag["digest"] for tag in tags} == {tag["digest"] for tag in theirs}
    expect_apart(team, one, other)
    (release,) = releases(production, "production")
    assert release["origin"] == {"app": "shop-staging", "environment": "staging", "release": 1}
    assert (release["tests"], release["semver"]) == ("passed", "1.4.1")
    team.commit("two\n")
    staging.run("-E", "staging", "deploy").expect(0)
    assert [team.page(name) for name in ("staging", "production")] == ["two\n", "one\n"]
    (newest, _) = releases(staging, "staging")
    assert newest["semver"] == "1.4.2", "the version after the one that git knows"
    again = production.run("promote", "-E", "staging", "1.4.1", "--to", "production").expect(0)
    assert "nothing to do" in again.out
    forgot = production.run("-p", "shop-production", "deploy").expect(4)
    assert "error[environment-taken]" in forgot.err


def releases(client: Client, environment: str) -> list[dict[str, Any]]:
    done = client.run("-E", environment, "history", "--releases", "--json").expect(0)
    return list(done.document()["releases"])


def expect_apart(team: Team, one: dict[str, Any], other: dict[str, Any]) -> None:
    """The replicas of two environments share nothing that either could see the other by."""
    assert set(one["NetworkSettings"]["Networks"]) == {"shop-staging_default"}
    assert set(other["NetworkSettings"]["Networks"]) == {"shop-production_default"}
    mounts = [{mount.get("Name", "") for mount in it["Mounts"]} for it in (one, other)]
    assert not mounts[0] & mounts[1]
    for environment, replica in (("staging", one), ("production", other)):
        assert f"MODE={environment}" in replica["Config"]["Env"]
        key = team.fleet.docker("h1", "exec", replica["Id"], "cat", "/run/secrets/key")
        assert key == f"key of {environment}"
        assert team.page(environment) == "one\n"
    volumes = team.fleet.docker("h1", "volume", "ls", "-q").split()
    for kind in ("ledger", "vault"):
        assert {f"underway-{kind}-shop-staging", f"underway-{kind}-shop-production"} < set(volumes)
    edges = team.fleet.docker("h1", "ps", "-q", "--filter", "name=^underway-edge$").split()
    assert len(edges) == 1
