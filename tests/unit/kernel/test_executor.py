"""Walking plans: lanes side by side, the first failure, undo, the lock, cancellation, tolerance."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import pytest

from tests.fakes.time import FakeClock
from underway.errors import LockLostError, StepFailedError, UnreachableError
from underway.kernel.executor import Cancelled, Executor, StepContext, StepResult, Walk
from underway.kernel.telling import Voice
from underway.model.event import Event, StepFinished
from underway.model.names import AppName, ContainerName, HostName, ReleaseNumber, ServiceName
from underway.model.plan import Lane, Plan, Stage
from underway.model.spec import ProxySpec
from underway.model.step import (
    AwaitContainer,
    AwaitedState,
    AwaitServers,
    RemoveContainer,
    ReplicaRef,
    SetCurrent,
    SetUpstream,
    StartContainer,
    Step,
    StopContainer,
    Verdict,
)
from underway.model.traffic import Side, Upstream

WEB = ServiceName("web")
LIMIT_S = 10


@dataclass(slots=True)
class FakeLock:
    """A lock that is lost after so many looks."""

    looks_left: int = 10_000

    def check(self, host: HostName | None = None) -> None:
        del host
        self.looks_left -= 1
        if self.looks_left < 0:
            raise LockLostError("lock-lost", "the lock is gone")

    def release(self) -> None:
        self.looks_left = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@dataclass(slots=True)
class Crew:
    """Applies steps by name: some fail, some do something first; remembers what was done."""

    failing: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    doing: dict[str, Callable[[StepContext], None]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)

    def __call__(self, step: Step, context: StepContext) -> StepResult:
        name = str(getattr(step, "container", ""))
        if step.host in self.lost:
            raise UnreachableError("host-unreachable", f"{step.host} does not answer")
        if step.cause in self.failing:
            raise StepFailedError("disk-full", f"no space for the {step.cause}")
        if name in self.doing:
            self.doing[name](context)
        if name in self.failing:
            raise StepFailedError("replica-crashed", f"{name} crashed")
        self.done.append(name)
        self.steps.append(step)
        return StepResult(Verdict.PASSED)

    def run(self, plan: Plan, *, is_undo: bool = False, lock: FakeLock | None = None) -> Walk:
        clock = FakeClock()
        voice = Voice("run-1", "tester", self.events.append, clock)
        executor = Executor(self, voice, clock, lock, self.cancel)
        return executor.run(plan, is_undo=is_undo)


def start(name: str, host: str = "app1") -> StartContainer:
    return StartContainer(HostName(host), ContainerName(name), "test")


def gate(name: str, until: AwaitedState = AwaitedState.READY) -> AwaitContainer:
    return AwaitContainer(HostName("app1"), ContainerName(name), WEB, until, 10, 1, "test")


def stage(*lanes: tuple[Step, ...], is_commit: bool = False) -> Stage:
    return Stage("stage", tuple(Lane(lane[0].host, lane) for lane in lanes), is_commit)


def plan(*stages: Stage, tolerance: int = 0) -> Plan:
    allowed = ((WEB, tolerance),) if tolerance else ()
    return Plan(AppName("libra"), ReleaseNumber(2), "goal", stages, tolerances=allowed)


def test_lanes_of_a_stage_run_side_by_side() -> None:
    meeting = threading.Barrier(3, timeout=LIMIT_S)
    crew = Crew(doing={n: lambda _: meeting.wait() and None for n in ("a", "b", "c")})
    walk = crew.run(plan(stage((start("a"),), (start("b"),), (start("c", "app2"),))))
    assert walk.is_whole
    assert sorted(crew.done) == ["a", "b", "c"]


def test_a_stage_ends_on_every_lane_before_the_next_begins() -> None:
    crew = Crew()
    crew.run(plan(stage((start("a1"), start("a2")), (start("b1"),)), stage((start("c1"),))))
    assert crew.done[-1] == "c1"
    assert crew.done.index("a1") < crew.done.index("a2")


def test_the_first_failure_ends_other_lanes_after_the_step_they_are_in() -> None:
    failed = threading.Event()
    has_begun = threading.Event()

    def fail(_: StepContext) -> None:
        assert has_begun.wait(LIMIT_S)
        failed.set()

    def go_on_until_told(context: StepContext) -> None:
        has_begun.set()
        assert failed.wait(LIMIT_S)
        ended = threading.Event()
        for _ in range(1_000):
            if context.is_cancelled():
                return
            ended.wait(0.01)
        raise AssertionError("nobody told the other lane")

    crew = Crew(failing=frozenset({"a1"}), doing={"a1": fail, "b1": go_on_until_told})
    walk = crew.run(
        plan(stage((start("a1"), start("a2")), (start("b1"), start("b2"))), stage((start("c"),)))
    )
    assert crew.done == ["b1"]
    assert [str(failure.error) for failure in walk.failures] == ["a1 crashed [replica-crashed]"]


def test_undo_goes_on_past_failures_and_tells_them_all() -> None:
    crew = Crew(failing=frozenset({"a1", "c"}))
    walk = crew.run(
        plan(
            stage((start("a1"), start("a2")), (start("b1"),)), stage((start("c"),), (start("d"),))
        ),
        is_undo=True,
    )
    assert sorted(crew.done) == ["b1", "d"]
    assert len(walk.failures) == 2


def test_undo_ignores_the_wish_to_stop() -> None:
    crew = Crew()
    crew.cancel.set()
    assert crew.run(plan(stage((start("a"),))), is_undo=True).is_whole
    assert crew.done == ["a"]


def test_a_lost_lock_is_raised_and_nothing_more_changes() -> None:
    crew = Crew()
    with pytest.raises(LockLostError):
        crew.run(plan(stage((start("a"), start("b"), start("c")))), lock=FakeLock(2))
    assert crew.done == ["a", "b"]


def test_cancellation_before_the_commit_point_stops() -> None:
    crew = Crew()
    crew.doing["a"] = lambda _: crew.cancel.set()
    walk = crew.run(plan(stage((start("a"), start("b"))), stage((start("c"),), is_commit=True)))
    assert crew.done == ["a"]
    assert walk.is_cancelled
    assert not walk.failures
    assert not walk.is_committed


def test_cancellation_after_the_commit_point_is_ignored() -> None:
    crew = Crew()
    crew.doing["a"] = lambda _: crew.cancel.set()
    walk = crew.run(plan(stage((start("a"),), is_commit=True), stage((start("b"),))))
    assert crew.done == ["a", "b"]
    assert walk.is_whole
    assert walk.is_committed


@pytest.mark.parametrize(
    ("failing", "done", "is_whole"),
    [
        ({"w2"}, ["w1", "w3", "w4", "w5"], True),
        ({"w1", "w3"}, ["w2"], False),
    ],
)
def test_scenario_14_ratio_of_a_quarter_of_five_stops_after_the_second_failure(
    failing: set[str], done: list[str], *, is_whole: bool
) -> None:
    crew = Crew(failing=frozenset(failing))
    stages = [stage((gate(f"w{i}"),)) for i in range(1, 6)]
    walk = crew.run(plan(*stages, tolerance=int(0.25 * 5)))
    assert crew.done == done
    assert walk.is_whole is is_whole
    verdicts = [e.body.verdict for e in crew.events if isinstance(e.body, StepFinished)]
    assert verdicts.count("tolerated") == 1


def test_a_replica_that_fails_at_two_edges_is_one_failure() -> None:
    refs = (ReplicaRef(HostName("app1"), ContainerName("w1")),)
    at = [AwaitServers(HostName(h), AppName("libra"), WEB, refs, 1, "") for h in ("app1", "app2")]
    crew = Crew(failing=frozenset({""}))
    assert crew.run(plan(stage((at[0],)), stage((at[1],)), tolerance=1)).is_whole


def test_no_tolerance_covers_a_before_that_failed() -> None:
    crew = Crew(failing=frozenset({"before"}))
    walk = crew.run(plan(stage((gate("before", AwaitedState.COMPLETED),)), tolerance=3))
    assert len(walk.failures) == 1


def test_a_cancelled_gate_is_no_tolerated_failure() -> None:
    crew = Crew()

    def cancelled(_: StepContext) -> None:
        crew.cancel.set()
        raise Cancelled("interrupted", "interrupted while waiting")

    crew.doing["w1"] = cancelled
    walk = crew.run(plan(stage((gate("w1"),)), tolerance=3))
    assert walk.is_cancelled
    assert not walk.is_whole


def test_a_bug_in_a_step_is_a_failure_with_its_cause() -> None:
    def crash(_: StepContext) -> None:
        raise ZeroDivisionError("oops")

    walk = Crew(doing={"a": crash}).run(plan(stage((start("a"),))))
    (failure,) = walk.failures
    assert failure.error.code == "bug"
    assert isinstance(failure.error.__cause__, ZeroDivisionError)


def route(service: str, host: str) -> SetUpstream:
    upstream = Upstream(AppName("libra"), ServiceName(service), ProxySpec(("x.test",), 80), Side.A)
    return SetUpstream(HostName(host), upstream, "test")


def routed(crew: Crew) -> list[tuple[str, str]]:
    """Host and service of the upstreams that were set."""
    steps = [step for step in crew.steps if isinstance(step, SetUpstream)]
    return [(step.host, step.upstream.service) for step in steps]


def stop(name: str) -> StopContainer:
    return StopContainer(
        HostName("app1"), ContainerName(name), ContainerName(f"{name}-retired"), 10, "test"
    )


def test_an_undo_moves_no_traffic_to_what_did_not_pass_and_takes_nothing_away_then() -> None:
    """The other service goes back all the same."""
    crew = Crew(failing=frozenset({"old"}))
    moves = stage((route("web", "app1"),), (route("api", "app2"),))
    walk = crew.run(plan(stage((gate("old"),)), moves, stage((stop("new"),))), is_undo=True)
    assert routed(crew) == [("app2", "api")]
    assert "new" not in crew.done
    assert len(walk.failures) == 1
    assert not walk.is_whole


def test_an_undo_that_loses_a_host_is_planned_anew_before_traffic_moves_again() -> None:
    """The lost one may be an edge, and go on sending to what the plan would stop."""
    crew = Crew(lost=frozenset({"app2"}))
    first = stage((route("web", "app1"),), (route("web", "app2"),))
    walk = crew.run(
        plan(first, stage((route("api", "app1"),)), stage((stop("new"),))), is_undo=True
    )
    assert routed(crew) == [("app1", "web")]
    assert "new" not in crew.done
    assert len(walk.failures) == 1


def test_a_record_that_cannot_be_written_keeps_no_undo_from_moving_traffic() -> None:
    crew = Crew(failing=frozenset({"ledger"}))
    record = SetCurrent(HostName("app1"), ReleaseNumber(1), (), "ledger")
    crew.run(plan(stage((record,)), stage((route("web", "app1"),))), is_undo=True)
    assert routed(crew) == [("app1", "web")]


def test_steps_after_a_failed_one_in_a_lane_are_left_even_in_an_undo() -> None:
    remove = RemoveContainer(HostName("app1"), ContainerName("gone"), "test")
    crew = Crew(failing=frozenset({"a"}))
    crew.run(plan(stage((start("a"), remove))), is_undo=True)
    assert crew.done == []
