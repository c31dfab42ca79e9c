"""Batches behind gates that the test opens by hand, and how many failures a rollout bears."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from tests.e2e.client import Running, eventually
from tests.e2e.gate import open_gate, opened_gates
from tests.e2e.project import Project, Wish

GATE = "gate:/tmp/ready"
LONG = {"deploy_timeout": "200s"}
V1 = Wish("v1", replicas=3, fail=GATE, proxy=LONG)
V2 = replace(V1, version="v2")


def ready(project: Project) -> Counter[str]:
    """How many servers of each version take requests at the edge."""
    versions = {replica.name: replica.version for replica in project.sight.replicas()}
    weights = project.sight.servers("h1")
    return Counter(versions[s.name] for s in weights if s.weight and s.name in versions)


def go_by_batches(project: Project, client: Running, version: str, older: str) -> None:
    """Open one gate after the other; before each, exactly one replica more has taken over."""
    for batch in range(3):
        wished = Counter({older: 3 - batch, version: batch})

        def is_waiting(batch: int = batch, wished: Counter[str] = wished) -> bool:
            assert not client.is_over, client.wait()
            made = [r for r in project.sight.replicas() if r.version == version]
            old = [r for r in project.sight.replicas() if r.version == older]
            is_made = (len(made), len(old)) == (batch + 1, 3 - batch)
            return is_made and +ready(project) == +wished

        eventually(is_waiting, f"{dict(wished)} serve, one more is at its gate", 60)
        for replica in project.sight.replicas():
            if replica.version == version:
                open_gate(project, replica)
    client.wait().expect(0)


@pytest.mark.exhaustive
def test_13_batches_go_one_by_one_as_their_gates_open_and_back_likewise(project: Project) -> None:
    with opened_gates(project, "v1", hosts=("h1",)):
        project.deploy(V1).expect(0)
    with project.load() as load:
        project.write(V2)
        with project.client.running("deploy") as client:
            go_by_batches(project, client, "v2", "v1")
        project.sight.expect_settled(V2)
        with project.client.running("rollback") as client:
            go_by_batches(project, client, "v1", "v2")
        project.sight.expect_settled(V1)
        load.stop().check()


def test_14_the_second_failure_of_five_stops_and_five_are_restored(project: Project) -> None:
    """Ratio 0.25 of five bears one."""
    v1 = Wish("v1", replicas=5)
    project.deploy(v1).expect(0)
    update = {"parallelism": 1, "max_failure_ratio": 0.25}
    v2 = replace(v1, version="v2", update=update, fail="crash-at-start")
    with project.load() as load:
        load.expect("v1")
        done = project.deploy(v2).expect(10)
        load.stop().check()
    made = re.findall(r"start \[.*?\] create \S+-web-(\w+)-\d+ ", done.err)
    assert made.count(made[0]) == 2, done  # what a deploy makes first is of the new version
    project.sight.expect_settled(v1)
