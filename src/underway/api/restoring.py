"""Restore: fill new volumes from a point, then roll the services that mount them onto these.

The old volumes stay as they are; a failure or a dead client leaves them where they serve.
"""

import secrets

from underway.api.account import accounted
from underway.api.backing_up import Ground, create, desk_of, ground_of, home_of
from underway.api.filling import Intent, discard, fill
from underway.api.restore_points import Choice, manifest_chosen
from underway.api.running import Finish, run_job
from underway.api.session import Session, current_release
from underway.api.shipping import Cargo, recorded
from underway.api.steering import Course, Job
from underway.backup.restore_plan import RestoreWish, plan_restore
from underway.errors import RefusedError, UnderwayError
from underway.model.event import Level
from underway.model.names import LABEL_REPLACES, VolumeName
from underway.model.release import Binding
from underway.model.snapshot import Snapshot
from underway.ports.backup import Workplace


def intend(
    session: Session, choice: Choice, *, only: frozenset[VolumeName] = frozenset(), beside: str = ""
) -> Intent:
    """Plan to bring a point back, changing nothing yet; raises RefusedError."""
    desk = desk_of(session)
    with desk.open_store(Workplace(home_of(session), is_looking=True)) as store:
        manifest = manifest_chosen(session, store, choice)
    ground = ground_of(session)
    wish = RestoreWish(manifest, only, beside, salt=secrets.token_hex(8))
    plan = plan_restore(wish, ground.release, ground.snapshot, ground.bindings)
    return Intent(manifest, plan, ground, beside)


def restore(session: Session, intent: Intent, *, wait_s: float = 0.0) -> Finish | None:
    """Carry a restore out: fill the volumes, and move the services onto them.

    None where the volumes only stand beside the running ones. Raises what a deploy raises; before
    the services moved, whatever went wrong, the volumes that were begun are removed.
    """
    desk = desk_of(session)
    with accounted(session, "backup restore", intent.ground.release.number) as account:
        for remark in intent.plan.remarks:
            session.voice.note(Level.WARNING, "backup-other-release", remark)
        with desk.locks.acquire(session.app, "backup restore", wait_s=wait_s) as lock:
            try:
                fill(session, intent, lock.check)
                if intent.beside:
                    return None
                finish = _swing(session, intent.plan.bindings, intent.plan.bindings_back, wait_s)
            except UnderwayError:
                discard(session, intent)
                raise
        account.outcome, account.text = finish.outcome, finish.text
    return finish


def replaced(ground: Ground) -> tuple[Binding, ...]:
    """The volumes that restored ones stand in for, as far as they are still there.

    Raises RefusedError `backup-nothing-to-undo` where there are none.
    """
    volumes = {v.name: dict(v.labels) for host in ground.snapshot.reachable for v in host.volumes}
    found = tuple(
        Binding(name, before)
        for name, physical in sorted(ground.bindings.items())
        if (before := volumes.get(physical, {}).get(LABEL_REPLACES, "")) in volumes
    )
    if not found:
        raise RefusedError(
            "backup-nothing-to-undo",
            "no volume that serves was restored, or those before them are gone",
            hint="`underway backup restore` brings a restore point back",
        )
    return found


def undo(session: Session, ground: Ground, *, wait_s: float = 0.0) -> Finish:
    """Swing back to the volumes before the last restore, after a safety backup of what serves."""
    bindings = replaced(ground)
    create(session, wait_s=wait_s)
    with (
        accounted(session, "backup restore", ground.release.number) as account,
        desk_of(session).locks.acquire(session.app, "backup restore", wait_s=wait_s),
    ):
        back = tuple(
            Binding(one.volume, ground.bindings[VolumeName(one.volume)]) for one in bindings
        )
        finish = _swing(session, bindings, back, wait_s)
        account.outcome, account.text = finish.outcome, finish.text
    return finish


def _swing(
    session: Session,
    bindings: tuple[Binding, ...],
    bindings_back: tuple[Binding, ...],
    wait_s: float,
) -> Finish:
    """The rollout: every service that mounts one of the volumes moves to the other one."""
    job = Job(
        command="backup restore",
        is_rollback=True,
        allows_interruption=True,
        wait_s=wait_s,
        bindings=bindings,
        bindings_back=bindings_back,
    )
    snapshot = session.observe()
    course = Course.of(session, job, snapshot, lambda seen: _current(session, seen))
    return run_job(session, course, session.observe())


def _current(session: Session, snapshot: Snapshot) -> Cargo:
    release = current_release(snapshot)
    if release is None:
        raise RefusedError(
            "nothing-deployed",
            f"{session.app} does not run: there is nothing to bring the data back to",
            hint="`underway deploy` first",
        )
    return recorded(session, snapshot, release.number)
