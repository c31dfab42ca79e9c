"""Prove that a point can be restored: into throw-away volumes, apart from all networks."""

import secrets

from underway.api.account import accounted
from underway.api.backing_up import desk_of, ground_of, home_of
from underway.api.filling import Intent, discard, fill
from underway.api.moments import rfc3339
from underway.api.restore_points import Choice, manifest_chosen
from underway.api.session import Session
from underway.backup.restore_plan import RestoreWish, plan_restore
from underway.errors import UnderwayError
from underway.model.restore_point import Manifest, Proof
from underway.ports.backup import Workplace
from underway.ports.locking import Lock


def verify(
    session: Session, choice: Choice, *, reads_all: bool = False, wait_s: float = 0.0
) -> tuple[Manifest, Proof]:
    """Restore a point into throw-away volumes, compare, have databases check it, remove it.

    `reads_all` first reads every byte of the repository. What it came to is recorded beside the
    point; a failure is raised after that.
    """
    desk = desk_of(session)
    with (
        accounted(session, "backup verify") as account,
        desk.locks.acquire(session.app, "backup verify", wait_s=wait_s) as lock,
    ):
        manifest, proof = verify_locked(session, lock, choice, reads_all=reads_all)
        account.release, account.text = manifest.release.number, manifest.point
    return manifest, proof


def verify_locked(
    session: Session, lock: Lock, choice: Choice, *, reads_all: bool = False
) -> tuple[Manifest, Proof]:
    """As `verify`, for whoever holds the lock of backups already."""
    with desk_of(session).open_store(Workplace(home_of(session))) as store:
        manifest = manifest_chosen(session, store, choice)
        if reads_all:
            store.examine(progress=lambda _done, _total, _text: None)
    ground = ground_of(session)
    wish = RestoreWish(manifest, beside=f"underway-verify-{secrets.token_hex(3)}")
    plan = plan_restore(wish, ground.release, ground.snapshot, ground.bindings)
    intent = Intent(manifest, plan, ground, wish.beside)
    began = session.clock.monotonic()
    try:
        fill(session, intent, lock.check, checks=True)
    except UnderwayError as error:
        if error.code != "interrupted":
            _record(session, manifest, has_passed=False, began=began)
        raise
    finally:
        discard(session, intent)
    return manifest, _record(session, manifest, has_passed=True, began=began)


def _record(session: Session, manifest: Manifest, *, has_passed: bool, began: float) -> Proof:
    took = session.clock.monotonic() - began
    proof = Proof(rfc3339(session.clock.now()), has_passed, round(took, 1))
    with desk_of(session).open_store(Workplace(home_of(session))) as store:
        store.record_proof(manifest.point, proof)
    return proof
