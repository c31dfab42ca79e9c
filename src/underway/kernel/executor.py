"""Walk a plan: stages in sequence, lanes in parallel, steps of a lane in sequence.

Before every step the lock and the wish to stop are checked. The first failure ends the other
lanes after the step they are in. An undo runs by the same code: it ignores cancellation, goes on
past failures, and reports them all; what a failure makes unsafe is left for the next plan.
"""

import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from underway.errors import (
    BugError,
    LockLostError,
    StepFailedError,
    UnderwayError,
    UnreachableError,
)
from underway.kernel.concern import (
    RECORDS,
    TAKES_AWAY,
    judged_replicas,
    service_of,
    subject_of,
)
from underway.kernel.telling import Voice
from underway.model.event import (
    PlanMade,
    StageFinished,
    StageStarted,
    StepFailed,
    StepFinished,
    StepProgress,
    StepStarted,
)
from underway.model.names import ContainerName, HostName, ServiceName
from underway.model.plan import Lane, Plan, Stage
from underway.model.step import RemoveUpstream, SetUpstream, Step, Verdict
from underway.ports import Clock
from underway.ports.locking import Lock

MOST_LANES_AT_ONCE: Final = 32


class Cancelled(StepFailedError):  # noqa: N818 -- it is a wish of the user, not an error
    """The user asked to stop."""


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step may use while it is applied.

    `progress` tells (done, total, text); `is_cancelled` ends a wait early; `check` raises
    LockLostError when the lock is gone and must be called before a late effect.
    """

    progress: Callable[[float, float, str], None]
    is_cancelled: Callable[[], bool]
    check: Callable[[], None]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step came to. `verdict` is None unless it is a gate."""

    verdict: Verdict | None = None
    text: str = ""
    error: UnderwayError | None = None


Apply = Callable[[Step, StepContext], StepResult]


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed."""

    host: HostName
    step: Step
    error: UnderwayError


@dataclass(slots=True)
class Walk:
    """How far a plan came. `is_committed` tells whether a commit stage was begun.

    `tolerated` are the replicas that failed within what the plan allows.
    """

    failures: list[Failure] = field(default_factory=list)
    tolerated: set[ContainerName] = field(default_factory=set)
    is_cancelled: bool = False
    is_committed: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every step was applied."""
        return not (self.failures or self.is_cancelled)


@dataclass(slots=True)
class Executor:
    """Applies plans. `lock` is None only where a plan needs none."""

    apply: Apply
    voice: Voice
    clock: Clock
    lock: Lock | None = None
    cancel: threading.Event = field(default_factory=threading.Event)

    def run(self, plan: Plan, *, is_undo: bool = False) -> Walk:
        """Apply `plan`; failures are in the result, only a lost lock is raised."""
        walk = _Walker(self, plan, is_undo=is_undo)
        steps = sum(len(lane.steps) for stage in plan.stages for lane in stage.lanes)
        titles = tuple(stage.title for stage in plan.stages)
        self.voice.say(PlanMade(plan.goal, titles, steps, plan.interrupts))
        return walk.walk()


