"""Releases and runs as text, newest first. Pure."""

from collections.abc import Sequence

from underway.model.event import Outcome
from underway.model.names import ReleaseNumber
from underway.model.release import Release, RunRecord
from underway.report.amounts import digest_text, duration_text, moment_of, time_text
from underway.report.event_text import OUTCOME_TEXTS
from underway.report.line import Line, Span, bad, faint, good, line, strong, table, warn

_RUN_HEADS = ("RUN", "STARTED (UTC)", "COMMAND", "RELEASE", "BY", "TOOK", "OUTCOME")
_RELEASE_HEADS = ("RELEASE", "TAG", "CREATED (UTC)", "BY", "COMMIT")


def history_lines(runs: Sequence[RunRecord]) -> list[Line]:
    """Runs that changed hosts."""
    if not runs:
        return [line(faint("no run is recorded"))]
    rows = [[faint(head) for head in _RUN_HEADS]]
    rows.extend(_run(run) for run in sorted(runs, key=_number, reverse=True))
    return table(rows)


def release_list_lines(releases: Sequence[Release], current: ReleaseNumber) -> list[Line]:
    """Releases that can be deployed or rolled back to."""
    if not releases:
        return [line(faint("no release is recorded"))]
    rows = [[faint(head) for head in _RELEASE_HEADS]]
    for release in sorted(releases, key=_number, reverse=True):
        number = str(release.number)
        rows.append(
            [
                good(f"{number} (current)") if release.number == current else Span(number),
                Span(release.tag or "-"),
                Span(time_text(release.created_at) or "-"),
                Span(release.created_by or "-"),
                faint(release.commit[:12] or "-"),
            ]
        )
    return table(rows)


def release_lines(release: Release) -> list[Line]:
    """One release: what `ship` leaves behind."""
    tag = f" ({release.tag})" if release.tag else ""
    lines = [line(strong(f"release {release.number}{tag}"), f" of {release.spec.name}")]
    rows = [
        [
            Span(entry.service),
            Span(entry.image.reference),
            faint(digest_text(entry.image.manifest_digest or entry.image.config_digest)),
        ]
        for entry in release.images
    ]
    return lines + table(rows, indent=2)


def _number(entry: RunRecord | Release) -> int:
    return entry.number


def _run(run: RunRecord) -> list[Span]:
    return [
        Span(str(run.number)),
        Span(time_text(run.started_at)),
        Span(run.command),
        Span(str(run.release or "-")),
        Span(run.actor),
        faint(_took(run)),
        _outcome(run),
    ]


def _took(run: RunRecord) -> str:
    start, end = moment_of(run.started_at), moment_of(run.ended_at)
    return "-" if start is None or end is None else duration_text(end - start)


def _outcome(run: RunRecord) -> Span:
    if not run.outcome:
        return warn("not finished")
    try:
        outcome = Outcome(run.outcome)
    except ValueError:
        return warn(run.outcome)
    text = OUTCOME_TEXTS[outcome]
    if outcome in {Outcome.DONE, Outcome.NOTHING_TO_DO}:
        return good(text)
    serves = f", release {run.current} serves" if run.current else ""
    why = f": {run.cause}" if run.cause else ""
    return bad(f"{text}{serves}{why}")
