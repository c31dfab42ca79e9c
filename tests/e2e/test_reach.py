"""A service that calls several replicas on other hosts by name: replacing them loses no call."""

import json
from dataclasses import dataclass
from typing import Any, Final

import pytest
import yaml

from tests.e2e.client import eventually
from tests.e2e.project import Project

CALLS: Final = """
import collections, http.client, json, socket, threading, time

counts, failures, lock = collections.Counter(), [], threading.Lock()
names = sorted({entry[4][0] for entry in socket.getaddrinfo("api", 8080)})

def call(path):
    while True:
        try:
            wire = http.client.HTTPConnection("api", 8080, timeout=20)
            wire.request("GET", path, headers={"Connection": "close"})
            answer = wire.getresponse()
            body = json.loads(answer.read())
            wire.close()
            key = body["version"] if answer.status == 200 else f"status {answer.status}"
        except Exception as error:
            key = repr(error)
        with lock:
            counts[key] += 1
            told = {"names": names, "counts": counts}
            print(json.dumps(told), flush=True)
        time.sleep(0.02)

for path in ("/version", "/version", "/slow?s=1"):
    threading.Thread(target=call, args=(path,)).start()
"""
"""Calls all the time, each on a connection of its own, and tells what came of all so far."""


@dataclass(frozen=True)
class Voyage:
    """Replicas of `api` on two hosts, and on the third a service that calls them."""

    project: Project

    def write(self, version: str, *, replicas: int = 2) -> None:
        """Make the file say this version of `api`; the caller's never changes."""
        laboratory = self.project.fleet.laboratory
        registry = laboratory.describe()["registry"]["address"]
        api: dict[str, Any] = {
            **_built(version),
            "image": f"{registry}/reach-api",
            "expose": [8080],
            "healthcheck": {"test": ["CMD", "python3", "-c", HEALTHY], "interval": "1s"},
            "stop_grace_period": "3s",
            "deploy": {"replicas": replicas},
        }
        caller = {
            **_built("v1"),
            "image": f"{registry}/reach-caller",
            "entrypoint": ["python3", "-c", CALLS],
            "command": [],
            "depends_on": ["api"],
            "extra_hosts": ["elsewhere:198.51.100.7"],
            "stop_grace_period": "1s",
            "deploy": {"update_config": {"monitor": "1s"}},
        }
        hosts = [{"url": h.ssh_url, "address": h.address, "name": h.name} for h in laboratory.hosts]
        said = {
            "name": "reach",
            "services": {"api": api, "caller": caller},
            "x-underway": {
                "hosts": hosts,
                "place": {"api": ["h2", "h3"], "caller": "h1"},
                "edge": ["h2", "h3"],
            },
        }
        text = yaml.safe_dump(said, sort_keys=False)
        (self.project.directory / "compose.yaml").write_text(text)

    def caller(self) -> str:
        """The caller's container."""
        found = self.project.fleet.docker(
            "h1", "ps", "-q", "--filter", "label=underway.service=caller"
        )
        assert len(found.split()) == 1
        return found

    def told(self, container: str) -> dict[str, Any]:
        """What the caller tells of all its calls so far."""
        line = self.project.fleet.docker("h1", "logs", "--tail", "1", container)
        return dict(json.loads(line)) if line else {"counts": {}, "names": []}

    def await_answers(self, container: str, version: str, count: int = 30) -> None:
        """Wait for new answers of a version."""
        before = self.told(container)["counts"].get(version, 0)
        eventually(
            lambda: self.told(container)["counts"].get(version, 0) >= before + count,
            f"{count} answers of {version}",
        )


def _built(version: str) -> dict[str, Any]:
    arguments = {"PYTHON_IMAGE": "${PYTHON_IMAGE}", "VERSION": version}
    return {"build": {"context": ".", "args": arguments}}


HEALTHY: Final = (
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/up', timeout=2)"
)


@pytest.mark.lab(hosts=3)
def test_replicas_on_other_hosts_are_replaced_and_no_call_to_their_name_fails(
    project: Project,
) -> None:
    voyage = Voyage(project)
    voyage.write("v1")
    project.client.run("deploy").expect(0)
    caller = voyage.caller()
    voyage.await_answers(caller, "v1")
    hosts = project.fleet.laboratory.hosts
    assert voyage.told(caller)["names"] == sorted([hosts[1].address, hosts[2].address])
    voyage.write("v2")
    project.client.run("deploy").expect(0)
    assert project.client.run("plan", "--json").expect(0).document()["steps"] == []
    voyage.await_answers(caller, "v2")
    project.client.run("rollback").expect(0)
    voyage.await_answers(caller, "v1")
    assert voyage.caller() == caller, "only what is called was replaced"
    assert set(voyage.told(caller)["counts"]) == {"v1", "v2"}
    mapped = project.fleet.docker("h1", "exec", caller, "cat", "/etc/hosts")
    assert "198.51.100.7\telsewhere" in mapped
    project.client.run("remove", "--yes").expect(0)
    project.sight.expect_nothing()
