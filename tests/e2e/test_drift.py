"""Scenario 32: what somebody did by hand is shown, explained, and mended without touching more."""

from typing import Any

import pytest

from tests.e2e.project import Project, Wish
from tests.e2e.sight import identities

WISH = Wish("v1", "blue-green", replicas=3, worker={})


def drift(project: Project) -> dict[str, str]:
    """What status tells to differ: subject and kind."""
    told = project.client.run("status", "--json").expect(11).document()
    return {entry["subject"]: entry["kind"] for entry in told["drift"]}


def planned(project: Project) -> list[dict[str, Any]]:
    """The steps of a plan, each with its cause."""
    steps = project.client.run("plan", "--json").expect(0).document()["steps"]
    assert all(step["cause"] for step in steps)
    return list(steps)


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_32_a_replica_that_was_harmed_is_mended_alone(project: Project) -> None:
    project.deploy(WISH).expect(0)
    for harm, kind, mend in (
        (("kill",), "replica-not-ready", "deploy"),
        (("rm", "-f"), "replica-missing", "deploy"),
        (("kill",), "replica-not-ready", "repair"),
        (("rm", "-f"), "replica-missing", "repair"),
        (("pause",), "replica-not-ready", "repair"),
    ):
        harmed, *others = project.sight.replicas()
        untouched = identities(project.sight.replicas("worker")) | identities(others)
        project.fleet.docker("h1", *harm, harmed.name)
        assert drift(project) == {harmed.name: kind}
        assert planned(project), "the plan says what to do about it"
        project.client.run(mend).expect(0)
        now = identities(project.sight.replicas()) | identities(project.sight.replicas("worker"))
        assert untouched <= now, "only what was harmed is touched"
        project.client.run("status").expect(0)
    project.sight.expect_settled(WISH)


@pytest.mark.lab(hosts=1)
def test_32_a_replica_that_was_added_by_hand_goes_and_strangers_stay(project: Project) -> None:
    project.deploy(WISH).expect(0)
    one = project.sight.replicas()[0]
    others = identities(project.sight.replicas())
    image = project.fleet.docker("h1", "inspect", "-f", "{{.Image}}", one.name)
    labels = [part for label in one.labels.items() for part in ("--label", "=".join(label))]
    added = f"{one.name.rpartition('-')[0]}-9"
    project.fleet.docker("h1", "run", "-d", "--name", added, *labels, image)
    project.fleet.docker("h1", "run", "-d", "--name", "stranger", image, "worker")
    assert set(drift(project)) == {added}
    assert planned(project)
    project.client.run("repair").expect(0)
    assert identities(project.sight.replicas()) == others
    assert "stranger" in project.fleet.docker("h1", "ps", "--format", "{{.Names}}").split()
    project.fleet.docker("h1", "rm", "-f", "stranger")
    project.client.run("status").expect(0)
    project.sight.expect_settled(WISH)
