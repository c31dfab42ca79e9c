"""Interrupt the very first deploy at any effect: what follows, from another machine, converges."""

import sys
from itertools import count, cycle
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.project import Project, Wish
from tests.laboratories import clear

CRASHING: Final = (sys.executable, str(Path(__file__).with_name("crashing_client.py")))
LOCK_FREE_S: Final = 15.0  # three times the promise: engines share the machine
FOLLOW_UPS: Final = ("deploy", "nothing", "remove")


def crash_first(project: Project, side: str, number: int) -> list[str]:
    """A first deploy on empty hosts that is killed; returns the effects it began."""
    clear(project.fleet.laboratory)
    journal = project.root / f"journal-{side}-{number}"
    arguments = (str(journal), "kill", side, str(number), "deploy")
    with project.client.running(*arguments, program=CRASHING) as client:
        done = client.wait()
        project.sight.expect_lock_free(LOCK_FREE_S)
    effects = journal.read_text().splitlines()
    done.expect(-9 if 0 < number <= len(effects) else 0)
    return effects


def follow(project: Project, wish: Wish, what: str) -> None:
    """Somebody else goes on, looks and then goes on, or takes everything away."""
    other = project.elsewhere()
    if what == "nothing":
        replicas = project.sight.replicas()
        status = other.run("status", "--json").expect(0, 11)
        is_served = status.document()["release"] == 1
        assert status.code == 11 or not replicas or is_served, status
    if what == "remove":
        other.run("remove", "--yes").expect(0)
        left = [c for c in project.sight.containers() if c.role != "edge"]
        assert not left, left
    else:
        other.run("rollback").expect(4)
        other.run("deploy").expect(0)
        other.run("status").expect(0)
        project.sight.expect_settled(wish)
        runs = other.run("history", "--json").expect(0).document()["runs"]
        assert runs[0]["outcome"] == "done", "what was interrupted is told to be over"


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
def test_29_30_a_first_deploy_killed_now_and_then_is_followed_by_anything(
    project: Project,
) -> None:
    wish = Wish("v1", before={"command": ["migrate"]})
    project.write(wish)
    effects = crash_first(project, "before", 0)
    sides, follow_ups = cycle(("before", "after")), cycle(FOLLOW_UPS)
    for number in range(2, len(effects) + 1, 4):
        crash_first(project, next(sides), number)
        follow(project, wish, next(follow_ups))


@pytest.mark.exhaustive
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("what", FOLLOW_UPS)
@pytest.mark.parametrize("side", ["before", "after"])
def test_29_30_a_first_deploy_killed_on_either_side_of_every_effect(
    project: Project, side: str, what: str
) -> None:
    wish = Wish("v1", before={"command": ["migrate"]})
    project.write(wish)
    for number in count(1):
        effects = crash_first(project, side, number)
        if number > len(effects):
            return
        follow(project, wish, what)
