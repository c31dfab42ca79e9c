"""A run as a page of Markdown, for whoever looks at a build: what came of it, and why. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from underway.errors import UnderwayError
from underway.model.event import Level, Outcome
from underway.report.amounts import count_text, duration_text
from underway.report.event_text import OUTCOME_TEXTS
from underway.report.line import clean
from underway.report.view import FailureView, RunView, StageState

_MARKUP: Final = re.compile(r"([\\`*_\[\]<>|#~])")
_GOOD: Final = {Outcome.DONE, Outcome.NOTHING_TO_DO}


def summary_markdown(view: RunView, error: UnderwayError | None = None) -> str:
    """What came of a run, each text on one line and without markup of its own."""
    return "\n".join(_lines(view, error)) + "\n"


def _lines(view: RunView, error: UnderwayError | None) -> Iterator[str]:
    outcome = view.outcome or (None if error else Outcome.DONE)
    told = OUTCOME_TEXTS[outcome] if outcome else "failed"
    is_good = error is None and outcome in _GOOD
    mark = "✅" if is_good else "❌"
    yield f"## {mark} {_plain(view.command)} {_plain(view.app)}: {told}"
    yield ""
    yield "| | |"
    yield "|---|---|"
    if view.release:
        yield f"| release that serves | {view.release} |"
    yield f"| took | {duration_text(view.duration_s)}, {count_text(view.finished, 'step')} |"
    yield f"| by | {_plain(view.actor)} |"
    if view.interrupts:
        yield f"| interrupted | {_plain(', '.join(view.interrupts))} |"
    if error is not None:
        yield f"| exit code | {error.exit_code} |"
        yield from _error(error)
    yield from _stages(view)
    for failure in view.failures:
        yield from _failure(failure)
    warnings = [n for n in view.notes if n.note.level is not Level.INFO]
    if warnings:
        yield from ("", "### Warnings", "")
        yield from (f"- {_plain(one.note.text)} `{one.note.code}`" for one in warnings)


def _error(error: UnderwayError) -> Iterator[str]:
    yield from ("", f"**`{error.code}`** {_plain(error.message)}")
    if error.cause:
        yield from ("", f"Why: {_plain(error.cause)}")
    if error.hint:
        yield from ("", f"What to do: {_plain(error.hint)}")
    yield from _details(error.detail)


def _stages(view: RunView) -> Iterator[str]:
    ended = [stage for stage in view.stages if stage.state is not StageState.WAITING]
    if not ended:
        return
    yield from ("", "| stage | steps | took |", "|---|---|---|")
    for stage in ended:
        took = duration_text(stage.duration_s) if stage.state is StageState.DONE else stage.state
        yield f"| {_plain(stage.title)} | {stage.finished} of {stage.steps} | {took} |"


def _failure(failure: FailureView) -> Iterator[str]:
    where = f" on {_plain(failure.host)}" if failure.host else ""
    undo = ", going back" if failure.is_in_undo else ""
    yield from ("", f"### {_plain(failure.subject)}{where}{undo}", "")
    yield f"`{failure.code}` {_plain(failure.message)}"
    if failure.hint:
        yield from ("", f"What to do: {_plain(failure.hint)}")
    yield from _details(failure.detail)


def _details(lines: tuple[str, ...]) -> Iterator[str]:
    """What a container wrote: as code, which no line of it can end."""
    if lines:
        fence = "`" * (
            max((len(run) for run in re.findall(r"`+", "\n".join(lines))), default=0) + 3
        )
        yield from ("", "<details><summary>Last lines</summary>", "", fence)
        yield from map(clean, lines)
        yield from (fence, "", "</details>")


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(clean(part) for part in text.split()))
