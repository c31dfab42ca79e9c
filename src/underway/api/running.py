"""Carry a course out: lock, plan again, apply, and when it fails, bring the whole fleet back.

Before the commit point a failure goes back to the release that served; from it on it goes
forward. Where a host cannot be asked, nothing that it may still send traffic to is stopped, and
the error names it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NoReturn

from underway.api.backing_up_first import asks_backup_first, back_up_first
from underway.api.proxies import bring_proxies
from underway.api.recording import Recorder
from underway.api.session import Session, current_release, is_settled, next_run
from underway.api.steering import Course
from underway.errors import (
    NotUndoneError,
    RefusedError,
    StepFailedError,
    UnderwayError,
    UnreachableError,
)
from underway.kernel.executor import Walk
from underway.model.event import Level, Outcome, UndoStarted
from underway.model.names import NO_RELEASE, HostName, RunNumber
from underway.model.plan import Plan
from underway.model.release import Release
from underway.model.snapshot import Snapshot
from underway.model.spec import FailureAction
from underway.model.step import (
    CreateNetwork,
    CreateVolume,
    PullImage,
    RecordRelease,
    SendImage,
    StartContainer,
    WriteVault,
)
from underway.ports.locking import Lock
from underway.rollout.addresses import contested

MOST_TRIES = 3
HARMLESS = (PullImage, SendImage, CreateNetwork, CreateVolume, WriteVault, RecordRelease)
"""Steps that touch nothing that serves: where one of them fails, there is nothing to undo."""


@dataclass(frozen=True, slots=True)
class Finish:
    """How a run ended well: `release` is what it came to."""

    outcome: Outcome
    release: Release
    steps: int
    text: str = ""


def run_job(session: Session, course: Course, snapshot: Snapshot) -> Finish:
    """Bring the fleet to the course's release, or raise after bringing it back."""
    plan = course.plan(snapshot)
    for text in plan.remarks:
        session.voice.note(Level.INFO, "plan-remark", text)
    if plan.is_empty and is_settled(snapshot):
        return Finish(Outcome.NOTHING_TO_DO, course.release, 0, f"{session.app} runs it already")
    _allow_interruption(session, course, plan)
    bring_tools(session, course, snapshot)
    wait_s = course.job.wait_s
    if course.job.backs_up and asks_backup_first(session, snapshot):
        back_up_first(session, wait_s=wait_s)
    with session.locks.claim(session.app, course.job.command, wait_s=wait_s) as lock:
        return _run_locked(session, course, lock, plan)


def record_release(session: Session, course: Course, snapshot: Snapshot) -> Release:
    """Bring the images and the record of a release to every host; nothing that serves changes."""
    if course.plan_records(snapshot).is_empty:
        return course.release
    bring_tools(session, course, snapshot)
    with session.locks.claim(session.app, "ship", wait_s=course.job.wait_s) as lock:
        snapshot = session.observe()
        lock.confirm()
        course = course.under_lock(snapshot)
        walk = course.executor(lock, next_run(snapshot)).run(course.plan_records(snapshot))
    if walk.failures:
        raise walk.failures[0].error
    if not walk.is_whole:
        raise StepFailedError("interrupted", "interrupted; what serves was not touched")
    return course.release


def bring_tools(session: Session, course: Course, snapshot: Snapshot) -> None:
    """The lock itself runs in the tools image: it comes ahead of everything else."""
    for lane in course.transfer(snapshot):
        for step in lane.steps:
            if not isinstance(step, PullImage | SendImage) or step.image != course.tools:
                continue
            engine = session.world.engine(lane.host)
            session.voice.note(Level.INFO, "tools-image", f"sends the tools image to {lane.host}")
            fetch = session.workshop.send
            if isinstance(step, PullImage):
                fetch = session.workshop.pull
            fetch(engine, step.image, lambda _done, _total, _text: None)


