"""Tags as text and as a document. Pure."""

from collections.abc import Sequence

from underway.model.names import AppName
from underway.model.tagging import TagKind, TagStatus
from underway.report.amounts import age_text, digest_text, size_text
from underway.report.document_parts import TagPart
from underway.report.line import Line, Span, faint, good, line, strong, table, warn
from underway.report.look_documents import TagsDocument

_HEADS = ("TAG", "RELEASE", "KIND", "DIGEST", "AGE", "SIZE", "RUNS ON")


def tag_lines(tags: Sequence[TagStatus], now: float) -> list[Line]:
    """Tags, newest first, by repository."""
    if not tags:
        return [line(faint("no built image of a recorded release has a tag"))]
    lines: list[Line] = []
    for repository in sorted({tag.repository for tag in tags}):
        rows = [[faint(head) for head in _HEADS]]
        rows.extend(_row(tag, now) for tag in tags if tag.repository == repository)
        lines.extend([*([()] if lines else []), line(strong(repository)), *table(rows, indent=2)])
    return lines


def tags_document(app: AppName, tags: Sequence[TagStatus]) -> TagsDocument:
    """Tags, newest first."""
    return TagsDocument(
        app=app,
        tags=tuple(
            TagPart(
                repository=tag.repository,
                tag=tag.tag,
                tag_kind=tag.kind.value,
                digest=tag.digest,
                created_at=tag.created_at,
                size_bytes=tag.size_bytes,
                release=tag.release,
                hosts=tag.hosts,
            )
            for tag in tags
        ),
    )


def _row(tag: TagStatus, now: float) -> list[Span]:
    return [
        warn(tag.tag) if tag.kind is TagKind.MOVING else Span(tag.tag),
        Span(str(tag.release or "-")),
        faint(tag.kind.value),
        faint(digest_text(tag.digest)),
        Span(age_text(tag.created_at, now) or "-"),
        Span(size_text(tag.size_bytes)),
        good(", ".join(tag.hosts)) if tag.hosts else faint("-"),
    ]
