"""What the schedule of backups asks for now, and doing it: once, whoever else does it too."""

from dataclasses import dataclass

from underway.api.account import accounted
from underway.api.backing_up import coverage, create_locked, desk_of, home_of
from underway.api.keeping import prune
from underway.api.proving import verify
from underway.api.restore_points import Choice
from underway.api.session import Session
from underway.backup.due import Duty, duties_of, is_scheduled
from underway.backup.retention import Retention
from underway.errors import RefusedError
from underway.model.backup import Consistency
from underway.model.event import Outcome
from underway.model.names import VolumeName
from underway.model.restore_point import Manifest, PointSummary, Proof
from underway.ports.backup import Workplace


@dataclass(frozen=True, slots=True)
class Standings:
    """How the schedule stands: what it asks for, and the complete points, oldest first."""

    duties: tuple[Duty, ...]
    points: tuple[PointSummary, ...]

    @property
    def due(self) -> frozenset[VolumeName]:
        """The volumes whose backup is due."""
        return frozenset(duty.volume for duty in self.duties if duty.volume and duty.is_due)

    @property
    def is_verification_due(self) -> bool:
        """Whether the newest point is to be restored for a trial now."""
        return any(not duty.volume and duty.is_due for duty in self.duties)

    @property
    def is_alarming(self) -> bool:
        """Whether something is overdue, unverified, or failed."""
        return any(duty.is_alarming for duty in self.duties)


@dataclass(frozen=True, slots=True)
class Ran:
    """What was due and is done: each None where it was not due. `before` is how it stood."""

    before: Standings
    manifest: Manifest | None = None
    retention: Retention | None = None
    proof: Proof | None = None


def standings(session: Session) -> Standings:
    """What the schedule asks for; RefusedError `backup-unscheduled` where the file says none."""
    policy = desk_of(session).policy
    if not is_scheduled(policy):
        raise RefusedError(
            "backup-unscheduled",
            f"the file of {session.app} does not say when backups are made",
            cause="neither `backup` nor a volume has `every`",
            hint='add x-underway: {backup: {every: "03:00"}}',
        )
    found = coverage(session)
    volumes = tuple(one.volume for one in found if one.consistency is not Consistency.NONE)
    with desk_of(session).open_store(Workplace(home_of(session), is_looking=True)) as store:
        store.open()
        points = store.points(session.app)
    return Standings(duties_of(policy, volumes, points, session.clock.now()), points)


def run_due(session: Session, *, wait_s: float = 0.0) -> Ran:
    """Do what is due: back up, forget what no rule keeps, verify. What was missed is done once.

    What is due is asked again once the lock is held, so that two who come at once do it once.
    Raises what backing up and verifying raise.
    """
    before = standings(session)
    manifest = retention = proof = None
    if before.due:
        manifest = _backed_up(session, wait_s)
    if manifest:
        retention = prune(session, wait_s=wait_s)
    if before.is_verification_due and standings(session).is_verification_due:
        _, proof = verify(session, Choice(), wait_s=wait_s)
    return Ran(before, manifest, retention, proof)


def _backed_up(session: Session, wait_s: float) -> Manifest | None:
    with (
        accounted(session, "backup run") as account,
        desk_of(session).locks.acquire(session.app, "backup run", wait_s=wait_s) as lock,
    ):
        now = standings(session)
        if not now.due:
            account.outcome = Outcome.NOTHING_TO_DO
            return None
        scheduled = frozenset(duty.volume for duty in now.duties if duty.volume)
        # All that is scheduled together makes a point that a restore of the app can be made of.
        only = frozenset[VolumeName]() if now.due == scheduled else now.due
        manifest = create_locked(session, lock, only=only)
        account.release, account.text = manifest.release.number, manifest.point
    return manifest