def _allow_interruption(session: Session, course: Course, plan: Plan) -> None:
    if not plan.interrupts or course.job.allows_interruption:
        return
    names = ", ".join(plan.interrupts)
    reasons = "; ".join(f"{entry.service}: {entry.reason}" for entry in plan.interruptions)
    if session.confirm(f"To {plan.goal} interrupts {names} ({reasons}). Go on?"):
        return
    raise RefusedError(
        "interruption",
        f"this interrupts {names}",
        cause=reasons,
        hint="--allow-interruption allows it; `underway plan` shows every step",
    )


def _run_locked(session: Session, course: Course, lock: Lock, shown: Plan) -> Finish:
    """Plan again under the lock: what was shown may be stale."""
    snapshot = session.observe()
    lock.confirm()
    course = course.under_lock(snapshot)
    snapshot = bring_proxies(session, course, lock, snapshot)
    plan = course.plan(snapshot)
    if set(plan.interrupts) - set(shown.interrupts):
        _allow_interruption(session, course, plan)
    if plan.is_empty:
        return _settle(session, course, snapshot)
    previous = current_release(snapshot)
    back = _way_back(session, course, snapshot, previous)
    recorder = Recorder.begin(session, course, snapshot)
    try:
        walk, course = _walked(session, course, lock, recorder.number, plan)
        run = _Run(session, course, lock, recorder.number, previous, back)
        if not (walk.is_whole or walk.is_committed):
            run.undo(walk)
        seen = run.finish(walk)
    except UnderwayError as error:
        recorder.end(error)
        raise
    recorder.end(None, seen)
    return Finish(Outcome.DONE, course.release, sum(1 for _ in plan.steps()))


def _walked(
    session: Session, course: Course, lock: Lock, number: RunNumber, plan: Plan
) -> tuple[Walk, Course]:
    """Apply a plan; where somebody else holds a port it chose, plan again with another port."""
    for _ in range(MOST_TRIES):
        walk = course.executor(lock, number).run(plan)
        taken = _taken_ports(plan, walk)
        if not taken or walk.is_committed or walk.is_cancelled:
            break
        course = replace(course, held_ports=course.held_ports | taken)
        plan = course.plan(session.observe())
    return walk, course


def _taken_ports(plan: Plan, walk: Walk) -> frozenset[tuple[HostName, int]]:
    """The ports for want of which a walk failed; empty where anything else went wrong too."""
    found: frozenset[tuple[HostName, int]] = frozenset()
    for failure in walk.failures:
        step = failure.step
        if failure.error.code != "port-taken" or not isinstance(step, StartContainer):
            return frozenset()
        found |= contested(plan, failure.host, step.container)
    return found


def _way_back(
    session: Session, course: Course, snapshot: Snapshot, previous: Release | None
) -> Course | None:
    """The course that would undo this one, read while every host answers; None if it cannot be."""
    try:
        return course.back_to(snapshot, previous)
    except UnderwayError as error:
        text = f"if this run fails, it cannot be taken back: {error.message}"
        session.voice.note(Level.WARNING, error.code, text)
        return None


def _settle(session: Session, course: Course, snapshot: Snapshot) -> Finish:
    """Nothing is left to do; a run that died before it could say so is told to be over."""
    if is_settled(snapshot):
        return Finish(Outcome.NOTHING_TO_DO, course.release, 0, "another run has done it")
    Recorder.begin(session, course, snapshot).end(None, snapshot)
    return Finish(Outcome.NOTHING_TO_DO, course.release, 0, "an interrupted run had done it")


