"""What restore points there are, and what is in one."""

from dataclasses import dataclass

from underway.api.backing_up import desk_of, home_of
from underway.api.moments import rfc3339
from underway.api.session import Session
from underway.backup.manifest import chosen_point, decode_manifest, point_at
from underway.errors import RefusedError
from underway.errors.suggestion import beginning_hint
from underway.model.names import AppName
from underway.model.restore_point import Manifest, PointSummary
from underway.ports.backup import BackupStore, Workplace


def points(session: Session) -> tuple[PointSummary, ...]:
    """All complete restore points of the app, oldest first."""
    desk = desk_of(session)
    with desk.open_store(Workplace(home_of(session), is_looking=True)) as store:
        return store.points(session.app)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which restore point is meant: by name (an id, the beginning of one, `latest`), or by time.

    `at_s`, in seconds since the epoch, chooses the newest point of that moment or before.
    """

    name: str = "latest"
    at_s: float = 0.0


def show(session: Session, choice: Choice) -> Manifest:
    """One restore point."""
    desk = desk_of(session)
    with desk.open_store(Workplace(home_of(session), is_looking=True)) as store:
        return manifest_chosen(session, store, choice)


def manifest_chosen(session: Session, store: BackupStore, choice: Choice) -> Manifest:
    """The manifest of the point that is meant; RefusedError `backup-point-unknown`."""
    return manifest_of(store, session.app, choice)


def manifest_of(store: BackupStore, app: AppName, choice: Choice) -> Manifest:
    """As `manifest_chosen`, for an app that may be of another session."""
    if not choice.at_s:
        return _manifest_named(store, app, choice.name)
    found = store.points(app)
    point = point_at(found, choice.at_s)
    if point is None:
        moment = rfc3339(choice.at_s)
        oldest = f"the oldest is {found[0].point}" if found else "there is none at all"
        raise RefusedError(
            "backup-point-unknown",
            f"{app} has no complete restore point of {moment} or before",
            cause=oldest,
            hint="`underway backup list` shows them, with the moment of their data",
        )
    return decode_manifest(store.manifest(point.point), point.point)


def _manifest_named(store: BackupStore, app: AppName, name: str) -> Manifest:
    found = store.points(app)
    point = chosen_point(found, name)
    if point is None:
        newest = ", ".join(one.point for one in found[-3:]) or "none"
        listed = f"`underway backup list` shows them; the newest: {newest}"
        raise RefusedError(
            "backup-point-unknown",
            f"{app} has no complete restore point `{name}`, or several begin so",
            hint=beginning_hint(name, [one.point for one in found], listed),
        )
    return decode_manifest(store.manifest(point.point), point.point)
