"""Starting what a suite needs, each after what it waits for, until all are ready."""

from collections.abc import Callable, Iterator
from typing import Final

from underway.image.testing.means import Means
from underway.image.testing.plan import Member, Setting
from underway.model.names import ServiceName
from underway.model.snapshot import ContainerState, ContainerStatus, Health
from underway.model.spec import DependencyCondition
from underway.model.testing import SuiteOutcome, SuiteResult

STABLE_S: Final = 2.0
"""How long a service without HEALTHCHECK must run until it counts as ready."""
_LAST_LINES: Final = 15
_OVER: Final = frozenset({ContainerStatus.EXITED, ContainerStatus.DEAD})


class NeedFailedError(Exception):
    """A service that the suite needs did not get ready: `result` says why."""

    def __init__(self, result: SuiteResult) -> None:
        super().__init__(result.message)
        self.result = result


class Needs:
    """What one suite needs. `start` begins a service, `pause` waits a moment and may raise."""

    def __init__(
        self,
        setting: Setting,
        means: Means,
        start: Callable[[Member, str], None],
        pause: Callable[[str, float, float], None],
    ) -> None:
        self._suite = setting.suite
        self._members = {member.service: member for member in setting.needs}
        self._means = means
        self._start = start
        self._pause = pause
        self._started: set[ServiceName] = set()
        self._ready: set[ServiceName] = set()
        self._steady: dict[tuple[ServiceName, int], float] = {}

    def ready(self) -> None:
        """Start all and wait until each is ready; raises NeedFailedError."""
        clock, limit_s = self._means.clock, self._suite.needs_timeout_s
        began = clock.monotonic()
        while True:
            for name, member in self._members.items():
                if name not in self._started and self._may_start(member):
                    self._start(member, name)
                    self._started.add(name)
            for name in sorted(self._started - self._ready):
                if self._is_ready(self._members[name], clock.monotonic()):
                    self._ready.add(name)
            waiting = [name for name in self._members if name not in self._ready]
            if not waiting:
                return
            elapsed_s = clock.monotonic() - began
            if elapsed_s > limit_s:
                raise self._late(next(n for n in waiting if n in self._started))
            self._pause(f"waits for {', '.join(waiting)}", elapsed_s, limit_s)

    def _may_start(self, member: Member) -> bool:
        return all(
            name in (self._started if condition is DependencyCondition.STARTED else self._ready)
            for name, condition in member.waits_for
            if name in self._members
        )

    def _is_ready(self, member: Member, now: float) -> bool:
        state = self._means.engine.container(member.request.name)
        if state is None:
            raise self._failed(member, "was removed by somebody", "")
        if state.status in _OVER:
            if member.runs_once and state.exit_code == 0:
                return True
            hint = "Its last lines tell why."
            if state.exit_code == 0:
                hint = "A service that runs to its end says so: `x-underway: {run_once: true}`."
            raise self._failed(member, f"ended with status {state.exit_code}", hint)
        if member.runs_once:
            return False
        if state.health is not Health.NONE:
            return state.health is Health.HEALTHY
        return self._is_steady(member, state, now)

    def _is_steady(self, member: Member, state: ContainerState, now: float) -> bool:
        if state.status is not ContainerStatus.RUNNING:
            return False
        since = self._steady.setdefault((member.service, state.restart_count), now)
        return now - since >= STABLE_S

    def _late(self, name: ServiceName) -> NeedFailedError:
        member = self._members[name]
        what = "did not end" if member.runs_once else "did not get healthy"
        return self._failed(
            member,
            f"{what} within {self._suite.needs_timeout_s:g} s",
            "Look at its health check and its last lines; `needs_timeout` gives it more time.",
        )

    def _failed(self, member: Member, what: str, hint: str) -> NeedFailedError:
        result = SuiteResult(
            self._suite.name,
            self._suite.service,
            SuiteOutcome.NEED_FAILED,
            code="test-need-failed",
            message=f"suite {self._suite.name} could not run: {member.service} {what}",
            cause=f"it needs {member.service}",
            hint=hint,
            detail=tuple(self._detail(member)),
        )
        return NeedFailedError(result)

    def _detail(self, member: Member) -> Iterator[str]:
        """Its last lines, and what its health check said last."""
        engine, name = self._means.engine, member.request.name
        if engine.container(name) is None:
            return
        for line in engine.logs(name, tail=_LAST_LINES):
            yield f"{member.service} | {line.text}"
        for said in engine.health_log(name):
            yield f"{member.service} health check: {said}"
