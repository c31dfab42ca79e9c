"""Two clients at once: one works, the other waits or is told who does; a stale one changes nothing.

A beacon whose gate is shut holds a deploy at its probe for as long as a test wants.
"""

import getpass
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.client import Running, eventually
from tests.e2e.gate import open_gate
from tests.e2e.project import Project, Wish
from tests.e2e.sight import identities

CRASHING: Final = (sys.executable, str(Path(__file__).with_name("crashing_client.py")))
V1: Final = Wish("v1")
GATED: Final = Wish("v2", fail="gate:/tmp/ready", proxy={"deploy_timeout": "200s"})
V3: Final = Wish("v3", strategy="blue-green")
LOCK_DIES_S: Final = 20.0


def await_probed(project: Project, client: Running, version: str) -> None:
    """Wait until all replicas of `version` run and are probed, without passing."""

    def are_probed() -> bool:
        assert not client.is_over, client.wait()
        names = {r.name for r in project.sight.replicas() if r.version == version}
        known = {server.name for server in project.sight.servers("h1")}
        return len(names) == 1 and names <= known

    eventually(are_probed, f"{version} is probed", 60)


def open_gates(project: Project, client: Running, version: str) -> None:
    """Open the gate of every replica of `version` until the client is done."""
    opened: set[str] = set()

    def are_open() -> bool:
        for replica in project.sight.replicas():
            if replica.version == version and replica.id not in opened:
                open_gate(project, replica)
                opened.add(replica.id)
        return client.is_over

    eventually(are_open, "the deploy ends once its gates are open", 90)


def test_03_a_second_deploy_names_the_holder_or_waits_and_plans_anew(project: Project) -> None:
    project.deploy(V1).expect(0)
    with project.load() as load:
        project.write(GATED)
        with project.client.running("deploy") as first:
            await_probed(project, first, "v2")
            project.write(V3)
            other = project.elsewhere()
            told = other.run("deploy").expect(5).err
            for text in (f"{getpass.getuser()}@{platform.node()}", "since 20", "deploy", "locked"):
                assert text in told, told
            assert {r.version for r in project.sight.replicas()} == {"v1", "v2"}
            with other.running("deploy", "--wait", "3m") as second:
                open_gates(project, first, "v2")
                first.wait().expect(0)
                second.wait().expect(0)
        project.sight.expect_settled(V3)
        # Both had planned the same release number: the one that waited took the next.
        document = other.run("history", "--releases", "--json").expect(0).document()
        assert [release["number"] for release in document["releases"]] == [3, 2, 1]
        with project.elsewhere("third").running("rollback") as back:
            open_gates(project, back, "v2")
            back.wait().expect(0)
        project.sight.expect_settled(GATED)
        load.stop().check()


def pause_until(project: Project, client: Running, least_s: float) -> None:
    """Pause a client until its lock has freed itself, and for at least `least_s` seconds."""
    began = time.monotonic()
    client.pause()
    project.sight.expect_lock_free(LOCK_DIES_S)
    eventually(lambda: time.monotonic() - began >= least_s, "the pause is long enough", 2 * least_s)


@pytest.mark.exhaustive
@pytest.mark.parametrize("pause_s", [15, 60])
def test_a_client_paused_in_a_gate_changes_nothing_more(project: Project, pause_s: float) -> None:
    project.deploy(V1).expect(0)
    with project.load() as load:
        project.write(GATED)
        with project.client.running("deploy") as paused:
            await_probed(project, paused, "v2")
            pause_until(project, paused, pause_s)
            project.write(V3)
            project.elsewhere().run("deploy").expect(0)
            expect_changes_nothing(project, paused, V3)
        load.stop().check()


@pytest.mark.parametrize(
    "effect",
    [
        "SetUpstream",
        *(
            pytest.param(effect, marks=pytest.mark.exhaustive)
            for effect in ("CreateContainer", "StopContainer", "RemoveContainer")
        ),
    ],
)
def test_a_client_paused_before_an_effect_changes_nothing_more(
    project: Project, effect: str
) -> None:
    """Wherever it was: the other one has gone back to v1, whose replica it was to retire.

    One replica, so that no other lane has a request half sent when the whole client is paused:
    what was sent before the pause is not taken back by any lock.
    """
    alone = replace(V3, replicas=1)
    project.deploy(replace(V1, replicas=1)).expect(0)
    project.deploy(replace(alone, version="v2")).expect(0)
    wish = replace(alone, version="v1", environment={"BEACON_EXTRA": "1"})
    journal = project.root / "journal"
    number = clean_number(project, wish, effect)
    served = wish
    with project.load() as load:
        project.write(replace(alone, version="v3"))
        arguments = (str(journal), "pause", "before", str(number), "deploy")
        with project.client.running(*arguments, program=CRASHING) as paused:
            eventually(lambda: is_at(journal, number), f"it pauses before {effect}", 60)
            project.sight.expect_lock_free(LOCK_DIES_S)
            project.elsewhere().run("rollback").expect(0)
            expect_changes_nothing(project, paused, served)
        load.stop().check()


def clean_number(project: Project, wish: Wish, effect: str) -> int:
    """Which effect of a deploy like this one is the first of its kind, told by a clean one."""
    project.write(wish)
    journal = project.root / "clean"
    arguments = (str(journal), "kill", "before", "0", "deploy")
    project.client.run(*arguments, program=CRASHING).expect(0)
    kinds = [line.split(maxsplit=1)[0] for line in journal.read_text().splitlines()]
    return kinds.index(effect) + 1


def is_at(journal: Path, number: int) -> bool:
    return journal.exists() and len(journal.read_text().splitlines()) >= number


def expect_changes_nothing(project: Project, paused: Running, served: Wish) -> None:
    """Resume it: it ends with 5, and every container and server is what it was."""
    see: Callable[[], object] = lambda: (  # noqa: E731
        identities(project.sight.containers()),
        project.sight.servers("h1"),
    )
    before = see()
    paused.resume()
    paused.wait(60).expect(5)
    assert see() == before
    project.sight.expect_settled(served)
    project.client.run("status").expect(0)
