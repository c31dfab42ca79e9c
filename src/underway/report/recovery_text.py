"""Recoveries as text and as a JSON document. Pure."""

from collections.abc import Sequence

from underway.model.recovery import Recovered
from underway.model.release import Release
from underway.model.restore_point import Manifest
from underway.report.amounts import age_text, count_text, duration_text, size_text, time_text
from underway.report.line import Line, bad, faint, good, line, strong, warn
from underway.report.recovery_documents import RecoveryDocument, RecoveryPart


def recovery_lines(manifest: Manifest, release: Release, now: float) -> list[Line]:
    """What a recovery brings back and what it cannot, before it starts."""
    summary = manifest.summary
    hosts = ", ".join(host.name for host in release.spec.hosts)
    age = age_text(summary.moment, now)
    return [
        line(
            strong(f"{manifest.app} release {release.number}"),
            f" comes back on {hosts} with {size_text(summary.bytes)} of "
            f"{count_text(len(summary.volumes), 'volume')} from {manifest.point}",
        ),
        line(bad("lost: "), f"what was written since {time_text(summary.moment)} UTC, {age} ago"),
    ]


def recovered_lines(done: Recovered) -> list[Line]:
    """A recovery that ended well: how long it took, and what is lost."""
    parts = ", ".join(f"{what} {duration_text(took)}" for what, took in done.parts_s)
    manifest = done.manifest
    head = (
        f": {manifest.app} serves on {', '.join(done.hosts)} again, release "
        f"{manifest.release.number}, data of {manifest.point} verified"
    )
    return [
        line(good("done"), head, faint(f"  {duration_text(done.took_s)}")),
        line(faint("took: "), parts),
        line(
            faint("lost: "),
            f"what was written since {time_text(done.moment)} UTC, "
            f"{duration_text(done.age_s)} before it served again",
        ),
        *_volumes(done),
        line(faint("next: "), "write the new hosts into the Compose file, then `underway plan`"),
    ]


def recovery_document(done: Recovered) -> RecoveryDocument:
    """The same for programs."""
    return RecoveryDocument(
        app=done.manifest.app,
        point=done.manifest.point,
        release=done.manifest.release.number,
        hosts=tuple(done.hosts),
        moment=done.moment,
        age_s=round(done.age_s, 1),
        took_s=done.took_s,
        parts=tuple(RecoveryPart(what, took) for what, took in done.parts_s),
        left_out=tuple(done.left_out),
    )


def _volumes(done: Recovered) -> Sequence[Line]:
    shown = [line(faint("  "), f"{name}: {physical}") for name, physical in done.volumes]
    left = [
        line(warn("note: "), f"{name} has a place of its own, and is used as it is there")
        for name in done.left_out
    ]
    return [*shown, *left]
