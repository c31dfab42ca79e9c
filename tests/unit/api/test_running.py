"""Deploys, repairs and rollbacks over a simulated fleet, with what goes wrong on the way."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.fakes.session import SimulatedRecords, simulated, steps_over_simulation
from tests.fakes.simulation import Behaviour
from tests.property.fleets import Pair, database, hosts, proxied, release
from tests.property.voyage import deployed, planned
from tests.unit.api.voyages import APP1, APP2, WEB, Once, images, run, serving_first, web_pair
from underway.api import deploy, repair, rollback
from underway.api.deploying import DeployOptions
from underway.errors import (
    EngineError,
    NotUndoneError,
    RefusedError,
    StepFailedError,
    UnderwayError,
    UsageError,
)
from underway.model.event import Note, Outcome
from underway.model.names import HostName, ReleaseNumber, ServiceName
from underway.model.release import Release
from underway.model.spec import Strategy, UpdateSpec
from underway.model.step import (
    AwaitServers,
    ConfirmUpstream,
    SetUpstream,
    StartContainer,
    Step,
)


@pytest.fixture(autouse=True)
def over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with steps_over_simulation(monkeypatch):
        yield


def fails(error: UnderwayError) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_an_edge_lost_in_the_undo_keeps_what_it_may_still_send_to() -> None:
    pair = web_pair(3, edges=2, strategy=Strategy.BLUE_GREEN)
    fleet = serving_first(pair)
    refused = Once(
        lambda step: isinstance(step, ConfirmUpstream) and step.host == APP1,
        fails(StepFailedError("edge-differs", "what was read back differs")),
    )

    def lose() -> None:
        fleet.hosts[APP2].is_reachable = False

    lost = Once(
        lambda step: refused.is_done and isinstance(step, SetUpstream) and step.host == APP2, lose
    )

    def before_step(step: Step) -> None:
        refused(step)
        lost(step)

    before = fleet.serving(APP2, WEB)
    with pytest.raises(NotUndoneError, match="could not be taken back whole"):
        deploy(simulated(fleet, lambda: pair.new, before_step=before_step))
    assert lost.is_done
    assert not fleet.violations
    assert len(fleet.serving(APP2, WEB)) >= len(before)
    assert len(fleet.serving(APP1, WEB)) >= len(before)


def test_an_undo_whose_old_replica_does_not_pass_keeps_the_new_one_that_serves() -> None:
    pair = web_pair(1)
    fleet = serving_first(pair)
    old, new = (r.image_of(WEB).config_digest for r in (pair.old, pair.new))
    started: list[str] = []

    def before_step(step: Step) -> None:
        if (
            isinstance(step, StartContainer)
            and fleet.hosts[APP1].boxes[step.container].image == new
        ):
            started.append(step.container)
            if len(started) == 2:
                # What broke the second start broke the old version too.
                fleet.behaviours[old] = Behaviour.NEVER_HEALTHY
                fleet.settle()
                raise StepFailedError("replica-crashed", "it crashed")

    with pytest.raises(NotUndoneError):
        deploy(simulated(fleet, lambda: pair.new, before_step=before_step))
    assert len(started) == 2
    assert fleet.serving(APP1, WEB), "the only replica that serves was stopped"


def test_the_only_host_lost_in_mid_deploy_is_told_as_not_undone() -> None:
    pair = web_pair(1)
    fleet = serving_first(pair)

    def lose() -> None:
        fleet.hosts[APP1].is_reachable = False

    session = simulated(
        fleet,
        lambda: pair.new,
        before_step=Once(lambda step: isinstance(step, AwaitServers), lose),
    )
    with pytest.raises(NotUndoneError) as caught:
        deploy(session)
    assert any("app1" in line for line in caught.value.detail)
    assert "underway rollback 1" in caught.value.hint


def test_scenario_14_a_failure_within_the_ratio_is_told_and_is_no_failure_of_the_run() -> None:
    update = UpdateSpec(parallelism=1, max_failure_ratio=0.25)
    pair = web_pair(1, replicas=4, update=update)
    fleet = serving_first(pair)
    gates: list[str] = []

    def before_step(step: Step) -> None:
        if isinstance(step, AwaitServers) and step.servers[0].container.endswith("-2"):
            gates.append(step.servers[0].container)
            raise StepFailedError("probe-failed", "it does not answer")

    session = simulated(fleet, lambda: pair.new, before_step=before_step)
    assert deploy(session).outcome is Outcome.DONE
    assert len(gates) == 1, "what was tolerated is not waited for again"
    notes = [e.body for e in session.events if isinstance(e.body, Note)]
    assert any(n.code == "replicas-tolerated" and gates[0] in n.text for n in notes)
    assert images(fleet, "web") == {pair.new.image_of(WEB).config_digest}


def test_a_port_that_somebody_else_holds_is_got_past() -> None:
    """A process outside Docker: no snapshot shows it."""
    pair = web_pair(2)
    fleet = serving_first(pair)
    held: set[tuple[str, int]] = set()

    def before_step(step: Step) -> None:
        if not isinstance(step, StartContainer):
            return
        box = fleet.hosts[step.host].boxes[step.container]
        ports = {(step.host, port) for _, port in box.published}
        if not held:
            held.update(ports)
        if ports & held:
            raise EngineError("port-taken", f"{sorted(ports)} is taken")

    session = simulated(fleet, lambda: pair.new, before_step=before_step)
    assert deploy(session).outcome is Outcome.DONE
    assert held
    assert images(fleet, "web") == {pair.new.image_of(WEB).config_digest}


def test_a_repair_that_waited_for_a_deploy_mends_what_that_deploy_left() -> None:
    pair = web_pair(1)
    fleet = serving_first(pair)

    def other_deploys() -> None:
        deployed(fleet, pair.new)
        SimulatedRecords(fleet, APP1).record_run(run(2))

    # It sees release 2 half done, so that there is something to mend.
    steps = list(planned(pair.new, fleet.snapshot()).steps())
    for step in steps[: [isinstance(s, SetUpstream) for s in steps].index(True)]:
        fleet.apply(step)
    result = repair(simulated(fleet, lambda: pair.new, meanwhile=other_deploys))
    assert result.release.number == 2
    assert images(fleet, "web") == {pair.new.image_of(WEB).config_digest}
    ledger = fleet.hosts[APP1].ledger
    assert ledger is not None
    assert ledger.current == 2


def test_a_deploy_that_waited_for_another_keeps_the_images_which_that_one_left() -> None:
    """The other one pulled a newer database; this one changes the web only."""
    where = hosts(1)
    parts = (proxied("web", where, replicas=2), database(where))
    first = release(1, parts, where)
    pulled = release(2, parts, where, versions={"web": 1, "db": 2})
    kept = {1: {"web": 3, "db": 1}, 2: {"web": 3, "db": 2}}
    fleet = serving_first(Pair(first, pulled))

    def shipped() -> Release:
        ledger = fleet.hosts[APP1].ledger
        return release(9, parts, where, versions=kept[ledger.current if ledger else 1])

    def other_deploys() -> None:
        deployed(fleet, pulled)
        SimulatedRecords(fleet, APP1).record_run(run(2))

    options = DeployOptions(allow_interruption=True, wait_s=60)
    result = deploy(simulated(fleet, shipped, meanwhile=other_deploys), options)
    assert result.release.number == 3
    assert images(fleet, "db") == {pulled.image_of(ServiceName("db")).config_digest}
    assert images(fleet, "web") == {result.release.image_of(WEB).config_digest}


def test_a_first_deploy_that_waited_for_another_takes_its_digest_key() -> None:
    """The other one wrote the key and was undone: digests by a key of our own would be refused."""
    pair = web_pair(1)
    fleet = pair.fleet()
    made = []

    def shipped() -> Release:
        made.append(pair.old)
        return pair.old

    def other_fails() -> None:
        deployed(fleet, pair.old)
        ledger = fleet.hosts[APP1].ledger
        assert ledger is not None
        fleet.hosts[APP1].ledger = replace(ledger, current=ReleaseNumber(0))
        fleet.hosts[APP1].vault = (ReleaseNumber(1),)

    session = simulated(fleet, shipped, meanwhile=other_fails)
    made.clear()
    deploy(session)
    assert len(made) == 2, "the release was not made anew with the key of the vault"


def test_hosts_of_an_older_release_are_reached_before_it_is_planned() -> None:
    pair = web_pair(2)
    fleet = serving_first(pair)
    session = simulated(fleet, lambda: pair.new)
    reached: list[HostName] = []
    session.world.reach = lambda hosts: reached.extend(host.name for host in hosts)
    deploy(session, DeployOptions(ReleaseNumber(1)))
    assert reached == [APP1, APP2]


def test_a_rollback_that_waited_for_a_deploy_is_refused() -> None:
    """The release before the current one is another one now."""
    pair = web_pair(1)
    fleet = deployed(serving_first(pair), pair.new)
    SimulatedRecords(fleet, APP1).record_run(run(2))
    third = release(3, pair.new.spec.services, hosts(1))

    def other_deploys() -> None:
        fleet.releases[third.number] = third
        deployed(fleet, third)

    with pytest.raises(RefusedError) as caught:
        rollback(simulated(fleet, lambda: pair.new, meanwhile=other_deploys))
    assert caught.value.code == "plan-stale"
    assert images(fleet, "web") == {third.image_of(WEB).config_digest}


def test_a_host_to_skip_that_the_app_does_not_have_is_an_error_of_usage() -> None:
    pair = web_pair(1)
    session = simulated(serving_first(pair), lambda: pair.new)
    with pytest.raises(UsageError, match="no host `ap1`") as caught:
        deploy(session, DeployOptions(skip_hosts=frozenset({HostName("ap1")})))
    assert caught.value.hint == "Did you mean `app1`?"
