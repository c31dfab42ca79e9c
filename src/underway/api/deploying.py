"""Plan, deploy, roll back: the main job."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from underway.api.account import accounted
from underway.api.attesting import attest_in_registry
from underway.api.backing_up_first import REMARK, asks_backup_first
from underway.api.going_back import check_migrations, passed, release_before
from underway.api.ordering import ShipWish
from underway.api.running import record_release, run_job
from underway.api.selecting import recorded_only, shipped_only
from underway.api.session import Session, current_release, require_answer
from underway.api.shipping import (
    Cargo,
    load_cargo,
    recorded,
    require_clean,
    require_proof,
)
from underway.api.steering import Course, Job
from underway.api.tagging import move_tags, moving_remarks
from underway.api.testing import Purpose, record_attestations
from underway.errors import RefusedError, UsageError
from underway.errors.suggestion import name_hint
from underway.model.event import Outcome
from underway.model.names import NO_RELEASE, HostName, ReleaseNumber, ServiceName
from underway.model.plan import Plan
from underway.model.release import Release
from underway.model.snapshot import Snapshot
from underway.rollout.scene import ProxyRenewal


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What the user asks for beside the file.

    `release` 0 ships the file; `wait_s` is how long to wait for another run's lock; `untested`
    runs no tests, and is recorded. Where `only` is not empty, all other services stay as they run;
    where `limit` is not, all other hosts do. With `skip_backup`, none is made
    although the file asks for it.
    """

    release: ReleaseNumber = NO_RELEASE
    recreate: bool = False
    ship: ShipWish = field(default_factory=ShipWish)
    allow_interruption: bool = False
    skip_hosts: frozenset[HostName] = frozenset()
    wait_s: float = 0.0
    current_secrets: bool = False
    past_migrations: bool = False
    proxy_renewal: ProxyRenewal = ProxyRenewal.DUE
    untested: bool = False
    only: frozenset[ServiceName] = frozenset()
    limit: frozenset[HostName] = frozenset()
    skip_backup: bool = False


@dataclass(frozen=True, slots=True)
class DeployResult:
    """What a deploy or rollback came to; failures are raised, not returned."""

    release: Release
    previous: ReleaseNumber
    outcome: Outcome
    steps: int
    duration_s: float


def ship(
    session: Session,
    wish: ShipWish | None = None,
    *,
    wait_s: float = 0.0,
    untested: bool = False,
) -> Release:
    """Build, tag, test, push, and record the release on every host; `deploy NUMBER` brings it.

    What serves is not touched. Tests that fail end it before anything is pushed; `untested` runs
    none, and is recorded.
    """
    purpose = Purpose.SHIP_UNTESTED if untested else Purpose.SHIP
    snapshot = session.observe()
    course = Course.of(
        session,
        Job("ship", wait_s=wait_s),
        snapshot,
        lambda seen: load_cargo(session, seen, wish=wish, purpose=purpose),
    )
    release = record_release(session, course, seen_again(course, snapshot))
    _record_attestations(session, release)
    return release


def plan(session: Session, options: DeployOptions | None = None) -> Plan:
    """Ship (or take the release named) and plan it, changing no host."""
    chosen = options or DeployOptions()
    purpose = Purpose.PLAN
    return planned(session, "plan", chosen, lambda seen: _cargo(session, seen, chosen, purpose))


def planned(
    session: Session, command: str, options: DeployOptions, cargo_of: Callable[[Snapshot], Cargo]
) -> Plan:
    """The plan to what `cargo_of` makes of the hosts as they are, with what else will change."""
    _require_known(session, options.skip_hosts)
    snapshot = session.observe()
    course = Course.of(session, job_of(command, options), snapshot, cargo_of)
    made = course.plan(seen_again(course, snapshot))
    if made.is_empty:
        return made
    first = course.job.backs_up and asks_backup_first(session, snapshot)
    own = (REMARK,) if first else ()
    return replace(made, remarks=(*own, *made.remarks, *moving_remarks(course.release)))


def deploy(session: Session, options: DeployOptions | None = None) -> DeployResult:
    """Bring the whole fleet to the release; raises what the exit codes promise.

    StepFailedError: failed and undone. NotUndoneError: what is left. RefusedError, LockedError,
    UnreachableError, IntegrityError: nothing was changed.
    """
    chosen = options or DeployOptions()
    job = job_of("deploy", chosen)
    purpose = Purpose.SHIP_UNTESTED if chosen.untested else Purpose.SHIP
    return carried_out(
        session,
        job,
        lambda seen: _cargo(session, seen, chosen, purpose),
        release=chosen.release,
    )


def repair(
    session: Session, *, skip_hosts: frozenset[HostName] = frozenset(), wait_s: float = 0.0
) -> DeployResult:
    """Bring what runs back to what the current release says, and touch nothing else."""
    options = DeployOptions(
        allow_interruption=True,
        skip_hosts=skip_hosts,
        wait_s=wait_s,
        proxy_renewal=ProxyRenewal.NEVER,
    )

    return carried_out(
        session, job_of("repair", options), lambda seen: current_cargo(session, seen)
    )


def current_cargo(session: Session, snapshot: Snapshot) -> Cargo:
    """The release that the app runs, with its own values; RefusedError `nothing-deployed`."""
    require_answer(session, snapshot.unreachable)
    release = current_release(snapshot)
    if release is None:
        raise RefusedError(
            "nothing-deployed",
            "nothing was deployed yet: there is nothing to work on",
            hint="`underway deploy` ships the file and brings it to the hosts",
        )
    return recorded(session, snapshot, release.number)


