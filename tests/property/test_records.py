"""The records of an app are never taken for absent, wherever a client died."""

from dataclasses import replace
from typing import Final

from tests.property.fleets import Pair, hosts, proxied, release
from tests.property.voyage import ORDERS, deployed, interrupted, planned
from underway.model.snapshot import Role
from underway.model.spec import Mount, MountKind
from underway.model.step import RemoveContainer
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
