"""Use cases over a session that read the site alone: nothing comes of what was not read."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fakes.session import SimulatedRecords, SimulatedSession, simulated, steps_over_simulation
from tests.fakes.simulation import Simulation
from tests.property.fleets import Pair
from tests.property.voyage import deployed
from tests.unit.api.voyages import APP1, WEB, run, serving_first, web_pair
from underway.api import deploy, plan, remove, repair, rollback, ship
from underway.api.deploying import DeployOptions
from underway.errors import ConfigurationError
from underway.model.event import Outcome
from underway.model.names import ReleaseNumber

UNREAD = ConfigurationError("variable-missing", "the file needs variable TAG")


@pytest.fixture(autouse=True)
def over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with steps_over_simulation(monkeypatch):
        yield


def site_alone(fleet: Simulation, pair: Pair) -> SimulatedSession:
    session = simulated(fleet, lambda: pair.new)
    session.spec = replace(session.spec, services=(), volumes=(), networks=())
    session.unread = UNREAD
    return session


def second_serves(pair: Pair) -> Simulation:
    fleet = serving_first(pair)
    fleet.releases[pair.new.number] = pair.new
    deployed(fleet, pair.new)
    for release in (pair.old, pair.new):
        SimulatedRecords(fleet, APP1).record_run(run(release.number))
    return fleet


def test_what_ships_the_file_refuses_and_changes_nothing() -> None:
    pair = web_pair(2)
    fleet = serving_first(pair)
    session = site_alone(fleet, pair)
    before = fleet.snapshot()
    today = DeployOptions(release=pair.old.number, current_secrets=True)
    for use in (
        lambda: deploy(session),
        lambda: plan(session),
        lambda: ship(session),
        lambda: rollback(session, today),
    ):
        with pytest.raises(ConfigurationError) as caught:
            use()
        assert caught.value is UNREAD
    assert fleet.snapshot().hosts == before.hosts


def test_rollback_and_repair_bring_what_was_recorded() -> None:
    pair = web_pair(2)
    fleet = second_serves(pair)
    newer = fleet.serving(APP1, WEB)
    result = rollback(site_alone(fleet, pair))
    assert (result.release, result.outcome) == (pair.old, Outcome.DONE)
    older = fleet.serving(APP1, WEB)
    assert older
    assert not older & newer
    assert repair(site_alone(fleet, pair)).outcome is Outcome.NOTHING_TO_DO
    back = deploy(site_alone(fleet, pair), DeployOptions(release=ReleaseNumber(pair.new.number)))
    assert back.release == pair.new
    assert fleet.serving(APP1, WEB)
    assert not fleet.serving(APP1, WEB) & older


def test_a_removal_needs_no_services_of_the_file() -> None:
    pair = web_pair(2)
    fleet = second_serves(pair)
    remove(site_alone(fleet, pair))
    assert not fleet.serving(APP1, WEB)
    assert remove(site_alone(fleet, pair)).is_empty