def rollback(session: Session, options: DeployOptions | None = None) -> DeployResult:
    """Bring the whole fleet back to an older release, with that release's own configuration.

    What `before` of the releases rolled back did is taken back by their `undo` commands; where
    one has none, RefusedError `past-migrations` unless the user accepts that.
    """
    chosen = replace(options or DeployOptions(), proxy_renewal=ProxyRenewal.NEVER)
    seen = session.observe()
    require_answer(session, seen.unreachable)
    number = chosen.release or release_before(seen)
    reverts: tuple[Release, ...] = ()
    if chosen.limit:
        _require_shared_data(seen, number)
    elif not chosen.only:
        reverts = passed(seen, number)
        check_migrations(session, number, reverts, is_accepted=chosen.past_migrations)

    def older(snapshot: Snapshot) -> Cargo:
        return _recorded(session, snapshot, replace(chosen, release=number))

    job = replace(job_of("rollback", chosen), reverts=reverts)
    return carried_out(session, job, older, release=chosen.release)


def _cargo(session: Session, snapshot: Snapshot, options: DeployOptions, purpose: Purpose) -> Cargo:
    if not options.release:
        wish = options.ship
        if options.only:
            return shipped_only(session, snapshot, options.only, wish=wish, purpose=purpose)
        return load_cargo(session, snapshot, wish=wish, purpose=purpose)
    if options.limit:
        _require_shared_data(snapshot, options.release)
    cargo = _recorded(session, snapshot, options)
    require_clean(session, cargo.release)
    if purpose is Purpose.SHIP:
        require_proof(session, snapshot, cargo.release)
    return cargo


def _require_shared_data(snapshot: Snapshot, number: ReleaseNumber) -> None:
    """Raise `limit-unfit` where going back on some hosts would leave the data to two versions."""
    if stays := passed(snapshot, number):
        names = ", ".join(str(release.number) for release in stays)
        raise RefusedError(
            "limit-unfit",
            f"no host goes back alone past the `before` of release {names}",
            cause="what it did to the data was for all hosts",
            hint=f"`underway rollback {number}` takes the whole app back",
        )


def _recorded(session: Session, snapshot: Snapshot, options: DeployOptions) -> Cargo:
    """A recorded release, or what some of its services make with what runs."""
    number, secrets = options.release, options.current_secrets
    if not options.only:
        return recorded(session, snapshot, number, current_secrets=secrets)
    if stays := passed(snapshot, number, options.only):
        names = ", ".join(str(release.number) for release in stays)
        raise RefusedError(
            "only-entangled",
            f"{', '.join(sorted(options.only))} cannot go back alone past the `before` of release "
            f"{names}",
            cause="what it did to the data was for the app as a whole",
            hint=f"`underway rollback {number}` takes the whole app back",
        )
    return recorded_only(session, snapshot, number, options.only, current_secrets=secrets)


def _record_attestations(session: Session, release: Release) -> None:
    """What passed: in the ledgers, which a first release has only now made, and the registry."""
    if not session.attestations and (session.signer is None or not release.suites):
        return
    snapshot = session.observe()
    if session.attestations:
        record_attestations(session, snapshot)
    attest_in_registry(session, snapshot, release)


def job_of(command: str, options: DeployOptions) -> Job:
    """What the options ask of a command that brings the fleet to a release."""
    return Job(
        command=command,
        is_rollback=command == "rollback",
        recreates=options.recreate,
        allows_interruption=options.allow_interruption,
        skip_hosts=options.skip_hosts,
        wait_s=options.wait_s,
        proxy_renewal=options.proxy_renewal,
        limit=options.limit,
        is_whole=not options.limit and command != "repair",
        backs_up=command in {"deploy", "plan", "promote"} and not options.skip_backup,
    )


def carried_out(
    session: Session,
    job: Job,
    cargo_of: Callable[[Snapshot], Cargo],
    *,
    release: ReleaseNumber = NO_RELEASE,
) -> DeployResult:
    """A job from its beginning to its end, told and recorded; `release` is what was named."""
    _require_known(session, job.skip_hosts)
    with accounted(session, job.command, release) as account:
        snapshot = session.observe()
        before = current_release(snapshot)
        course = Course.of(session, job, snapshot, cargo_of)
        finish = run_job(session, course, seen_again(course, snapshot))
        account.release = finish.release.number
        account.outcome, account.text = finish.outcome, finish.text
        _record_attestations(session, finish.release)
        move_tags(session, finish.release)
    return DeployResult(
        finish.release,
        before.number if before else NO_RELEASE,
        finish.outcome,
        finish.steps,
        account.duration_s,
    )


def _require_known(session: Session, hosts: frozenset[HostName]) -> None:
    names = [host.name for host in session.spec.hosts]
    for name in sorted(hosts - {*names, *session.world.hosts}):
        raise UsageError(
            "skip-host-unknown",
            f"the app has no host `{name}`",
            cause=f"it has {', '.join(f'`{one}`' for one in sorted(names))}",
            hint=name_hint(name, names),
        )


def seen_again(course: Course, snapshot: Snapshot) -> Snapshot:
    """The snapshot, anew where shipping may have brought images, or where more was reached."""
    seen = {host.name for host in snapshot.hosts}
    is_whole = seen.issuperset(course.session.world.hosts)
    return snapshot if is_whole and not course.transfer(snapshot) else course.session.observe()
