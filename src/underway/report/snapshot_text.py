"""Image snapshots as text and as a document. Pure."""

from collections.abc import Sequence

from underway.backup.image_snapshot import ImageSnapshot
from underway.report.amounts import age_text, size_text, time_text
from underway.report.line import Line, Span, faint, line, table
from underway.report.recovery_documents import ImageSnapshotPart, ImageSnapshotsDocument

_HEADS = ("SNAPSHOT", "TAKEN (UTC)", "AGE", "SERVICE", "RELEASE", "SIZE", "HOSTS", "DATA")


def snapshots_lines(found: Sequence[ImageSnapshot], now: float) -> list[Line]:
    """Image snapshots, newest first."""
    if not found:
        return [
            line(faint("no image snapshot: `underway image snapshot create SERVICE` takes one"))
        ]
    rows = [[faint(head) for head in _HEADS]]
    return table([*rows, *(_row(one, now) for one in found)])


def snapshots_document(app: str, found: Sequence[ImageSnapshot]) -> ImageSnapshotsDocument:
    """The same for programs."""
    return ImageSnapshotsDocument(
        app,
        tuple(
            ImageSnapshotPart(
                one.name,
                one.reference,
                one.created_at,
                one.service,
                one.release,
                one.size_bytes,
                tuple(one.hosts),
                one.point,
            )
            for one in found
        ),
    )


def _row(one: ImageSnapshot, now: float) -> list[Span]:
    return [
        Span(one.name),
        Span(time_text(one.created_at)),
        Span(age_text(one.created_at, now)),
        Span(one.service),
        Span(str(one.release)),
        Span(size_text(one.size_bytes)),
        Span(", ".join(one.hosts)),
        Span(one.point or "-"),
    ]
