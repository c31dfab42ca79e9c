"""Recovering is for hosts that know nothing of the app, and that answer."""

from dataclasses import replace

import pytest

from tests.fakes.session import simulated
from tests.unit.api.voyages import serving_first, web_pair
from tests.unit.backup.sample import APP, HOST, RELEASE, snapshot
from underway.api.recovering import require_fresh
from underway.errors import RefusedError, UnreachableError
from underway.model.release import LedgerState
from underway.model.snapshot import Snapshot, Unreachable


def require(seen: Snapshot) -> None:
    pair = web_pair()
    session = simulated(serving_first(pair), lambda: pair.new)
    session.spec = replace(session.spec, name=APP)
    require_fresh(session, seen)


def bare(ledger: LedgerState | None = None) -> Snapshot:
    host = replace(snapshot().reachable[0], containers=(), volumes=(), ledger=ledger)
    return Snapshot(APP, (host,))


def test_bare_hosts_are_fresh() -> None:
    require(bare())


def test_what_a_recovery_that_died_recorded_is_no_hindrance() -> None:
    require(bare(LedgerState(HOST, releases=(RELEASE,))))


@pytest.mark.parametrize(
    "seen", [snapshot(), bare(LedgerState(HOST, releases=(RELEASE,), current=RELEASE.number))]
)
def test_hosts_that_run_the_app_are_refused(seen: Snapshot) -> None:
    with pytest.raises(RefusedError) as caught:
        require(seen)
    assert caught.value.code == "recover-not-fresh"
    assert "underway backup restore" in caught.value.hint


def test_a_host_that_does_not_answer_is_told() -> None:
    seen = bare()
    lost = Unreachable(HOST, "no route", hint="look at it")
    with pytest.raises(UnreachableError, match="no route"):
        require(Snapshot(APP, (*seen.hosts, lost)))
