"""Whose history a repository holds: a fresh host only reads it until it has restored from it.

Else the backups of an empty database would push the good ones out, day by day.
"""

from collections.abc import Mapping, Sequence

from underway.api.session import Session, releases_of
from underway.backup.manifest import decode_manifest
from underway.errors import IntegrityError, RefusedError
from underway.model.event import Level
from underway.model.names import LABEL_POINT, VolumeName
from underway.model.release import Release
from underway.model.restore_point import Manifest, PointSummary
from underway.model.snapshot import Snapshot
from underway.ports.backup import BackupStore


def newest_manifest(
    session: Session, store: BackupStore, points: Sequence[PointSummary]
) -> Manifest | None:
    """The manifest of the newest of `points`; None without points, or where it cannot be read."""
    if not points:
        return None
    newest = points[-1].point
    try:
        return decode_manifest(store.manifest(newest), newest)
    except IntegrityError as error:
        session.voice.note(Level.WARNING, error.code, error.message)
        return None


def require_own(
    snapshot: Snapshot,
    bindings: Mapping[VolumeName, str],
    newest: Manifest,
    points: Sequence[PointSummary],
) -> None:
    """Raise RefusedError `backup-not-adopted` where the points are of another history of the app.

    They are its own if a host recorded the release of the newest, or serves data of one of them.
    """
    known = releases_of(snapshot).get(newest.release.number)
    if known is not None and _identity(known) == _identity(newest.release):
        return
    if _restored_from(snapshot, bindings) & {point.point for point in points}:
        return
    raise RefusedError(
        "backup-not-adopted",
        f"the repository holds points of {newest.app} that these hosts know nothing of",
        cause=f"{newest.point} is of release {newest.release.number}, made "
        f"{newest.release.created_at} by {newest.release.created_by}; it was not deployed here, "
        "and nothing was restored here",
        hint="`underway backup restore` brings its data here, and makes the history this app's "
        "own; --adopt goes on with it although this data is other",
    )


def _identity(release: Release) -> tuple[object, ...]:
    """What stays of a release that is recorded on other hosts."""
    return (release.number, release.created_at, release.created_by)


def _restored_from(snapshot: Snapshot, bindings: Mapping[VolumeName, str]) -> set[str]:
    """The points that the volumes which serve were filled from."""
    serving = set(bindings.values())
    return {
        dict(volume.labels)[LABEL_POINT]
        for host in snapshot.reachable
        for volume in host.volumes
        if volume.name in serving and LABEL_POINT in dict(volume.labels)
    }
