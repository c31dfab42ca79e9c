"""Scale, restart, stop and start as use cases over a simulated fleet."""

from collections.abc import Callable, Iterator

import pytest

from tests.fakes.session import SimulatedSession, simulated, steps_over_simulation
from tests.property.fleets import Pair, hosts, release, service
from tests.unit.api.voyages import APP1, WEB, Once, serving_first, web_pair
from underway import api
from underway.errors import EngineError, RefusedError, StepFailedError, UsageError
from underway.model.event import Note, Outcome
from underway.model.names import HostName, ServiceName
from underway.model.release import Adjustment, Release
from underway.model.spec import PortSpec
from underway.model.step import StartContainer, StopContainer


@pytest.fixture(autouse=True)
def over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with steps_over_simulation(monkeypatch):
        yield


def opened(
    pair: Pair | None = None, before_step: Callable[..., None] = lambda _: None
) -> SimulatedSession:
    chosen = pair or web_pair()
    return simulated(serving_first(chosen), lambda: chosen.old, before_step=before_step)


def commands(session: SimulatedSession) -> list[tuple[str, str]]:
    return [(run.command, run.outcome) for run in api.history(session)]


def recorded(session: SimulatedSession) -> tuple[Adjustment, ...]:
    ledger = session.fleet.hosts[APP1].ledger
    assert ledger
    return ledger.adjustments


def test_a_scale_is_a_run_in_the_history_and_holds_until_it_is_taken_back() -> None:
    session = opened()
    assert api.scale(session, {WEB: 4}).outcome is Outcome.DONE
    assert len(session.fleet.running(WEB)) == 4
    assert recorded(session) == (Adjustment(WEB, 4, 2),)
    assert commands(session)[-1] == ("scale web=4", "done")
    assert api.scale(session, {WEB: 4}).outcome is Outcome.NOTHING_TO_DO
    api.repair(session)
    assert len(session.fleet.running(WEB)) == 4
    api.scale(session, {WEB: 2})
    assert len(session.fleet.running(WEB)) == 2
    assert recorded(session) == ()


def test_a_scale_that_fails_is_taken_back_whole() -> None:
    def fail() -> None:
        raise EngineError("no-space", "app1: no space left")

    failing = Once(lambda step: isinstance(step, StartContainer), fail)
    session = opened(before_step=failing)
    with pytest.raises(StepFailedError, match="serves on every host"):
        api.scale(session, {WEB: 4})
    assert failing.is_done
    assert len(session.fleet.running(WEB)) == 2
    assert recorded(session) == ()
    assert api.repair(session).outcome is Outcome.NOTHING_TO_DO


def test_a_stop_is_refused_where_nobody_may_lose_it_and_kept_by_deploys() -> None:
    session = opened()
    with pytest.raises(RefusedError) as raised:
        api.stop(session, (WEB,))
    assert raised.value.code == "interruption"
    assert session.fleet.running(WEB)
    allowed = api.AdjustOptions(allow_interruption=True)
    api.scale(session, {WEB: 3})
    api.stop(session, (), allowed)
    assert not session.fleet.running(WEB)
    assert api.deploy(session).release.number == 2
    assert not session.fleet.running(WEB)
    notes = [event.body.text for event in session.events if isinstance(event.body, Note)]
    assert any("web is stopped on purpose" in text for text in notes)
    with pytest.raises(RefusedError) as stopped:
        api.restart(session, (WEB,))
    assert stopped.value.code == "service-stopped"
    assert api.restart(session, ()).outcome is Outcome.NOTHING_TO_DO
    api.start(session, ())
    assert len(session.fleet.running(WEB)) == 3, "as many as before"
    assert [name for name, _ in commands(session)][-4:] == [
        "scale web=3",
        "stop",
        "deploy",
        "start",
    ]
    api.scale(session, {WEB: 0}, allowed)
    assert recorded(session) == (Adjustment(WEB, 3, 2, is_stopped=True),)
    api.scale(session, {WEB: 1})
    assert len(session.fleet.running(WEB)) == 1


def test_a_restart_replaces_the_named_and_no_others() -> None:
    where = hosts(1)
    both = (*web_pair().old.spec.services, service("worker", where))
    pair = Pair(release(1, both, where), release(2, both, where))
    session = opened(pair)
    worker = ServiceName("worker")
    web, workers = session.fleet.running(WEB), session.fleet.running(worker)
    assert api.restart(session, (WEB,)).outcome is Outcome.DONE
    assert not set(web) & set(session.fleet.running(WEB))
    assert session.fleet.running(worker) == workers
    api.restart(session, ())
    assert not set(workers) & set(session.fleet.running(worker))


def test_a_restart_whose_client_died_is_finished_by_repair() -> None:
    class Died(BaseException):
        pass

    def die() -> None:
        raise Died

    dying = Once(lambda step: isinstance(step, StopContainer), die)
    session = opened(before_step=dying)
    before = set(session.fleet.running(WEB))
    with pytest.raises(Died):
        api.restart(session, (WEB,))
    api.repair(session)
    after = set(session.fleet.running(WEB))
    assert len(after) == 2
    assert not before & after


def odd(**changes: object) -> Release:
    where = hosts(1)
    return release(1, (service("odd", where, **changes),), where)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"is_global": True}, "once on each"),
        ({"is_single_writer": True}, "single writer"),
        ({"ports": (PortSpec(80, 8080),)}, "port of its host"),
    ],
)
def test_what_cannot_run_several_times_is_not_scaled(changes: dict[str, object], said: str) -> None:
    session = opened(Pair(odd(**changes), odd(**changes)))
    with pytest.raises(RefusedError) as raised:
        api.scale(session, {ServiceName("odd"): 2})
    assert raised.value.code == "scale-unfit"
    assert said in raised.value.cause


def test_what_the_app_does_not_have_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        api.scale(opened(), {ServiceName("wbe"): 2})
    options = api.AdjustOptions(skip_hosts=frozenset({HostName("app9")}))
    with pytest.raises(UsageError):
        api.restart(opened(), (), options)
