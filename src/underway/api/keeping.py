"""Which restore points stay: forget what no rule keeps, free what nothing needs."""

from underway.api.account import accounted
from underway.api.backing_up import desk_of, home_of
from underway.api.maintaining import needed_releases
from underway.api.restore_points import Choice, manifest_chosen
from underway.api.session import Session
from underway.backup.retention import Retention, plan_retention, rules_of
from underway.errors import RefusedError
from underway.model.event import Outcome
from underway.model.restore_point import PointId, PointSummary
from underway.ports.backup import Workplace


def plan_pruning(session: Session, *, is_forced: bool = False) -> Retention:
    """What pruning would keep and forget, changing nothing."""
    desk = desk_of(session)
    with desk.open_store(Workplace(home_of(session), is_looking=True)) as store:
        return _chosen(session, store.points(session.app), is_forced=is_forced)


def prune(session: Session, *, is_forced: bool = False, wait_s: float = 0.0) -> Retention:
    """Forget the points that no rule keeps, and what interrupted backups left; free the space.

    Where the newest point shrank by half, nothing goes unless `is_forced`.
    """
    desk = desk_of(session)
    with (
        accounted(session, "backup prune") as account,
        desk.locks.acquire(session.app, "backup prune", wait_s=wait_s) as lock,
        desk.open_store(Workplace(home_of(session))) as store,
    ):
        store.unlock()
        points = store.points(session.app)
        chosen = _chosen(session, points, is_forced=is_forced)
        lock.check()
        left = store.partials(session.app)
        if not chosen.forget and not left:
            account.outcome = Outcome.NOTHING_TO_DO
        else:
            store.forget(session.app, (*chosen.forget, *left))
        account.text = chosen.held
    return chosen


def forget(session: Session, name: str, *, wait_s: float = 0.0) -> PointId:
    """Forget one point; RefusedError `backup-floor` where too few would stay."""
    desk = desk_of(session)
    with (
        accounted(session, "backup forget") as account,
        desk.locks.acquire(session.app, "backup forget", wait_s=wait_s) as lock,
        desk.open_store(Workplace(home_of(session))) as store,
    ):
        store.unlock()
        point = manifest_chosen(session, store, Choice(name)).point
        sound = [one.point for one in store.points(session.app) if not one.has_failed]
        left = [one for one in sound if one != point]
        if len(left) < desk.policy.keep.floor:
            raise RefusedError(
                "backup-floor",
                f"{session.app} would have fewer than {desk.policy.keep.floor} points",
                cause="so many that did not fail a verification stay (`keep: {floor: ...}`)",
                hint="make newer ones first, or lower the floor",
            )
        lock.check()
        store.forget(session.app, (point,))
        account.text = point
    return point


def _chosen(session: Session, points: tuple[PointSummary, ...], *, is_forced: bool) -> Retention:
    """By the file's rules, and by the releases that the hosts keep for going back."""
    return plan_retention(
        points,
        rules_of(desk_of(session).policy),
        releases=needed_releases(session.observe()),
        is_forced=is_forced,
    )
