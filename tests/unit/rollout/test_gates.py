"""Gates against a clock that tests own: what ends a wait early, what waits, what is told."""

from dataclasses import dataclass, field, replace
from typing import Final

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.time import FakeClock
from underway.errors import StepFailedError
from underway.kernel.executor import Cancelled, StepContext, StepResult
from underway.kernel.world import World
from underway.model.names import AppName, ContainerName, HostName, RunNumber, ServiceName
from underway.model.snapshot import ContainerState, ContainerStatus, Health
from underway.model.step import (
    AwaitContainer,
    AwaitDrained,
    AwaitedState,
    AwaitServers,
    ReplicaRef,
    Verdict,
    Watch,
)
from underway.model.traffic import (
    EdgeState,
    ObservedServer,
    ObservedUpstream,
    ServerMode,
    Sessions,
    Side,
    Upstream,
)
from underway.ports import Engine
from underway.ports.output import LogLine
from underway.rollout.gates import AnyGate, Gates

APP, HOST, WEB, NAME = AppName("libra"), HostName("app1"), ServiceName("web"), ContainerName("w-1")
RUNNING: Final = ContainerState("id-1", NAME, "sha256:1", ContainerStatus.RUNNING)
STARTING: Final = replace(RUNNING, health=Health.STARTING)
HEALTHY: Final = replace(RUNNING, health=Health.HEALTHY)
UNHEALTHY: Final = replace(RUNNING, health=Health.UNHEALTHY)
CRASHED: Final = replace(RUNNING, status=ContainerStatus.RESTARTING, restart_count=1, exit_code=3)


class OneContainer(FakeEngine):
    """An engine with one container whose state the test sets."""

    def __init__(self) -> None:
        super().__init__(HOST)
        self.seen: ContainerState | None = RUNNING
        self.stopped: list[tuple[str, float | None]] = []
        self.checks: tuple[str, ...] = ()

    def container(self, name: str) -> ContainerState | None:
        assert name == NAME
        return self.seen

    def stop(self, name: str, grace_s: float | None) -> None:
        self.stopped.append((name, grace_s))

    def health_log(self, name: str) -> tuple[str, ...]:
        assert name == NAME
        return self.checks

    def logs(self, name: str, **_: object):  # type: ignore[no-untyped-def]
        assert name == NAME
        return iter([LogLine(f"line {i}") for i in range(40)])


@dataclass(slots=True)
class FakeProxy:
    """A proxy of which the test sets what it says."""

    host: HostName = HOST
    check: str = ""
    left: dict[str, Sessions] = field(default_factory=dict)

    def state(self) -> EdgeState:
        server = ObservedServer(NAME, Side.A, "10.0.0.1", 20000, ServerMode.DRAIN, self.check)
        return EdgeState("3.0", (ObservedUpstream(APP, WEB, Side.A, "", (), (server,)),))

    def apply(self, upstream: Upstream, run: RunNumber) -> None:
        raise NotImplementedError

    def remove(self, app: AppName, service: ServiceName | None, run: RunNumber) -> None:
        raise NotImplementedError

    def sessions(self, app: AppName, service: ServiceName) -> dict[str, Sessions]:
        assert (app, service) == (APP, WEB)
        return self.left


@dataclass(slots=True)
class Quay:
    """One host, its proxy, the clock, and the wish to stop."""

    engine: OneContainer = field(default_factory=OneContainer)
    proxy: FakeProxy = field(default_factory=FakeProxy)
    clock: FakeClock = field(default_factory=FakeClock)
    is_cancelled: bool = False

    def later(self, seconds: float, state: ContainerState | None) -> None:
        """The container's state changes after some seconds."""

        def change() -> None:
            self.engine.seen = state

        self.clock.after(seconds, change)

    def wait(self, gate: AnyGate) -> tuple[StepResult, float]:
        """The gate's result and how long it took."""
        engines: dict[HostName, Engine] = {HOST: self.engine}
        world = World(APP, engines, {HOST: self.proxy}, {}, {})
        context = StepContext(lambda *_: None, lambda: self.is_cancelled, lambda: None)
        began = self.clock.time
        result = Gates(world, self.clock)(gate, context)
        return result, self.clock.time - began


