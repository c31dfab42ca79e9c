"""A run as it stands: a pure fold of its events, drawn by the terminal and the documents.

`fold(view, event)` gives the next view; nothing here reads a clock. A run may make several plans
(a replan, an undo): stages and running steps belong to the newest, failures and notes to all.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from typing import Final, assert_never

from underway.model.event import (
    Event,
    Note,
    Outcome,
    Output,
    PlanMade,
    RunFinished,
    RunStarted,
    StageFinished,
    StageStarted,
    StepFailed,
    StepFinished,
    StepProgress,
    StepStarted,
    UndoStarted,
)
from underway.model.names import NO_RELEASE, AppName, HostName, ReleaseNumber, ServiceName

_OUTPUT_KEPT: Final = 20
_NO_APP: Final = AppName("")


class StageState(StrEnum):
    """Where a stage stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage; `finished` of its `steps` are over."""

    title: str
    state: StageState = StageState.WAITING
    steps: int = 0
    finished: int = 0
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True)
class StepView:
    """A running step. `started_at` is seconds since the epoch, `total` 0 means unknown."""

    number: int
    kind: str
    subject: str
    cause: str
    started_at: float
    done: float = 0.0
    total: float = 0.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class LaneView:
    """What one host is at; None stands for the machine that runs the command."""

    host: HostName | None
    running: tuple[StepView, ...] = ()


@dataclass(frozen=True, slots=True)
class FailureView:
    """A step that failed, with what is known about it."""

    host: HostName | None
    kind: str
    subject: str
    code: str
    message: str
    hint: str
    detail: tuple[str, ...]
    is_in_undo: bool


@dataclass(frozen=True, slots=True)
class NoteView:
    """Something worth saying, and the host it is about."""

    note: Note
    host: HostName | None


@dataclass(frozen=True, slots=True)
class RunView:
    """All that events tell of a run. Times are seconds since the epoch; `outcome` ends it.

    `release` is the one the run goes for, then, once it is over, the one that serves.
    """

    run: str = ""
    command: str = ""
    app: AppName = _NO_APP
    release: ReleaseNumber = NO_RELEASE
    actor: str = ""
    started_at: float = 0.0
    last_at: float = 0.0
    goal: str = ""
    planned: int = 0
    finished: int = 0
    plans: int = 0
    interrupts: tuple[ServiceName, ...] = ()
    stages: tuple[StageView, ...] = ()
    lanes: tuple[LaneView, ...] = ()
    failures: tuple[FailureView, ...] = ()
    notes: tuple[NoteView, ...] = ()
    output: tuple[Output, ...] = ()
    undo: UndoStarted | None = None
    outcome: Outcome | None = None
    exit_code: int = 0
    duration_s: float = 0.0
    text: str = ""


def fold_all(events: Iterable[Event], view: RunView | None = None) -> RunView:
    """The view after all `events`."""
    return reduce(fold, events, view or RunView())


def fold(view: RunView, event: Event) -> RunView:  # noqa: PLR0911 (one case per kind)
    """The view after one more event."""
    view = replace(view, last_at=max(view.last_at, event.time))
    match event.body:
        case RunStarted() as body:
            return _started(view, event, body)
        case PlanMade() | StageStarted() | StageFinished() as body:
            return _planned(view, body)
        case StepStarted() | StepProgress() | StepFinished() | StepFailed() as body:
            return _stepped(view, event, body)
        case UndoStarted() as body:
            return replace(view, undo=body, lanes=(), stages=())
        case Note() as body:
            return replace(view, notes=(*view.notes, NoteView(body, event.host)))
        case Output() as body:
            return replace(view, output=(*view.output, body)[-_OUTPUT_KEPT:])
        case RunFinished() as body:
            return _ended(view, body)
        case _:
            assert_never(event.body)


def _started(view: RunView, event: Event, body: RunStarted) -> RunView:
    return replace(
        view,
        run=event.run,
        command=body.command,
        app=body.app,
        release=body.release or view.release,
        actor=event.actor,
        started_at=event.time,
    )


def _ended(view: RunView, body: RunFinished) -> RunView:
    is_back = body.outcome is Outcome.UNDONE
    serving = view.undo.release if view.undo and is_back else view.release
    return replace(
        view,
        outcome=body.outcome,
        exit_code=body.exit_code,
        release=body.release or serving,
        duration_s=body.duration_s,
        text=body.text,
        lanes=(),
    )


def _planned(view: RunView, body: PlanMade | StageStarted | StageFinished) -> RunView:
    match body:
        case PlanMade():
            return replace(
                view,
                goal=body.goal,
                planned=body.steps,
                finished=0,
                plans=view.plans + 1,
                interrupts=body.interrupts,
                stages=tuple(StageView(title) for title in body.stages),
                lanes=(),
            )
        case StageStarted():
            stage = StageView(body.title, StageState.RUNNING, body.steps)
            return replace(view, stages=_put(view.stages, body.index, stage))
        case StageFinished():
            stage = replace(
                _stage(view.stages, body.index, body.title),
                state=StageState.DONE,
                duration_s=body.duration_s,
            )
            return replace(view, stages=_put(view.stages, body.index, stage))
        case _:
            assert_never(body)


def _stage(stages: tuple[StageView, ...], index: int, title: str) -> StageView:
    return stages[index - 1] if 0 < index <= len(stages) else StageView(title)


def _put(stages: tuple[StageView, ...], index: int, stage: StageView) -> tuple[StageView, ...]:
    """`stages` with `stage` at `index` (from 1); what no plan announced comes last."""
    if not 0 < index <= len(stages):
        return (*stages, stage)
    return (*stages[: index - 1], stage, *stages[index:])


def _stepped(
    view: RunView, event: Event, body: StepStarted | StepProgress | StepFinished | StepFailed
) -> RunView:
    match body:
        case StepStarted():
            step = StepView(body.step, body.kind, body.subject, body.cause, event.time)
            return replace(view, lanes=_with_step(view.lanes, event.host, step))
        case StepProgress():
            return replace(view, lanes=_with_progress(view.lanes, event.host, body))
        case StepFinished():
            return _step_over(view, event.host, body.step)
        case StepFailed():
            failure = FailureView(
                event.host,
                body.kind,
                body.subject,
                body.code,
                body.message,
                body.hint,
                body.detail,
                is_in_undo=view.undo is not None,
            )
            view = _step_over(view, event.host, body.step)
            stages = tuple(
                replace(stage, state=StageState.FAILED)
                if stage.state is StageState.RUNNING
                else stage
                for stage in view.stages
            )
            return replace(view, stages=stages, failures=(*view.failures, failure))
        case _:
            assert_never(body)


def _with_step(
    lanes: tuple[LaneView, ...], host: HostName | None, step: StepView
) -> tuple[LaneView, ...]:
    known = {lane.host: lane for lane in lanes}
    lane = known.get(host, LaneView(host))
    running = [entry for entry in lane.running if entry.number != step.number]
    known[host] = replace(lane, running=tuple(sorted([*running, step], key=_number)))
    return tuple(known[key] for key in sorted(known, key=str))


def _number(step: StepView) -> int:
    return step.number


def _with_progress(
    lanes: tuple[LaneView, ...], host: HostName | None, body: StepProgress
) -> tuple[LaneView, ...]:
    return tuple(
        replace(
            lane,
            running=tuple(
                replace(step, done=body.done, total=body.total, text=body.text)
                if lane.host == host and step.number == body.step
                else step
                for step in lane.running
            ),
        )
        for lane in lanes
    )


def _step_over(view: RunView, host: HostName | None, number: int) -> RunView:
    lanes = tuple(
        replace(lane, running=tuple(step for step in lane.running if step.number != number))
        if lane.host == host
        else lane
        for lane in view.lanes
    )
    stages = tuple(
        replace(stage, finished=stage.finished + 1)
        if stage.state in {StageState.RUNNING, StageState.FAILED}
        else stage
        for stage in view.stages
    )
    return replace(view, lanes=lanes, stages=stages, finished=view.finished + 1)
