"""One event as lines of text: fixed prefix, host in brackets, what happened. Pure.

Shared by the plain progress and by what the terminal leaves above its live part. The prefixes
(`run`, `plan`, `stage`, `start`, `done`, `fail`, `undo`, `note`, `warn`, `error`, `out`, `end`)
are stable; after them stands text for people.
"""

from typing import Final, assert_never

from underway.model.event import (
    Event,
    Level,
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
from underway.report.amounts import count_text, duration_text
from underway.report.line import Line, Span, Tone, bad, faint, good, line, strong, warn
from underway.report.step_text import verb_of

_PREFIX_WIDTH: Final = 6
_LEVELS: Final = {
    Level.INFO: ("note", Tone.FAINT),
    Level.WARNING: ("warn", Tone.WARN),
    Level.ERROR: ("error", Tone.BAD),
}
OUTCOME_TEXTS: Final = {
    Outcome.DONE: "done",
    Outcome.NOTHING_TO_DO: "nothing to do",
    Outcome.REFUSED: "refused, nothing was changed",
    Outcome.UNDONE: "failed and undone",
    Outcome.NOT_UNDONE: "failed and not fully undone",
    Outcome.INTERRUPTED: "interrupted",
    Outcome.FAILED: "failed",
}


def event_lines(event: Event) -> list[Line]:
    """What `event` says, usually one line; progress of a step says nothing here."""
    match event.body:
        case RunStarted() | PlanMade() | UndoStarted() | RunFinished() as body:
            return _run(body)
        case StageStarted(index=index, title=title, steps=steps):
            return [
                _line("stage", strong(f"{index} {title}"), faint(f"  {count_text(steps, 'step')}"))
            ]
        case StageFinished():
            return []
        case StepStarted() | StepProgress() | StepFinished() | StepFailed() as body:
            return _step(event, body)
        case Note(level=level, code=code, text=text):
            prefix, tone = _LEVELS[level]
            label = Span(prefix.ljust(_PREFIX_WIDTH), tone)
            return [line(label, _host(event), text, faint(f" [{code}]" if code else ""))]
        case Output(source=source, line=text):
            return [_line("out", _host(event), faint(f"{source} | "), text)]
        case _:
            assert_never(event.body)


def _run(body: RunStarted | PlanMade | UndoStarted | RunFinished) -> list[Line]:
    match body:
        case RunStarted(command=command, app=app, release=release):
            number = f" release {release}" if release else ""
            return [_line("run", strong(f"{command} {app}{number}"))]
        case PlanMade(goal=goal, stages=stages, steps=steps, interrupts=interrupts):
            size = f"{count_text(steps, 'step')} in {count_text(len(stages), 'stage')}"
            names = f"  interrupts: {', '.join(interrupts)}" if interrupts else ""
            return [_line("plan", f"{goal}: {size}", bad(names))]
        case UndoStarted(release=release, cause=cause):
            target = f"back to release {release}" if release else "back to what was there"
            return [_line("undo", warn(target), f" because {cause}")]
        case RunFinished():
            return [_end(body)]
        case _:
            assert_never(body)


def _end(body: RunFinished) -> Line:
    is_good = body.outcome in {Outcome.DONE, Outcome.NOTHING_TO_DO}
    tone = good if is_good else bad
    # What a run failed of is told by its error, right below.
    text = f"  {body.text}" if body.text and is_good else ""
    return _line(
        "end",
        tone(OUTCOME_TEXTS[body.outcome]),
        f" in {duration_text(body.duration_s)}",
        faint(f" (exit {body.exit_code})"),
        text,
    )


def _step(event: Event, body: StepStarted | StepProgress | StepFinished | StepFailed) -> list[Line]:
    match body:
        case StepStarted(kind=kind, subject=subject, cause=cause):
            what = f"{verb_of(kind)} {subject}"
            return [_line("start", _host(event), what, faint(f"  because {cause}"))]
        case StepProgress():
            return []
        case StepFinished():
            told = ", ".join(part for part in (body.verdict, body.text) if part)
            return [
                _line(
                    "done",
                    _host(event),
                    f"{verb_of(body.kind)} {body.subject}",
                    faint(f"  {duration_text(body.duration_s)}"),
                    f"  {told}" if told else "",
                )
            ]
        case StepFailed():
            return _failed(event, body)
        case _:
            assert_never(body)


def _failed(event: Event, body: StepFailed) -> list[Line]:
    what = f"{verb_of(body.kind)} {body.subject}: {body.message}"
    head = _line("fail", _host(event), bad(what), faint(f" [{body.code}]"))
    detail = [_line("fail", _host(event), faint("| "), text) for text in body.detail]
    hint = [_line("fail", _host(event), good("help: "), body.hint)] if body.hint else []
    return [head, *detail, *hint]


def _line(prefix: str, *parts: Span | str) -> Line:
    return line(faint(prefix.ljust(_PREFIX_WIDTH)), *parts)


def _host(event: Event) -> str:
    return f"[{event.host}] " if event.host else ""
