"""What looks at an app tells what is true on its hosts, and changes nothing."""

import json
import tarfile

import pytest

from tests.e2e.project import Project, Wish


@pytest.mark.lab(hosts=1)
def test_what_looks_tells_what_is_true(project: Project) -> None:
    project.deploy(Wish("v1")).expect(0)
    client = project.client
    replicas = {replica.name for replica in project.sight.replicas()}
    assert replicas
    assert client.run("diff", "--json").expect(0).document()["is_same"]
    assert client.run("show").expect(0).out.startswith("release 1 ")
    used = client.run("top", "--json").expect(0).document()
    assert {one["name"] for one in used["replicas"]} == replicas
    assert all(one["memory_bytes"] and one["processes"] for one in used["replicas"])
    assert f"http://{project.host}/" in client.run("open").expect(0).out.splitlines()
    told = [json.loads(line) for line in client.run("events", "--json").expect(0).out.splitlines()]
    assert replicas <= {one["container"] for one in told if one["action"] == "start"}
    assert [one["detail"] for one in told if one["action"] == "run-end"] == ["done"]
    done = client.run("report", "--json", "-o", "report.tar.gz").expect(0)
    assert "events.jsonl" in done.document()["files"], "this machine ran it"
    with tarfile.open(project.directory / "report.tar.gz") as archive:
        plan = archive.extractfile("underway-report-beacon-1/plan.json")
        assert plan is not None
        assert json.load(plan)["is_empty"], "what runs is what was deployed"
    assert {replica.name for replica in project.sight.replicas()} == replicas
