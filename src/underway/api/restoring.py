"""Restore: fill new volumes from a point, then roll the services that mount them onto these.

The old volumes stay as they are; a failure or a dead client leaves them where they serve.
"""

import secrets

from underway.api.account import accounted
from underway.api.backing_up import desk_of, ground_of, home_of
from underway.api.filling import Intent, discard, fill
from underway.api.restore_points import manifest_named
from underway.api.running import Finish, run_job
from underway.api.session import Session, current_release
from underway.api.shipping import Cargo, recorded
from underway.api.steering import Course, Job
from underway.backup.restore_plan import RestoreWish, plan_restore
from underway.errors import RefusedError, UnderwayError
from underway.model.event import Level
from underway.model.names import VolumeName
from underway.model.snapshot import Snapshot
from underway.ports.backup import Workplace


def intend(
    session: Session, name: str, *, only: frozenset[VolumeName] = frozenset(), beside: str = ""
) -> Intent:
    """Plan to bring a point back, changing nothing yet; raises RefusedError."""
    desk = desk_of(session)
    with desk.open_store(Workplace(home_of(session))) as store:
        manifest = manifest_named(session, store, name)
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
                finish = _swing(session, intent, wait_s)
            except UnderwayError:
                discard(session, intent)
                raise
        account.outcome, account.text = finish.outcome, finish.text
    return finish


def _swing(session: Session, intent: Intent, wait_s: float) -> Finish:
    """The rollout: every service that mounts a restored volume moves to the new one."""
    job = Job(
        command="backup restore",
        is_rollback=True,
        allows_interruption=True,
        wait_s=wait_s,
        bindings=intent.plan.bindings,
        bindings_back=intent.plan.bindings_back,
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
