"""Removals and prunes over a simulated fleet, interrupted and failing ones among them."""

from collections.abc import Callable, Iterator

import pytest

from tests.fakes.session import SimulatedRecords, SimulatedSession, simulated, steps_over_simulation
from tests.property.fleets import Pair, hosts, proxied, release
from tests.property.voyage import deployed
from tests.unit.api.voyages import APP1, WEB, Once, images, run, serving_first, web_pair
from underway.api import deploy, prune, remove, ship
from underway.api.deploying import DeployOptions
from underway.errors import (
    EngineError,
    NotUndoneError,
    StepFailedError,
)
from underway.model.event import Outcome, RunFinished, RunStarted
from underway.model.names import ReleaseNumber
from underway.model.step import (
    AwaitDrained,
    RemoveImage,
    Step,
)


@pytest.fixture(autouse=True)
def over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with steps_over_simulation(monkeypatch):
        yield


def test_a_removal_that_is_interrupted_is_not_told_as_done() -> None:
    pair = web_pair(1)
    fleet = serving_first(pair)
    session = simulated(fleet, lambda: pair.old)
    session.before_step = Once(lambda step: isinstance(step, AwaitDrained), session.cancel.set)
    with pytest.raises(NotUndoneError) as caught:
        remove(session)
    assert (caught.value.code, caught.value.cause) == ("not-removed", "interrupted")
    assert images(fleet, "web")


def pruning(before_step: Callable[[SimulatedSession, Step], None]) -> SimulatedSession:
    """A session in which the image of release 1 is to be pruned."""
    where = hosts(1)
    releases = [release(n, (proxied("web", where),), where) for n in range(1, 6)]
    fleet = serving_first(Pair(releases[0], releases[1]))
    for made in releases[1:]:
        fleet.releases[made.number] = made
        deployed(fleet, made)
        SimulatedRecords(fleet, APP1).record_run(run(made.number))
    session = simulated(fleet, lambda: releases[-1])
    session.before_step = lambda step: before_step(session, step)
    return session


def test_a_prune_that_fails_is_not_told_as_done() -> None:
    def refuse(_: SimulatedSession, step: Step) -> None:
        assert isinstance(step, RemoveImage)
        raise EngineError("engine-refused", "the engine keeps it")

    with pytest.raises(EngineError, match="keeps it"):
        prune(pruning(refuse))


def test_a_prune_that_is_interrupted_is_not_told_as_done() -> None:
    with pytest.raises(StepFailedError) as caught:
        prune(pruning(lambda session, _: session.cancel.set()))
    assert caught.value.code == "interrupted"


def test_scenario_36_prune_keeps_what_was_shipped_for_later() -> None:
    pair = web_pair(1)
    fleet = serving_first(pair)
    assert ship(simulated(fleet, lambda: pair.new)).number == 2
    assert prune(simulated(fleet, lambda: pair.new)).is_empty
    result = deploy(simulated(fleet, lambda: pair.new), DeployOptions(ReleaseNumber(2)))
    assert result.outcome is Outcome.DONE
    assert images(fleet, "web") == {pair.new.image_of(WEB).config_digest}


def test_removals_and_prunes_tell_that_they_began_and_how_they_ended() -> None:
    pair = web_pair(1)
    session = simulated(serving_first(pair), lambda: pair.old)
    prune(session)
    remove(session)
    told = [e.body for e in session.events if isinstance(e.body, RunStarted | RunFinished)]
    assert [body.command for body in told if isinstance(body, RunStarted)] == ["prune", "remove"]
    ends = [body.outcome for body in told if isinstance(body, RunFinished)]
    assert ends == [Outcome.NOTHING_TO_DO, Outcome.DONE]
