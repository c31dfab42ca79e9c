"""Which hosts may still hold something although the file names them no more."""

from typing import Final

from tests.fakes.simulated_host import FACTS
from tests.property.fleets import hosts, release, service
from underway.kernel.former import former_hosts
from underway.kernel.observe import observe
from underway.kernel.world import World
from underway.model.event import Outcome
from underway.model.names import AppName, HostName, ReleaseNumber, RunNumber
from underway.model.release import LedgerState, Release, RunRecord
from underway.model.snapshot import Unreachable
from underway.model.spec import HostSpec

A1, A2, A3 = (HostName(f"app{i}") for i in (1, 2, 3))
ALL: Final = hosts(3)


def names(found: tuple[HostSpec, ...]) -> list[str]:
    return [host.name for host in found]


def on(number: int, *where: HostName) -> Release:
    chosen = tuple(host for host in ALL if host.name in where)
    return release(number, (service("web", chosen),), chosen)


def ran(number: int, released: int, outcome: str, current: int) -> RunRecord:
    ended = "t2" if outcome else ""
    return RunRecord(
        RunNumber(number),
        "deploy",
        ReleaseNumber(released),
        "me",
        "t",
        ended,
        outcome,
        current=ReleaseNumber(current),
    )


def ledger(releases: tuple[Release, ...], *runs: RunRecord, current: int = 1) -> LedgerState:
    return LedgerState(A1, releases, runs, current=ReleaseNumber(current))


DONE: Final = Outcome.DONE.value


def test_a_host_of_the_current_release_that_the_file_lacks_is_asked() -> None:
    found = ledger((on(1, A1, A2),), ran(1, 1, DONE, 1))
    assert names(former_hosts([found], {A1})) == ["app2"]
    assert names(former_hosts([found], {A1, A2})) == []


def test_a_host_that_a_finished_run_has_left_is_asked_no_more() -> None:
    both = (on(1, A1, A2), on(2, A1))
    found = ledger(both, ran(1, 1, DONE, 1), ran(2, 2, DONE, 2), current=2)
    assert names(former_hosts([found], {A1})) == []


def test_a_run_that_did_not_end_well_leaves_the_hosts_of_both_releases() -> None:
    both = (on(1, A1, A2), on(2, A1, A3))
    for outcome, current in (("", 0), (Outcome.NOT_UNDONE.value, 2), (Outcome.UNDONE.value, 1)):
        found = ledger(both, ran(1, 1, DONE, 1), ran(2, 2, outcome, current), current=2)
        assert names(former_hosts([found], {A1})) == ["app2", "app3"]


def test_before_any_run_has_ended_every_recorded_release_counts() -> None:
    assert names(former_hosts([ledger((on(1, A1, A2), on(2, A1, A3)))], {A1})) == ["app2", "app3"]


def test_the_ledger_that_saw_the_newest_run_counts() -> None:
    both = (on(1, A1, A2), on(2, A1))
    new = ledger(both, ran(1, 1, DONE, 1), ran(2, 2, DONE, 2), current=2)
    old = LedgerState(A3, both[:1], (ran(1, 1, DONE, 1),), current=ReleaseNumber(1))
    assert names(former_hosts([old, new], {A1, A3})) == []


def test_nothing_recorded_names_nobody() -> None:
    assert former_hosts([], {A1}) == ()


def test_observing_reaches_for_them_and_a_lost_one_is_unreachable() -> None:
    lost = {A1: Unreachable(A1, "cut off")}
    asked: list[tuple[str, ...]] = []

    def reach(found: object) -> None:
        asked.append(tuple(host.name for host in found))  # type: ignore[attr-defined]

    world = World(AppName("libra"), {}, {}, {}, {}, lost, reach=reach)
    assert [u.name for u in observe(world, now=0).unreachable] == ["app1"]
    assert asked == [()]
    assert FACTS
