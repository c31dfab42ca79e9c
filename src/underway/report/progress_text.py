"""The live part of the terminal as lines: stages, and what each host is at. Pure.

`now` and the spinner's frame come from outside, so that golden tests draw any moment.
"""

from typing import Final

from underway.report.amounts import duration_text, size_text
from underway.report.line import Line, bad, faint, good, line, strong, warn
from underway.report.step_text import verb_of
from underway.report.view import LaneView, RunView, StageState, StageView, StepView

SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_BYTE_KINDS: Final = frozenset({"PullImage", "SendImage"})
_QUIET_S: Final = 2.0


def progress_lines(view: RunView, now: float, frame: int = 0, limit: int = 40) -> list[Line]:
    """At most `limit` lines; what does not fit is counted."""
    if view.outcome is not None:
        return []
    lines = [_head(view, now)]
    done = next(
        (n for n, s in enumerate(view.stages) if s.state is not StageState.DONE), len(view.stages)
    )
    for stage in view.stages:
        lines.append(_stage(stage, frame))
        if stage.state in {StageState.RUNNING, StageState.FAILED}:
            lines.extend(_lanes(view.lanes, now))
    if not view.stages:
        lines.extend(_lanes(view.lanes, now))
    if not view.plans:
        lines.extend(line(faint(f"    {view.output[-1].line}")) for _ in view.output[-1:])
    if len(lines) > limit and done > 1:
        folded = min(done, len(lines) - limit + 1)
        lines = [lines[0], line(good("  ✓ "), f"{folded} stages"), *lines[1 + folded :]]
    if len(lines) > limit:
        hidden = len(lines) - limit + 1
        lines = [*lines[: limit - 1], line(faint(f"  … {hidden} lines more"))]
    return lines


def _head(view: RunView, now: float) -> Line:
    release = f" release {view.release}" if view.release else ""
    title = f"{view.command} {view.app}{release}" if view.command else view.goal
    elapsed = duration_text(now - view.started_at) if view.started_at else ""
    undo = (warn("  going back"),) if view.undo else ()
    failed = (bad(f"  {len(view.failures)} failed"),) if view.failures else ()
    counts = f"{view.finished}/{view.planned} steps" if view.planned else ""
    figures = "  ".join(part for part in (elapsed, counts) if part)
    return line(strong(title), faint(f"  {figures}"), *undo, *failed)


def _stage(stage: StageView, frame: int) -> Line:
    match stage.state:
        case StageState.WAITING:
            return line(faint(f"  · {stage.title}"))
        case StageState.RUNNING:
            mark = SPINNER[frame % len(SPINNER)]
            return line(
                f"  {mark} ", strong(stage.title), faint(f"  {stage.finished}/{stage.steps}")
            )
        case StageState.DONE:
            return line(good("  ✓ "), stage.title, faint(f"  {duration_text(stage.duration_s)}"))
        case StageState.FAILED:
            return line(bad("  ✗ "), stage.title)


def _lanes(lanes: tuple[LaneView, ...], now: float) -> list[Line]:
    busy = [lane for lane in lanes if lane.running]
    width = max((len(lane.host or "here") for lane in busy), default=0)
    return [
        line(faint(f"      {(lane.host or 'here').ljust(width)}  "), *_step(step, now))
        for lane in busy
        for step in lane.running
    ]


def _step(step: StepView, now: float) -> Line:
    elapsed = now - step.started_at
    parts = []
    if step.total > 0 and step.kind in _BYTE_KINDS:
        parts.append(f"{size_text(step.done)} of {size_text(step.total)}")
    elif step.total > 0:
        parts.append(f"{duration_text(step.done)} of {duration_text(step.total)}")
    elif elapsed >= _QUIET_S:
        parts.append(duration_text(elapsed))
    if step.text:
        parts.append(step.text)
    told = faint(f"  {', '.join(parts)}") if parts else ""
    return line(f"{verb_of(step.kind)} {step.subject}", told)
