"""Before a run plans anything, the proxies it could not ask are up, and asked."""

import threading
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import pytest

from tests.fakes.simulation import Simulation
from tests.fakes.time import FakeClock
from tests.property.fleets import Pair, hosts, proxied, release
from tests.property.voyage import deployed, planned
from underway.api.proxies import bring_proxies
from underway.errors import EngineError, StepFailedError
from underway.kernel.executor import Executor, StepResult
from underway.kernel.telling import Voice
from underway.model.names import EDGE_CONTAINER, HostName
from underway.model.snapshot import ContainerStatus
from underway.model.step import StartContainer, Step

APP1: Final = HostName("app1")


class Run:
    """A course over a simulated fleet; `after` is called with each step that was applied."""

    def __init__(self, after: Callable[[Simulation, Step], None] | None = None) -> None:
        where = hosts(2)
        web = proxied("web", where, replicas=2)
        self.pair = Pair(release(1, (web,), where, edges=2), release(2, (web,), where, edges=2))
        self.fleet = deployed(self.pair.fleet(), self.pair.old)
        self.after = after
        self.applied: list[Step] = []
        clock = FakeClock()
        self.voice = Voice("r", "me", lambda _: None, clock)
        self.cancel = threading.Event()
        self.stop()
        plan = lambda snapshot: planned(self.pair.new, snapshot)  # noqa: E731
        self.course: Any = SimpleNamespace(
            plan=plan,
            executor=lambda lock, _: Executor(self.apply, self.voice, clock, lock, self.cancel),
        )
        self.session: Any = SimpleNamespace(observe=self.fleet.snapshot, app=self.fleet.app)

    def stop(self) -> None:
        boxes = self.fleet.hosts[APP1].boxes
        boxes[EDGE_CONTAINER] = replace(boxes[EDGE_CONTAINER], status=ContainerStatus.EXITED)

    def apply(self, step: Step, _: object) -> StepResult:
        self.fleet.apply(step)
        self.applied.append(step)
        if self.after:
            self.after(self.fleet, step)
        return StepResult()

    def bring(self) -> Any:
        lock: Any = None
        return bring_proxies(self.session, self.course, lock, self.fleet.snapshot())


def test_a_proxy_is_started_once_and_what_it_serves_is_seen() -> None:
    run = Run()
    snapshot = run.bring()
    assert sum(isinstance(step, StartContainer) for step in run.applied) == 1
    assert not run.course.plan(snapshot).replans
    assert all(host.edge and host.edge.upstreams for host in snapshot.reachable)
    before = list(run.applied)
    assert run.bring() == snapshot
    assert run.applied == before


def test_a_proxy_that_does_not_stay_ends_the_run_in_time() -> None:
    def ends(fleet: Simulation, step: Step) -> None:
        if isinstance(step, StartContainer):
            boxes = fleet.hosts[APP1].boxes
            boxes[EDGE_CONTAINER] = replace(boxes[EDGE_CONTAINER], status=ContainerStatus.EXITED)

    with pytest.raises(EngineError, match="does not stay"):
        Run(ends).bring()


def test_a_proxy_that_cannot_be_started_is_told() -> None:
    run = Run()
    error = EngineError("port-taken", "port 80 is taken")

    def refuse(_step: Step, _context: object) -> StepResult:
        raise error

    run.apply = refuse  # type: ignore[method-assign]
    with pytest.raises(EngineError) as caught:
        run.bring()
    assert caught.value is error


def test_ctrl_c_meanwhile_ends_the_run() -> None:
    run = Run()
    run.cancel.set()
    with pytest.raises(StepFailedError, match="interrupted"):
        run.bring()
    assert not run.applied
