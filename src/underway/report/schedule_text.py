"""How the schedule of backups stands, as text and as documents. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from underway.backup.due import Duty, Standing
from underway.backup.retention import Retention
from underway.model.names import AppName
from underway.model.restore_point import Manifest, PointSummary, Proof
from underway.report.amounts import age_text, duration_text, time_text
from underway.report.backup_parts import ProofPart, point_part
from underway.report.backup_text import created_lines, proven_lines
from underway.report.line import Line, Span, bad, faint, good, line, table, warn
from underway.report.schedule_documents import DutyPart, ScheduleDocument, ScheduledRunDocument

ALARM = 4
"""The exit code of `backup status` where somebody must look, as of `backup coverage`."""

_HEADS = ("WHAT", "EVERY", "LAST GOOD (UTC)", "AGE", "DUE (UTC)", "")


def schedule_lines(duties: Sequence[Duty], now: float) -> list[Line]:
    """What is asked for, and how each stands."""
    rows = [[faint(head) for head in _HEADS], *(_row(duty, now) for duty in duties)]
    lines = table(rows)
    if any(duty.is_due for duty in duties):
        lines.append(line(faint("next: "), "`underway backup run` does what is due"))
    return lines


def _row(duty: Duty, now: float) -> list[Span]:
    return [
        Span(duty.volume or "verification"),
        Span(duty.schedule.text),
        Span(time_text(duty.last) if duty.last else "none"),
        Span(age_text(duty.last, now) if duty.last else "-"),
        Span(time_text(_moment(duty.due_at))),
        _standing(duty, now),
    ]


def _standing(duty: Duty, now: float) -> Span:
    match duty.standing:
        case Standing.ON_TIME:
            return good("on time")
        case Standing.DUE:
            return warn("due now")
        case Standing.OVERDUE if not duty.last:
            return bad("overdue: no good point")
        case Standing.OVERDUE | Standing.UNVERIFIED:
            return bad(f"{duty.standing} for {duration_text(now - duty.due_at)}")
        case Standing.FAILED:
            return bad("the last verification failed")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def ran_lines(
    manifest: Manifest | None, retention: Retention | None, proof: Proof | None, now: float
) -> list[Line]:
    """What was due and is done."""
    if not manifest and not proof:
        return [line(good("done"), ": nothing is due")]
    lines = created_lines(manifest) if manifest else []
    if retention and retention.held:
        lines.append(line(warn("held: "), f"nothing was forgotten: {retention.held}"))
    elif retention and retention.forget:
        lines.append(line(faint("forgotten: "), ", ".join(retention.forget)))
    if proof and manifest:
        lines += proven_lines(manifest, proof, now)
    elif proof:
        text = f": the newest point was restored whole in {duration_text(proof.duration_s)}"
        lines.append(line(good("done"), text))
    return lines


def schedule_document(
    app: AppName, duties: Sequence[Duty], points: Sequence[PointSummary]
) -> ScheduleDocument:
    """The same for programs; `points` are the oldest first."""
    newest = points[-1] if points else None
    return ScheduleDocument(
        app,
        ALARM if any(duty.is_alarming for duty in duties) else 0,
        tuple(
            DutyPart(d.volume, d.schedule.text, d.last, _moment(d.due_at), d.standing.value)
            for d in duties
        ),
        point_part(newest) if newest else None,
    )


def ran_document(
    app: AppName, manifest: Manifest | None, retention: Retention | None, proof: Proof | None
) -> ScheduledRunDocument:
    """What was due and is done, for programs."""
    return ScheduledRunDocument(
        app,
        point_part(manifest.summary) if manifest else None,
        retention.forget if retention else (),
        retention.held if retention else "",
        ProofPart(proof.moment, proof.has_passed, proof.duration_s) if proof else None,
    )
