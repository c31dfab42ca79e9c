"""Interrupt anything: a client that dies or is stopped at any effect leaves what serves alone.

The voyage goes from version to version; each run crashes at another of its effects, then somebody
else, on another machine, goes on, goes back, or only looks.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count, cycle
from pathlib import Path
from typing import Final

import pytest

from lab.load import Load
from tests.e2e.client import Done
from tests.e2e.project import BRISK, GENTLE, Project, Wish

CRASHING: Final = (sys.executable, str(Path(__file__).with_name("crashing_client.py")))
LOCK_FREE_S: Final = 15.0  # three times the promise: engines share the machine
UNRECORDED: Final = {"Lock", "RecordRunBegin"}
SIDES: Final = ("before", "after")
FOLLOW_UPS: Final = ("deploy", "rollback", "nothing")
STRATEGIES: Final = ("blue-green", "rolling")


@dataclass
class Voyage:
    """A project under way, and which effects its clients were crashed at."""

    project: Project
    load: Load
    served: Wish
    visited: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: count(2))

    def next_wish(self) -> Wish:
        return replace(self.served, version=f"v{next(self.numbers)}")

    def crash(self, wish: Wish, how: str, side: str, number: int) -> tuple[Done, list[str]]:
        """Deploy `wish` with a client that ends itself; returns what it did until then."""
        self.project.write(wish)
        journal = self.project.root / f"journal-{wish.version}"
        arguments = (str(journal), how, side, str(number), "deploy")
        with self.project.client.running(*arguments, program=CRASHING) as client:
            done = client.wait()
            self.project.sight.expect_lock_free(LOCK_FREE_S)
        effects = journal.read_text().splitlines() if journal.exists() else []
        if 0 < number <= len(effects):
            self.visited.add(kind_of(effects[number - 1]))
        return done, effects

    def follow(self, what: str, wish: Wish, *, is_begun: bool = True) -> None:
        """Somebody else goes on to `wish`, goes back to what served, or looks and then goes on."""
        client = self.project.elsewhere()
        if what == "rollback" and not is_begun:
            refused = client.run("rollback").expect(4)
            assert "no-older-release" in refused.err, refused
        elif what == "rollback":
            client.run("rollback").expect(0)
            self.project.sight.expect_no_lock()
        else:
            client.run("deploy").expect(0)
            self.project.sight.expect_no_lock()
            self.served = wish
        client.run("status").expect(0)

    def expect_unfinished(self) -> None:
        """Everybody sees that a run was not finished, and how it can be ended."""
        status = self.project.elsewhere().run("status", "--json").expect(11).document()
        kinds = {drift["kind"] for drift in status["drift"]}
        assert "run-unfinished" in kinds, status["drift"]

    def expect_no_loss(self, what: str) -> None:
        found = self.load.snapshot()
        assert not found.lost, f"{what}\n{found.explain()}"


def kind_of(effect: str) -> str:
    return effect.split(maxsplit=1)[0]


def sail(voyage: Voyage, how: str, side: str, number: int, what: str) -> int:
    """One crash and what follows; returns how many effects the run had."""
    wish = voyage.next_wish()
    done, effects = voyage.crash(wish, how, side, number)
    last = effects[-1] if effects else "none"
    told = f"{how} {side} effect {number} ({last}), then {what}: {done}"
    if how == "interrupt":
        settle_interrupted(voyage, wish, done)
        voyage.project.sight.expect_no_lock()
    elif number <= len(effects):
        assert done.code == -9, told
        kind = kind_of(effects[number - 1])
        is_recorded = kind not in UNRECORDED
        is_begun = is_recorded or (kind == "RecordRunBegin" and side == "after")
        is_over = kind == "RecordRunEnd" and side == "after"
        if what == "nothing" and is_recorded and not is_over:
            voyage.expect_unfinished()
        if is_over:
            voyage.served = wish
        else:
            voyage.follow(what, wish, is_begun=is_begun)
    else:
        done.expect(0)
        voyage.served = wish
    voyage.project.sight.expect_settled(voyage.served)
    voyage.expect_no_loss(told)
    return len(effects)


def settle_interrupted(voyage: Voyage, wish: Wish, done: Done) -> None:
    """Ctrl-C ends in order by itself: back before the commit point, forward from it on."""
    done.expect(0, 10, 130)
    if done.code == 0:
        voyage.served = wish
    else:
        assert "interrupted" in done.err, done


@pytest.fixture
def voyage(project: Project, request: pytest.FixtureRequest) -> Iterator[Voyage]:
    strategy: str = request.param
    first = Wish("v1", strategy=strategy)
    project.deploy(first).expect(0)
    with project.load(replace(GENTLE, slow_s=1), profile=BRISK, duration_s=6000) as load:
        yield Voyage(project, load, first)
        load.stop().check()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "voyage", ["blue-green", pytest.param("rolling", marks=pytest.mark.exhaustive)], indirect=True
)
def test_29_30_35_a_client_killed_at_every_kind_of_effect_is_followed_by_anything(
    voyage: Voyage,
) -> None:
    """The first effect of each kind; every one of them is tried exhaustively."""
    _, effects = voyage.crash(clean := voyage.next_wish(), "kill", "before", 0)
    voyage.served = clean
    sides, follow_ups = cycle(SIDES), cycle(FOLLOW_UPS)
    kinds = [kind_of(effect) for effect in effects]
    for number, kind in enumerate(kinds, 1):
        if kind not in voyage.visited:
            sail(voyage, "kill", next(sides), number, next(follow_ups))
    assert voyage.visited >= set(kinds)


@pytest.mark.exhaustive
@pytest.mark.parametrize("voyage", ["rolling"], indirect=True)
def test_30_a_run_that_died_before_it_could_say_it_was_done_counts_as_done(voyage: Voyage) -> None:
    """Deploying again closes its record; rolling back then goes to the release before it."""
    second = voyage.next_wish()
    _, effects = voyage.crash(second, "kill", "before", 0)
    voyage.served = second
    third = voyage.next_wish()
    done, _ = voyage.crash(third, "kill", "before", len(effects))
    done.expect(-9)
    voyage.expect_unfinished()
    voyage.follow("deploy", third)
    fourth = voyage.next_wish()
    voyage.crash(fourth, "kill", "before", len(effects))
    voyage.follow("rollback", fourth)
    voyage.project.sight.expect_settled(third)


@pytest.mark.exhaustive
@pytest.mark.parametrize("voyage", ["rolling"], indirect=True)
def test_6_30_values_of_a_run_that_died_before_its_record_are_nobody_elses(voyage: Voyage) -> None:
    """The next release takes the number that was never recorded, and comes back as itself."""
    _, effects = voyage.crash(clean := voyage.next_wish(), "kill", "before", 0)
    voyage.served = clean
    written = [kind_of(effect) for effect in effects].index("WriteVault") + 1
    voyage.crash(voyage.next_wish(), "kill", "after", written)
    third, fourth = voyage.next_wish(), voyage.next_wish()
    voyage.project.deploy(third).expect(0)
    voyage.project.deploy(fourth).expect(0)
    voyage.project.write(third)
    voyage.project.elsewhere().run("rollback").expect(0)
    voyage.project.sight.expect_settled(third)


@pytest.mark.exhaustive
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("what", FOLLOW_UPS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("voyage", STRATEGIES, indirect=True)
def test_29_30_35_killed_on_either_side_of_every_effect(
    voyage: Voyage, side: str, what: str
) -> None:
    for number in count(1):
        if sail(voyage, "kill", side, number, what) < number:
            return


@pytest.mark.timeout(600)
@pytest.mark.parametrize("voyage", ["blue-green"], indirect=True)
def test_29_ctrl_c_ends_in_order_before_and_after_the_commit_point(voyage: Voyage) -> None:
    _, effects = voyage.crash(clean := voyage.next_wish(), "kill", "before", 0)
    voyage.served = clean
    kinds = [kind_of(effect) for effect in effects]
    for kind in ("Lock", "CreateContainer", "AwaitServers", "SetCurrent", "StopContainer"):
        before = voyage.served
        sail(voyage, "interrupt", "before", kinds.index(kind) + 1, "nothing")
        assert (voyage.served != before) == (kind == "StopContainer"), kind


@pytest.mark.exhaustive
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("voyage", STRATEGIES, indirect=True)
def test_29_ctrl_c_on_either_side_of_every_effect(voyage: Voyage, side: str) -> None:
    """An undo has effects too, so that an interrupted run may have more than one left alone."""
    _, effects = voyage.crash(clean := voyage.next_wish(), "kill", "before", 0)
    voyage.served = clean
    for number in range(1, len(effects) + 1):
        sail(voyage, "interrupt", side, number, "nothing")
    assert voyage.visited >= {kind_of(effect) for effect in effects}