def ready(timeout_s: float = 30, monitor_s: float = 5) -> AwaitContainer:
    return AwaitContainer(HOST, NAME, WEB, AwaitedState.READY, timeout_s, monitor_s, "")


def completed(timeout_s: float = 30) -> AwaitContainer:
    return AwaitContainer(HOST, NAME, WEB, AwaitedState.COMPLETED, timeout_s, 0, "")


SERVERS = AwaitServers(HOST, APP, WEB, (ReplicaRef(HOST, NAME),), 30, "")


def test_scenario_12_healthy_early_ends_the_wait_early() -> None:
    quay = Quay()
    quay.engine.seen = STARTING
    quay.later(3, HEALTHY)
    result, taken = quay.wait(ready())
    assert result.verdict is Verdict.PASSED
    assert 3 <= taken < 4


def test_scenario_12_starting_is_not_healthy() -> None:
    quay = Quay()
    quay.engine.seen = STARTING
    with pytest.raises(StepFailedError, match="did not get healthy within 30 s") as caught:
        quay.wait(ready())
    assert caught.value.code == "not-healthy"


def test_scenario_12_what_the_health_check_said_stands_below_its_last_lines() -> None:
    quay = Quay()
    quay.engine.seen = STARTING
    quay.engine.checks = tuple(f"status 1: no {n}" for n in range(5))
    with pytest.raises(StepFailedError) as caught:
        quay.wait(ready())
    assert caught.value.detail[-4:] == (
        "line 39",
        "health check: status 1: no 2",
        "health check: status 1: no 3",
        "health check: status 1: no 4",
    )


def test_scenario_12_unhealthy_waits_the_whole_period_and_never_matches_healthy() -> None:
    quay = Quay()
    quay.engine.seen = UNHEALTHY
    with pytest.raises(StepFailedError):
        quay.wait(ready())
    assert quay.clock.time - 1_000 >= 30


def test_scenario_12_a_replica_may_turn_healthy_after_it_was_unhealthy() -> None:
    quay = Quay()
    quay.engine.seen = UNHEALTHY
    quay.later(20, HEALTHY)
    assert quay.wait(ready())[0].verdict is Verdict.PASSED


def test_scenario_11_a_crash_without_healthcheck_is_caught_and_told_with_last_lines() -> None:
    quay = Quay()
    quay.later(2, CRASHED)
    with pytest.raises(StepFailedError) as caught:
        quay.wait(ready())
    assert caught.value.code == "replica-crashed"
    assert caught.value.detail[-1] == "line 39"
    assert len(caught.value.detail) == 15
    assert quay.clock.time - 1_000 < 4


def test_scenario_11_a_restart_between_two_looks_is_a_crash_too() -> None:
    quay = Quay()
    quay.later(2, replace(RUNNING, restart_count=1))
    with pytest.raises(StepFailedError) as caught:
        quay.wait(ready())
    assert caught.value.code == "replica-crashed"


def test_without_healthcheck_a_replica_must_run_for_monitor() -> None:
    result, taken = Quay().wait(ready(monitor_s=5))
    assert result.verdict is Verdict.PASSED
    assert 5 <= taken < 6


def test_a_container_removed_by_somebody_is_not_waited_for() -> None:
    quay = Quay()
    quay.later(1, None)
    with pytest.raises(StepFailedError, match="removed by somebody"):
        quay.wait(ready())


def test_scenario_16_a_command_that_hangs_is_stopped() -> None:
    quay = Quay()
    with pytest.raises(StepFailedError) as caught:
        quay.wait(completed(timeout_s=10))
    assert caught.value.code == "command-timeout"
    assert quay.engine.stopped == [(NAME, 1)]


