"""The records of an app are never taken for absent, wherever a client died."""

from dataclasses import replace
from typing import Final

from tests.property.fleets import Pair, hosts, proxied, release
from tests.property.voyage import ORDERS, deployed, interrupted, planned
from underway.model.snapshot import Role
from underway.model.spec import Mount, MountKind
from underway.model.step import RemoveContainer, WriteVault
from underway.rollout.naming import anchor_name

DATA: Final = Mount(MountKind.VOLUME, "data", "/data")


def with_new_volume(count: int) -> Pair:
    where = hosts(count)
    web = proxied("web", where, replicas=count)
    wider = replace(web, mounts=(DATA,))
    return Pair(release(1, (web,), where), release(2, (wider,), where, versions={"web": 1}))


def test_every_interruption_leaves_the_current_release_readable() -> None:
    for count in (1, 3):
        pair = with_new_volume(count)
        fleet = deployed(pair.fleet(), pair.old)
        for order in ORDERS:
            steps = order(planned(pair.new, fleet.snapshot()))
            assert any(isinstance(s, RemoveContainer) and "anchor" in s.container for s in steps)
            for where, state in interrupted(fleet, steps):
                for host in state.snapshot().reachable:
                    assert host.ledger is not None, where
                    assert host.ledger.current in {1, 2}, where


def test_on_a_fleet_some_anchor_runs_at_every_moment() -> None:
    pair = with_new_volume(3)
    fleet = deployed(pair.fleet(), pair.old)
    for order in ORDERS:
        now = fleet.fork()
        for step in order(planned(pair.new, now.snapshot())):
            now.apply(step)
            running = [h for h in now.hosts.values() if h.has_running(Role.ANCHOR.value)]
            assert running, f"no {anchor_name(now.app)} runs after {step}"


def test_values_whose_release_was_never_recorded_are_written_anew_for_the_next_of_that_number() -> (
    None
):
    where = hosts(2)
    web = proxied("web", where, replicas=2)
    old, dead, new = (
        release(number, (web,), where, value=value)
        for number, value in ((1, "first"), (2, "died"), (2, "next"))
    )
    fleet = deployed(Pair(old, dead).fleet(), old)
    met = 0
    for order in ORDERS:
        for where_died, state in interrupted(fleet, order(planned(dead, fleet.snapshot()))):
            snapshot = state.snapshot()
            written = {s.host for s in planned(new, snapshot).steps() if isinstance(s, WriteVault)}
            for host in snapshot.reachable:
                assert host.ledger is not None
                is_recorded = 2 in {entry.number for entry in host.ledger.releases}
                met += 2 in host.vault and not is_recorded
                assert is_recorded or host.name in written, f"{where_died}: {host.name}"
    assert met, "no client died between the values and their record"