@dataclass(frozen=True, slots=True)
class _Run:
    """What finishing and undoing share."""

    session: Session
    course: Course
    lock: Lock
    number: RunNumber
    previous: Release | None
    back: Course | None

    def finish(self, walk: Walk) -> Snapshot:
        """Go forward until planning again finds nothing to do; what was seen then."""
        course = replace(self.course.settled(), tolerated=frozenset(walk.tolerated))
        if walk.tolerated:
            text = f"failed, and left as they are: {', '.join(sorted(walk.tolerated))}"
            self.session.voice.note(Level.WARNING, "replicas-tolerated", text)
        for _ in range(MOST_TRIES):
            snapshot = self.session.observe()
            plan = course.plan(snapshot, keep_unreachable=True)
            if plan.is_empty and not plan.left:
                return snapshot
            if plan.is_empty:
                break
            more = course.executor(self.lock, self.number).run(plan)
            walk.failures.extend(more.failures)
        snapshot = self.session.observe()
        plan = course.plan(snapshot, keep_unreachable=True)
        if plan.is_empty and not plan.left:
            return snapshot
        cause = _cause(walk)
        raise NotUndoneError(
            "not-finished",
            f"release {course.release.number} serves, but not everything could be ended",
            cause=str(cause) if cause else "",
            hint=f"`underway deploy {course.release.number}` or `underway repair` ends it",
            detail=(*plan.left, *_rest(plan)),
        )

    def undo(self, walk: Walk) -> NoReturn:
        """Bring the whole fleet back; always raises: a rollback is not success."""
        cause = _cause(walk)
        if walk.failures and all(isinstance(f.step, HARMLESS) for f in walk.failures):
            raise walk.failures[0].error
        if self._is_paused(walk):
            raise NotUndoneError(
                "paused",
                "the rollout stopped where it failed, as `failure_action: pause` asks",
                cause=str(cause) if cause else "",
                hint="`underway deploy` goes on, `underway rollback` goes back",
                detail=cause.detail if cause else (),
            )
        number = self.previous.number if self.previous else NO_RELEASE
        self.session.voice.say(UndoStarted(number, str(cause) if cause else "interrupted"))
        left = self._go_back()
        if left:
            raise NotUndoneError(
                "not-undone",
                f"release {self.course.release.number} failed and could not be taken back whole",
                cause=str(cause) if cause else "interrupted",
                hint=f"when the host is back, `underway {self._command_back()}` or "
                "`underway repair` ends it",
                detail=(*left, *(cause.detail if cause else ())),
            )
        raise self._undone(cause)

    def _go_back(self) -> tuple[str, ...]:
        """Undo by planning; what is left is returned."""
        back = self.back
        if back is None:
            try:
                back = self.course.back_to(self.session.observe(), self.previous)
            except UnderwayError as error:
                return (str(error),)
        plan = None
        for _ in range(MOST_TRIES):
            plan = back.plan(self.session.observe(), keep_unreachable=True)
            if plan.is_empty:
                break
            back.executor(self.lock, self.number).run(plan, is_undo=True)
        if plan is None or not plan.is_empty:
            plan = back.plan(self.session.observe(), keep_unreachable=True)
        return (*plan.left, *_rest(plan))

    def _undone(self, cause: UnderwayError | None) -> StepFailedError:
        serves = (
            f"release {self.previous.number} serves on every host"
            if self.previous
            else "nothing was running before, nothing is left running"
        )
        if cause is None:
            return StepFailedError(
                "interrupted", f"interrupted; {serves}", hint="run it again when you are ready"
            )
        return StepFailedError(
            cause.code,
            f"release {self.course.release.number} failed: {cause.message}; {serves}",
            cause=cause.cause,
            hint=cause.hint,
            detail=(*cause.detail, *self._stays()),
        )

    def _stays(self) -> Iterable[str]:
        """What a rollback does not take back."""
        if any(service.before for service in self.course.release.spec.services):
            yield f"what `before` of release {self.course.release.number} did to the data stays"

    def _command_back(self) -> str:
        return f"rollback {self.previous.number}" if self.previous else "remove"

    def _is_paused(self, walk: Walk) -> bool:
        names = {getattr(failure.step, "service", None) for failure in walk.failures}
        return any(
            service.name in names and service.update.failure_action is FailureAction.PAUSE
            for service in self.course.release.spec.services
        )


def _cause(walk: Walk) -> UnderwayError | None:
    """The failure to tell: one that says what is wrong rather than that a host is lost."""
    errors = [failure.error for failure in walk.failures]
    told = [error for error in errors if not isinstance(error, UnreachableError)]
    return next(iter(told or errors), None)


def _rest(plan: Plan) -> tuple[str, ...]:
    return tuple(
        f"still to do on {lane.host}: {stage.title}"
        for stage in plan.stages
        for lane in stage.lanes
    )