class _Walker:
    """The state of one walk."""

    def __init__(self, executor: Executor, plan: Plan, *, is_undo: bool) -> None:
        self._executor = executor
        self._voice = executor.voice
        self._plan = plan
        self._is_undo = is_undo
        self._result = Walk()
        self._number = 0
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._lock_lost: LockLostError | None = None
        self._failed_replicas: defaultdict[ServiceName, set[ContainerName]] = defaultdict(set)
        self._barred: set[ServiceName | None] = set()

    def walk(self) -> Walk:
        for index, stage in enumerate(self._plan.stages, start=1):
            if self._is_cancelled() and not self._result.is_committed:
                self._result.is_cancelled = True
                return self._result
            if stage.is_commit:
                self._result.is_committed = True
            self._walk_stage(index, stage)
            if self._lock_lost is not None:
                raise self._lock_lost
            if self._stop.is_set() and not self._is_undo:
                return self._result
        return self._result

    def _walk_stage(self, index: int, stage: Stage) -> None:
        began = self._executor.clock.monotonic()
        steps = sum(len(lane.steps) for lane in stage.lanes)
        self._voice.say(StageStarted(index, stage.title, steps))
        with ThreadPoolExecutor(max_workers=min(MOST_LANES_AT_ONCE, len(stage.lanes))) as pool:
            list(pool.map(self._walk_lane, stage.lanes))
        if not self._stop.is_set():
            taken = self._executor.clock.monotonic() - began
            self._voice.say(StageFinished(index, stage.title, taken))

    def _walk_lane(self, lane: Lane) -> None:
        for step in lane.steps:
            if self._stop.is_set() and not self._is_undo:
                return
            if self._lock_lost is not None:
                return
            if self._is_cancelled() and not self._result.is_committed:
                self._result.is_cancelled = True
                self._stop.set()
                return
            if self._is_barred(step):
                return
            if not self._walk_step(lane.host, step) and self._is_undo:
                return

    def _walk_step(self, host: HostName, step: Step) -> bool:
        """Apply one step; False if it failed."""
        with self._guard:
            self._number += 1
            number = self._number
        kind, subject = type(step).__name__, subject_of(step)
        self._voice.say(StepStarted(number, kind, subject, step.cause), host)
        began = self._executor.clock.monotonic()
        result = self._applied(number, host, step)
        if self._lock_lost is not None:
            return False
        if result.verdict is Verdict.FAILED and self._is_tolerated(step, result.error):
            result = StepResult(Verdict.TOLERATED, result.text)
        if result.error is not None and result.verdict is not Verdict.TOLERATED:
            self._fail(number, host, step, result.error)
            return False
        verdict = result.verdict.value if result.verdict else ""
        taken = self._executor.clock.monotonic() - began
        self._voice.say(StepFinished(number, kind, subject, taken, verdict, result.text), host)
        return True

    def _is_barred(self, step: Step) -> bool:
        """Whether a failure of this walk makes a step unsafe, made as it was for a walk without.

        Traffic does not move to replicas that did not pass, and nothing is taken away that may
        still serve because of it. Planning again knows what serves.
        """
        if isinstance(step, SetUpstream | RemoveUpstream):
            return bool(self._barred & {None, service_of(step)})
        return bool(self._result.failures) and isinstance(step, TAKES_AWAY)

    def _applied(self, number: int, host: HostName, step: Step) -> StepResult:
        context = StepContext(
            progress=lambda done, total, text: self._voice.say(
                StepProgress(number, done, total, text), host
            ),
            is_cancelled=self._must_end,
            check=lambda: self._check_lock(host),
        )
        try:
            self._check_lock(host)
            return self._executor.apply(step, context)
        except LockLostError as error:
            self._lock_lost = error
            self._stop.set()
            return StepResult(error=error)
        except UnderwayError as error:
            return StepResult(Verdict.FAILED, error=error)
        except Exception as error:  # noqa: BLE001 -- the executor is the place where bugs end
            bug = BugError("bug", f"{type(step).__name__} on {host}: {error!r}")
            bug.__cause__ = error
            return StepResult(Verdict.FAILED, error=bug)

    def _must_end(self) -> bool:
        if self._is_undo:
            return self._lock_lost is not None
        return self._stop.is_set() or (self._is_cancelled() and not self._result.is_committed)

    def _is_cancelled(self) -> bool:
        return self._executor.cancel.is_set() and not self._is_undo

    def _check_lock(self, host: HostName) -> None:
        if self._executor.lock is not None:
            self._executor.lock.check(host)

    def _is_tolerated(self, step: Step, error: UnderwayError | None) -> bool:
        """Whether so few replicas of the service have failed that the plan goes on.

        A replica counts once, whatever number of edges and gates it fails at.
        """
        judged = judged_replicas(step)
        if judged is None or isinstance(error, Cancelled | BugError):
            return False
        service, replicas = judged
        allowed = dict(self._plan.tolerances).get(service, 0)
        with self._guard:
            self._failed_replicas[service] |= replicas
            is_tolerated = len(self._failed_replicas[service]) <= allowed
            if is_tolerated:
                self._result.tolerated |= replicas
            return is_tolerated

    def _fail(self, number: int, host: HostName, step: Step, error: UnderwayError) -> None:
        if isinstance(error, Cancelled):
            self._result.is_cancelled = True
            self._stop.set()
            return
        with self._guard:
            self._result.failures.append(Failure(host, step, error))
            if isinstance(error, UnreachableError):
                self._barred.add(None)  # it may be an edge that goes on serving
            elif not isinstance(step, RECORDS):
                self._barred.add(service_of(step))
        self._stop.set()
        kind, subject = type(step).__name__, subject_of(step)
        self._voice.say(
            StepFailed(number, kind, subject, error.code, _told(error), error.hint, error.detail),
            host,
        )


def _told(error: UnderwayError) -> str:
    """What happened and why; the code stands apart."""
    return f"{error.message} ({error.cause})" if error.cause else error.message
