"""What became of each release, as the records of runs tell."""

from tests.fakes.simulated_host import FACTS
from tests.property.fleets import hosts, proxied, release
from underway.api.past import standing_of
from underway.model.names import HostName, ReleaseNumber, RunNumber
from underway.model.release import LedgerState, RunRecord
from underway.model.snapshot import HostState, Snapshot
from underway.model.status import ReleaseStanding

A1, ONE = HostName("app1"), hosts(1)


def ran(number: int, brought: int, outcome: str, current: int) -> RunRecord:
    ended = "t2" if outcome else ""
    release_number, serves = ReleaseNumber(brought), ReleaseNumber(current)
    return RunRecord(
        RunNumber(number), "deploy", release_number, "me", "t1", ended, outcome, current=serves
    )


def test_a_release_that_never_served_is_told_from_one_that_did() -> None:
    recorded = tuple(release(number, (proxied("web", ONE),), ONE) for number in range(1, 6))
    runs = (
        ran(1, 1, "done", 1),
        ran(2, 2, "done", 2),
        ran(3, 3, "undone", 2),
        ran(4, 5, "", 0),
    )
    ledger = LedgerState(A1, recorded, runs, current=ReleaseNumber(2))
    snapshot = Snapshot(recorded[0].spec.name, (HostState(A1, FACTS, ledger=ledger),))
    assert {n: standing_of(snapshot, ReleaseNumber(n)) for n in range(1, 6)} == {
        1: ReleaseStanding.RAN,
        2: ReleaseStanding.CURRENT,
        3: ReleaseStanding.FAILED,
        4: ReleaseStanding.SHIPPED,
        5: ReleaseStanding.UNFINISHED,
    }
