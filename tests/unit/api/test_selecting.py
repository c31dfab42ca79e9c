"""`--only` over a simulated fleet: deploys, plans and rollbacks of a part, and what they leave."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fakes.session import SimulatedRecords, SimulatedSession, simulated, steps_over_simulation
from tests.fakes.simulation import Behaviour, Simulation
from tests.property.fleets import Pair, hosts, proxied, release, service, with_secret
from tests.unit.api.voyages import APP1, images, run, serving_first
from underway.api import ShipWish, deploy, plan, rollback
from underway.api.deploying import DeployOptions
from underway.api.selecting import shipped_only
from underway.api.session import current_release
from underway.api.testing import Purpose
from underway.errors import RefusedError, StepFailedError, UsageError
from underway.model.event import Note, Outcome
from underway.model.names import ReleaseNumber, SensitiveName, ServiceName
from underway.model.release import Release
from underway.model.sensitive import Sensitive
from underway.model.spec import BeforeSpec, EnvVar

WHERE = hosts(2)
WEB, WORKER = ServiceName("web"), ServiceName("worker")
ONLY_WEB = DeployOptions(only=frozenset({WEB}))
SECRET = SensitiveName("secret/key")


@pytest.fixture(autouse=True)
def over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with steps_over_simulation(monkeypatch):
        yield


def a_pair(**changes: object) -> Pair:
    web, worker = proxied("web", WHERE, replicas=2), service("worker", WHERE, replicas=2, **changes)
    worker_new = replace(worker, environment=(EnvVar("COLOR", "green"),))
    return Pair(release(1, (web, worker), WHERE), release(2, (web, worker_new), WHERE))


def session_of(fleet: Simulation, pair: Pair) -> SimulatedSession:
    made = simulated(fleet, lambda: pair.new)
    made.values = {SECRET: Sensitive(b"s1")}
    return made


def digests(*releases: tuple[Release, ServiceName]) -> set[str]:
    return {one.image_of(name).config_digest for one, name in releases}


def test_a_part_is_deployed_the_rest_is_told_and_the_whole_completes_it() -> None:
    pair = a_pair()
    fleet = serving_first(pair)
    workers = fleet.running(WORKER)
    session = session_of(fleet, pair)
    result = deploy(session, ONLY_WEB)
    assert (result.outcome, result.release.number) == (Outcome.DONE, 2)
    assert images(fleet, "web") == digests((pair.new, WEB))
    assert fleet.running(WORKER) == workers
    notes = [event.body.text for event in session.events if isinstance(event.body, Note)]
    assert "worker is left as release 1 has it: environment COLOR added" in notes
    assert deploy(session_of(fleet, pair), ONLY_WEB).outcome is Outcome.NOTHING_TO_DO
    whole = deploy(session_of(fleet, pair))
    assert whole.release.number == 3
    assert images(fleet, "worker") == digests((pair.new, WORKER))


def test_a_plan_of_a_part_says_what_is_left() -> None:
    pair = a_pair()
    fleet = serving_first(pair)
    made = plan(session_of(fleet, pair), ONLY_WEB)
    assert [change.service for change in made.changes] == [WEB]
    assert made.remarks[0] == "worker is left as release 1 has it: environment COLOR added"


def test_a_part_that_fails_goes_back_to_what_served() -> None:
    pair = a_pair()
    fleet = serving_first(pair)
    before = fleet.running(WEB), fleet.running(WORKER)
    fleet.behaviours[pair.new.image_of(WEB).config_digest] = Behaviour.NEVER_HEALTHY
    with pytest.raises(StepFailedError):
        deploy(session_of(fleet, pair), ONLY_WEB)
    assert (fleet.running(WEB), fleet.running(WORKER)) == before
    current = current_release(fleet.snapshot())
    assert current is not None
    assert current.number == 1


def second_serves(pair: Pair) -> Simulation:
    fleet = serving_first(pair)
    deploy(session_of(fleet, pair))
    assert images(fleet, "worker") >= digests((pair.new, WORKER))
    return fleet


@pytest.mark.parametrize("command", ["rollback", "deploy"])
def test_a_service_goes_back_alone(command: str) -> None:
    pair = a_pair()
    fleet = second_serves(pair)
    workers = fleet.running(WORKER)
    back = replace(ONLY_WEB, release=ReleaseNumber(1))
    result = (rollback if command == "rollback" else deploy)(session_of(fleet, pair), back)
    assert result.release.number == 3
    assert images(fleet, "web") == digests((pair.old, WEB))
    assert fleet.running(WORKER) == workers


def test_no_service_goes_back_alone_past_its_before() -> None:
    pair = a_pair(before=BeforeSpec(("migrate",)))
    fleet = second_serves(pair)
    only = DeployOptions(release=ReleaseNumber(1), only=frozenset({WORKER}))
    for use in (rollback, deploy):
        with pytest.raises(RefusedError) as caught:
            use(session_of(fleet, pair), only)
        assert caught.value.code == "only-entangled"
        assert "underway rollback 1" in caught.value.hint
    assert (
        rollback(session_of(fleet, pair), replace(only, only=frozenset({WEB}))).outcome
        is Outcome.DONE
    )


def test_a_value_that_both_sides_use_is_not_changed_for_one() -> None:
    web, worker = (with_secret(one) for one in (proxied("web", WHERE), service("worker", WHERE)))
    pair = Pair(release(1, (web, worker), WHERE), release(2, (web, worker), WHERE, value="s2"))
    fleet = deployed_with_vault(pair)
    session = simulated(fleet, lambda: pair.new)
    session.values = {SECRET: Sensitive(b"s2")}
    with pytest.raises(RefusedError) as caught:
        deploy(session, ONLY_WEB)
    assert caught.value.cause == SECRET
    assert "s2" not in f"{caught.value}{caught.value.hint}"
    session.values = {SECRET: Sensitive(b"s1")}
    assert deploy(session, ONLY_WEB).outcome is Outcome.DONE


def deployed_with_vault(pair: Pair) -> Simulation:
    fleet = serving_first(pair)
    SimulatedRecords(fleet, APP1).record_run(run(1))
    return fleet


def test_an_image_that_is_left_out_is_not_pulled() -> None:
    pair = a_pair()
    fleet = serving_first(pair)
    with pytest.raises(UsageError, match="--pull worker"):
        shipped_only(
            session_of(fleet, pair),
            fleet.snapshot(),
            frozenset({WEB}),
            wish=ShipWish(frozenset({WORKER})),
            purpose=Purpose.PLAN,
        )
