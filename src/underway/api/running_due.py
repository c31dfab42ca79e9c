"""What the schedule of backups asks for now, and doing it: once, whoever else does it too."""

from dataclasses import dataclass, replace

from underway.api.account import accounted
from underway.api.backing_up import coverage, create_locked, desk_of, home_of
from underway.api.keeping import prune
from underway.api.moments import rfc3339
from underway.api.proving import verify_locked
from underway.api.restore_points import Choice
from underway.api.session import Session
from underway.backup.due import Duty, duties_of, is_scheduled
from underway.backup.retention import Retention
from underway.errors import LockedError, RefusedError, UnderwayError
from underway.model.backup import Consistency
from underway.model.event import Level, Outcome
from underway.model.names import VolumeName
from underway.model.notice import Notice, NoticeKind
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

    @property
    def has_recovered(self) -> bool:
        """Whether points were late or failed before, and nothing is any more."""
        done = bool(self.manifest or self.proof) and bool(self.before.points)
        stays = any(duty.is_alarming and not duty.is_due for duty in self.before.duties)
        return done and self.before.is_alarming and not stays


def looked(session: Session) -> tuple[tuple[VolumeName, ...], Standings]:
    """The volumes that are backed up, and how they stand, schedule or none."""
    found = coverage(session)
    volumes = tuple(one.volume for one in found if one.consistency is not Consistency.NONE)
    with desk_of(session).open_store(Workplace(home_of(session), is_looking=True)) as store:
        store.open()
        points = store.points(session.app)
    duties = duties_of(desk_of(session).policy, volumes, points, session.clock.now())
    return volumes, Standings(duties, points)


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
    return looked(session)[1]


def run_due(session: Session, *, wait_s: float = 0.0) -> Ran:
    """Do what is due: back up, verify, forget what no rule keeps. What was missed is done once.

    What is due is asked again once the lock is held, so that two who come at once do it once.
    Whoever the file names is told of a failure, and of the end of what was late. Raises what
    backing up and verifying raise.
    """
    try:
        ran = _run_due(session, wait_s)
    except UnderwayError as error:
        if error.code != "interrupted" and not isinstance(error, LockedError):
            text = "\n".join(filter(None, (error.message, error.cause, error.hint)))
            tell(session, NoticeKind.FAILED, text, error.code)
        raise
    if ran.has_recovered:
        made = ran.manifest.point if ran.manifest else "the newest point was verified"
        tell(session, NoticeKind.RECOVERED, f"what was late is done: {made}")
    return ran


def tell_late(session: Session, found: Standings) -> None:
    """Tell whoever the file names what is overdue, unverified or failed, if anything is."""
    late = [f"{d.volume or 'verification'}: {d.standing}" for d in found.duties if d.is_alarming]
    if late:
        tell(session, NoticeKind.LATE, "\n".join(late))


def tell(session: Session, kind: NoticeKind, text: str, code: str = "") -> None:
    """Tell whoever the file names; a way that does not work is noted, and fails nothing."""
    notice = Notice(session.app, kind, text, rfc3339(session.clock.now()), code)
    for why in desk_of(session).notify(notice):
        session.voice.note(Level.WARNING, "notify-failed", f"nobody was told: {why}")


def _run_due(session: Session, wait_s: float) -> Ran:
    before = standings(session)
    if not (before.due or before.is_verification_due):
        return Ran(before)
    ran = _done_locked(session, before, wait_s)
    if ran.manifest:
        ran = replace(ran, retention=prune(session, wait_s=wait_s))
    return ran


def _done_locked(session: Session, before: Standings, wait_s: float) -> Ran:
    """What is still due once the lock is held: another may have done it meanwhile."""
    manifest = proof = None
    with (
        accounted(session, "backup run") as account,
        desk_of(session).locks.acquire(session.app, "backup run", wait_s=wait_s) as lock,
    ):
        now = standings(session)
        if now.due:
            scheduled = frozenset(duty.volume for duty in now.duties if duty.volume)
            # All that is scheduled together makes a point that a restore can be made of.
            only = frozenset[VolumeName]() if now.due == scheduled else now.due
            manifest = create_locked(session, lock, only=only)
        if now.is_verification_due:
            _, proof = verify_locked(session, lock, Choice())
        if manifest:
            account.release, account.text = manifest.release.number, manifest.point
        elif not proof:
            account.outcome = Outcome.NOTHING_TO_DO
    return Ran(before, manifest, proof=proof)