@pytest.mark.parametrize("exit_code", [0, 2])
def test_a_command_is_judged_by_its_exit_status(exit_code: int) -> None:
    quay = Quay()
    quay.later(3, replace(RUNNING, status=ContainerStatus.EXITED, exit_code=exit_code))
    if exit_code:
        with pytest.raises(StepFailedError, match="exited with 2"):
            quay.wait(completed())
    else:
        assert quay.wait(completed())[0].verdict is Verdict.PASSED
    assert not quay.engine.stopped


@pytest.mark.parametrize(
    "state",
    [
        None,
        replace(RUNNING, status=ContainerStatus.EXITED, exit_code=3),
        replace(RUNNING, status=ContainerStatus.EXITED),
    ],
)
def test_a_command_of_another_release_has_only_to_end(state: ContainerState | None) -> None:
    quay = Quay()
    quay.later(4, state)
    gate = AwaitContainer(HOST, NAME, WEB, AwaitedState.ENDED, 30, 0, "")
    result, took = quay.wait(gate)
    assert result.verdict is Verdict.PASSED
    assert 4 <= took < 6
    assert not quay.engine.stopped


def test_a_command_of_another_release_that_hangs_is_ended() -> None:
    quay = Quay()
    gate = AwaitContainer(HOST, NAME, WEB, AwaitedState.ENDED, 30, 0, "")
    result, took = quay.wait(gate)
    assert result.verdict is Verdict.PASSED
    assert "30 s" in result.text
    assert 30 <= took < 32
    assert quay.engine.stopped == [(NAME, 1)]


def test_a_replica_is_ready_only_by_the_edge_s_own_check() -> None:
    quay = Quay()
    with pytest.raises(StepFailedError) as caught:
        quay.wait(SERVERS)
    assert caught.value.code == "probe-failed"
    assert "it was not asked yet" in caught.value.message
    quay.clock.after(4, lambda: setattr(quay.proxy, "check", "L7OK"))
    result, taken = quay.wait(SERVERS)
    assert result.verdict is Verdict.PASSED
    assert taken < 6


def test_an_edge_does_not_wait_for_a_replica_that_crashed() -> None:
    quay = Quay()
    quay.later(1, CRASHED)
    with pytest.raises(StepFailedError) as caught:
        quay.wait(SERVERS)
    assert caught.value.code == "replica-crashed"
    assert quay.clock.time - 1_000 < 3


def test_scenario_19_a_drain_waits_for_requests_and_not_for_tunnels() -> None:
    quay = Quay()
    gate = AwaitDrained(HOST, APP, WEB, (NAME,), 30, "")
    quay.proxy.left = {NAME: Sessions(2, 3)}
    quay.clock.after(6, lambda: quay.proxy.left.update({NAME: Sessions(0, 3)}))
    result, taken = quay.wait(gate)
    assert 6 <= taken < 7
    assert result.text == "3 open connections"


def test_scenario_18_a_drain_that_is_over_is_reported_and_passes() -> None:
    quay = Quay()
    quay.proxy.left = {NAME: Sessions(1, 0)}
    result, taken = quay.wait(AwaitDrained(HOST, APP, WEB, (NAME,), 12, ""))
    assert result.verdict is Verdict.PASSED
    assert "12 s" in result.text
    assert 12 <= taken < 13


def test_a_watched_replica_that_turns_unhealthy_fails() -> None:
    quay = Quay()
    quay.engine.seen = HEALTHY
    quay.later(4, UNHEALTHY)
    with pytest.raises(StepFailedError, match="turned unhealthy"):
        quay.wait(Watch(HOST, NAME, WEB, 10, ""))


def test_a_wait_ends_when_the_user_asks_to_stop() -> None:
    quay = Quay()
    quay.engine.seen = STARTING
    quay.clock.after(2, lambda: setattr(quay, "is_cancelled", True))
    with pytest.raises(Cancelled):
        quay.wait(ready())
    assert quay.clock.time - 1_000 < 4
