"""What restore points there are, and what is in one."""

from underway.api.backing_up import desk_of, home_of
from underway.api.session import Session
from underway.backup.manifest import chosen_point, decode_manifest
from underway.errors import RefusedError
from underway.model.restore_point import Manifest, PointSummary
from underway.ports.backup import BackupStore, Workplace


def points(session: Session) -> tuple[PointSummary, ...]:
    """All complete restore points of the app, oldest first."""
    desk = desk_of(session)
    with desk.open_store(Workplace(home_of(session))) as store:
        return store.points(session.app)


def show(session: Session, name: str) -> Manifest:
    """One restore point by id, the beginning of one, or `latest`."""
    desk = desk_of(session)
    with desk.open_store(Workplace(home_of(session))) as store:
        return manifest_named(session, store, name)


def manifest_named(session: Session, store: BackupStore, name: str) -> Manifest:
    """The manifest of the point that `name` means; RefusedError `backup-point-unknown`."""
    found = store.points(session.app)
    point = chosen_point(found, name)
    if point is None:
        newest = ", ".join(one.point for one in found[-3:]) or "none"
        raise RefusedError(
            "backup-point-unknown",
            f"{session.app} has no complete restore point `{name}`, or several begin so",
            hint=f"`underway backup list` shows them; the newest: {newest}",
        )
    return decode_manifest(store.manifest(point.point), point.point)
