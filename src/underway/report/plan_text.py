"""A plan as text: stages, lanes, steps with their causes, and in red what it interrupts. Pure.

Compact by default: equal work on several hosts or replicas stands on one line, and steps that
only record are left out. `is_verbose` shows every step on its own line.
"""

import re
from typing import Final, NamedTuple

from underway.model.plan import Lane, Plan, Stage
from underway.model.step import RecordRelease, SetCurrent, Step, WriteVault
from underway.report.amounts import count_text
from underway.report.line import Line, Span, bad, faint, good, line, strong, table, warn
from underway.report.step_text import step_text, verb_of

_BOOKKEEPING: Final = (RecordRelease, SetCurrent, WriteVault)
_SUBJECTS_SHOWN: Final = 4
_NUMBER: Final = re.compile(r"\d+")


class Work(NamedTuple):
    """One of the equal things that stand on a compact line."""

    subject: str
    host: str
    cause: str


def plan_lines(plan: Plan, *, is_verbose: bool = False) -> list[Line]:
    """The whole plan; an empty one says that nothing is to be done."""
    lines = [_head(plan)]
    if not plan.is_empty:
        lines.append(())
    lines.extend(_changes(plan))
    for index, stage in enumerate(plan.stages, start=1):
        lines.extend(_stage(stage, index, is_verbose=is_verbose))
    lines.extend(_foot(plan))
    return lines


def _head(plan: Plan) -> Line:
    if plan.is_empty:
        release = f" (release {plan.release})" if plan.release else ""
        return line(good("nothing to do"), f": {plan.app} is as wished", faint(release))
    total = sum(1 for _ in plan.steps())
    hosts = {lane.host for stage in plan.stages for lane in stage.lanes}
    size = ", ".join(
        (
            count_text(len(plan.stages), "stage"),
            count_text(total, "step"),
            count_text(len(hosts), "host"),
        )
    )
    return line(strong(f"plan: {plan.goal}"), faint(f"  {size}"))


def _changes(plan: Plan) -> list[Line]:
    """Why replicas are made or ended, one line for each service."""
    rows = [[strong(change.service), Span(change.cause)] for change in plan.changes]
    return [*table(rows), ()] if rows else []


def _stage(stage: Stage, index: int, *, is_verbose: bool) -> list[Line]:
    commit = (warn("  from here on a failure goes forward"),) if stage.is_commit else ()
    lines = [line(strong(f"{index}. {stage.title}"), *commit)]
    if is_verbose:
        for lane in stage.lanes:
            lines.append(line(f"   {lane.host}"))
            lines.extend(_step(step) for step in lane.steps)
        return lines
    return lines + _compact(stage.lanes)


def _step(step: Step) -> Line:
    text = step_text(step)
    extra = (faint(f" {text.extra}"),) if text.extra else ()
    return line(
        "     ", _verb(text.verb), f" {text.subject}", *extra, faint(f"  because {step.cause}")
    )


def _verb(verb: str) -> Span:
    tone = {"stop": warn, "remove": warn, "remove volume": bad, "create": good, "start": good}
    return tone.get(verb, Span)(verb)


def _compact(lanes: tuple[Lane, ...]) -> list[Line]:
    """One line per kind of step and cause, in the order of their first appearance.

    Causes that differ in numbers only ("replica 1 of 2") are one.
    """
    groups: dict[tuple[str, str], list[Work]] = {}
    for lane in lanes:
        for step in lane.steps:
            if isinstance(step, _BOOKKEEPING):
                continue
            key = (type(step).__name__, _NUMBER.sub("#", step.cause))
            work = Work(step_text(step).subject, lane.host, step.cause)
            groups.setdefault(key, []).append(work)
    lines = [_group(kind, work) for (kind, _), work in groups.items()]
    hidden = sum(isinstance(step, _BOOKKEEPING) for lane in lanes for step in lane.steps)
    if hidden:
        hosts = tuple(dict.fromkeys(lane.host for lane in lanes))
        lines.append(line(faint(f"   record on {', '.join(hosts)}")))
    return lines


def _group(kind: str, work: list[Work]) -> Line:
    subjects = list(dict.fromkeys(entry.subject for entry in work))
    hosts = list(dict.fromkeys(entry.host for entry in work))
    causes = list(dict.fromkeys(entry.cause for entry in work))
    cause = causes[0] if len(causes) == 1 else f"{causes[0]}, …"
    shown = ", ".join(subjects[:_SUBJECTS_SHOWN])
    if len(subjects) > _SUBJECTS_SHOWN:
        shown += f" and {len(subjects) - _SUBJECTS_SHOWN} more"
    return line(
        "   ", _verb(verb_of(kind)), f" {shown}", faint(f" on {', '.join(hosts)}  because {cause}")
    )


def _foot(plan: Plan) -> list[Line]:
    lines: list[Line] = []
    if plan.interruptions:
        lines.append(line(bad(f"interrupts: {', '.join(plan.interrupts)}")))
        lines.extend(
            line(bad(f"  {entry.service}"), f": {entry.reason}") for entry in plan.interruptions
        )
    lines.extend(line(warn("left alone: "), text) for text in plan.left)
    lines.extend(line(faint("note: "), text) for text in plan.remarks)
    return [(), *lines] if lines else []
