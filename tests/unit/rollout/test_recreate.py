"""Stopping first interrupts exactly when nothing is left that serves meanwhile."""

import pytest

from tests.property.fleets import Pair, hosts, proxied, release, service
from tests.property.voyage import deployed, planned
from underway.model.spec import Strategy, UpdateSpec
from underway.model.step import StartContainer, Watch

HOSTS = hosts(1)


@pytest.mark.parametrize(
    ("old", "new", "parallelism", "is_interrupted"),
    [(2, 2, 1, False), (2, 2, 2, True), (1, 2, 1, True), (3, 4, 2, False), (2, 4, 2, True)],
)
def test_recreating_says_whether_it_interrupts(
    old: int, new: int, parallelism: int, *, is_interrupted: bool
) -> None:
    update = UpdateSpec(parallelism=parallelism)
    before, after = (
        proxied("web", HOSTS, replicas=count, strategy=Strategy.RECREATE, update=update)
        for count in (old, new)
    )
    pair = Pair(release(1, (before,), HOSTS), release(2, (after,), HOSTS))
    fleet = deployed(pair.fleet(), pair.old)
    assert bool(planned(pair.new, fleet.snapshot()).interrupts) is is_interrupted


def test_what_runs_once_is_not_watched_after_its_end() -> None:
    """Its end is what others wait for; `monitor` would take it for a crash."""
    update = UpdateSpec(monitor_s=10, is_monitored=True)
    job = service("job", HOSTS, update=update, runs_once=True)
    made = release(1, (job,), HOSTS)
    steps = tuple(planned(made, Pair(made, made).fleet().snapshot()).steps())
    assert any(isinstance(step, StartContainer) for step in steps)
    assert not any(isinstance(step, Watch) for step in steps)
