"""Restore points as text, newest first. Pure."""

from collections.abc import Sequence
from urllib.parse import unquote

from underway.backup.plan import Coverage
from underway.backup.retention import Retention
from underway.model.restore_point import Manifest, PointSummary, Proof, VolumeCopy
from underway.report.amounts import age_text, count_text, duration_text, size_text, time_text
from underway.report.line import Line, Span, bad, faint, good, line, strong, table, warn

_POINT_HEADS = ("POINT", "DATA OF (UTC)", "AGE", "RELEASE", "SIZE", "VOLUMES", "", "")
_VOLUME_HEADS = ("VOLUME", "HOW", "SIZE", "ENTRIES", "FROZEN", "")


def points_lines(points: Sequence[PointSummary], now: float) -> list[Line]:
    """Complete restore points."""
    if not points:
        return [line(faint("no complete restore point: `underway backup create` makes one"))]
    rows = [[faint(head) for head in _POINT_HEADS]]
    rows += [
        [
            Span(point.point),
            Span(time_text(point.moment)),
            Span(age_text(point.moment, now)),
            Span(str(point.release)),
            Span(size_text(point.bytes)),
            Span(", ".join(point.volumes)),
            warn("fuzzy") if point.is_fuzzy else good("consistent"),
            _proof(point.proof, now),
        ]
        for point in reversed(points)
    ]
    return table(rows)


def point_lines(manifest: Manifest) -> list[Line]:
    """One restore point and what is in it."""
    took = f"made in {duration_text(manifest.duration_s)} by {manifest.created_by}"
    lines = [
        line(
            strong(manifest.point),
            f"  {manifest.app} release {manifest.release.number}",
            f", data of {time_text(manifest.summary.moment)} UTC",
            faint(f"  {took}"),
        )
    ]
    rows = [[faint(head) for head in _VOLUME_HEADS]]
    rows += [_volume(copy) for copy in manifest.volumes]
    lines += table(rows, indent=2)
    for copy in manifest.volumes:
        found = (unquote(path, errors="backslashreplace") for path in copy.databases)
        lines += [line(faint("sqlite: "), f"{copy.volume}/{path}") for path in found]
        lines += [line(warn("moved: "), path) for path in copy.moved]
    return lines


def created_lines(manifest: Manifest) -> list[Line]:
    """A backup that ended well."""
    summary = manifest.summary
    text = (
        f": {manifest.point} holds {size_text(summary.bytes)} of "
        f"{count_text(len(summary.volumes), 'volume')}"
    )
    lines = [line(good("done"), text, faint(f"  {duration_text(manifest.duration_s)}"))]
    frozen = max((copy.freeze_s for copy in manifest.volumes), default=0.0)
    if frozen:
        lines.append(line(faint("note: "), f"writers stood still for {frozen:.2f}s"))
    for copy in manifest.volumes:
        if copy.moved:
            moved = count_text(len(copy.moved), "file")
            lines.append(line(warn("fuzzy: "), f"{copy.volume}: {moved} changed while it was read"))
    return lines


def intent_lines(
    app: str, lost: Sequence[str], services: Sequence[str], remarks: Sequence[str]
) -> list[Line]:
    """What a restore means, before it is asked."""
    lines = [line(bad("lost: "), text) for text in lost]
    if services:
        moved = ", ".join(services)
        lines.append(line(strong(f"{moved} of {app} move to the restored data"), ", together"))
    return [*lines, *(line(warn("note: "), text) for text in remarks)]


def restored_lines(point: str, volumes: Sequence[tuple[str, str]], *, beside: bool) -> list[Line]:
    """A restore that ended well; the volumes by name and what stands behind them now."""
    if beside:
        lines = [line(good("done"), f": volumes of {point} stand beside the running ones")]
    else:
        lines = [line(good("done"), f": {point} serves; the volumes before it stay as they are")]
    return [*lines, *(line(faint("  "), f"{name}: {physical}") for name, physical in volumes)]


def proven_lines(manifest: Manifest, proof: Proof, now: float) -> list[Line]:
    """A verification that passed, with the recovery time and data age it measured."""
    age = age_text(manifest.summary.moment, now)
    text = f": {manifest.point} was restored whole in {duration_text(proof.duration_s)}"
    return [line(good("done"), text, faint(f"  its data is {age} old"))]


def retention_lines(chosen: Retention, *, is_done: bool) -> list[Line]:
    """What stays and why, and what goes."""
    gone = "forgotten" if is_done else "would be forgotten"
    rows = [[Span(point), good("stays"), faint(", ".join(why))] for point, why in chosen.reasons]
    rows += [[Span(point), warn(gone), faint("no rule keeps it")] for point in chosen.forget]
    lines = table(rows) or [line(faint("no complete restore point"))]
    if chosen.held:
        lines.append(line(warn("held: "), f"nothing was forgotten: {chosen.held}; --force does"))
    return lines


def coverage_lines(found: Sequence[Coverage]) -> list[Line]:
    """How each volume is backed up."""
    if not found:
        return [line(faint("the release has no volumes"))]
    return table(
        [
            [
                Span(one.volume),
                Span(one.consistency.value),
                good("covered") if one.is_covered else bad("not covered"),
                faint(one.text + (f" [{one.code}]" if one.code else "")),
            ]
            for one in found
        ]
    )


def _proof(proof: Proof | None, now: float) -> Span:
    if proof is None:
        return faint("not verified")
    age = age_text(proof.moment, now)
    return good(f"verified {age} ago") if proof.has_passed else bad(f"failed {age} ago")


def _volume(copy: VolumeCopy) -> list[Span]:
    how = f"{copy.consistency}{f' ({copy.preset})' if copy.preset else ''}"
    return [
        Span(copy.volume),
        Span(how),
        Span(size_text(copy.bytes)),
        Span(str(copy.entries)),
        Span(f"{copy.freeze_s:.2f}s" if copy.freeze_s else "-"),
        warn("fuzzy") if copy.is_fuzzy else good("consistent"),
    ]
