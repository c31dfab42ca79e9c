"""A backup ahead of a deploy: made before anything is replaced, and ending the deploy if it fails.

It is of the data that the running release wrote; the first deploy has none. It is made while that
release serves, ahead of the deploy's own lock, so that nobody waits for it who repairs meanwhile.
"""

from underway.api.backing_up import create_locked, desk_of
from underway.api.session import Session, current_release
from underway.errors import RefusedError
from underway.model.event import Level
from underway.model.snapshot import Snapshot

REMARK = "a restore point is made first (before_deploy); where that fails, nothing is changed"


def asks_backup_first(session: Session, snapshot: Snapshot) -> bool:
    """Whether the file asks for a backup before a deploy, and there is something to back up."""
    asks = session.backups is not None and session.backups.policy.before_deploy
    return asks and current_release(snapshot) is not None


def back_up_first(session: Session, *, wait_s: float) -> None:
    """Make a restore point of what runs; raises what `backup create` raises.

    An app without a volume to back up has none, which is noted.
    """
    with desk_of(session).locks.acquire(session.app, "backup create", wait_s=wait_s) as lock:
        try:
            manifest = create_locked(session, lock)
        except RefusedError as error:
            if error.code != "backup-nothing":
                raise
            session.voice.note(Level.INFO, error.code, error.message)
            return
    session.voice.note(Level.INFO, "backed-up", f"{manifest.point} holds the data as it was before")
