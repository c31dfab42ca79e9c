"""Which restore points stay: forget what no rule keeps, free what nothing needs."""

from underway.api.account import accounted
from underway.api.backing_up import desk_of, home_of
from underway.api.restore_points import Choice, manifest_chosen
from underway.api.session import Session
from underway.backup.retention import Retention, plan_retention, rules_of
from underway.errors import RefusedError
from underway.model.event import Outcome
from underway.model.restore_point import PointId
from underway.ports.backup import Workplace


def plan_pruning(session: Session, *, is_forced: bool = False) -> Retention:
    """What pruning would keep and forget, changing nothing."""
    desk = desk_of(session)
    with desk.open_store(Workplace(home_of(session))) as store:
        return plan_retention(store.points(session.app), rules_of(desk.policy), is_forced=is_forced)


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
        chosen = plan_retention(points, rules_of(desk.policy), is_forced=is_forced)
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
        if len(store.points(session.app)) <= desk.policy.keep.floor:
            raise RefusedError(
                "backup-floor",
                f"{session.app} would have fewer than {desk.policy.keep.floor} points",
                cause="so many stay whatever happens (`keep: {floor: ...}`)",
                hint="make newer ones first, or lower the floor",
            )
        lock.check()
        store.forget(session.app, (point,))
        account.text = point
    return point
