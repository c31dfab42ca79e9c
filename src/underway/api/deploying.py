"""Plan, deploy, roll back: the main job."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from underway.api.account import accounted
from underway.api.running import record_release, run_job
from underway.api.session import Session, current_release, releases_of, require_answer, runs_of
from underway.api.shipping import Cargo, load_cargo, recorded, require_proof
from underway.api.steering import Course, Job
from underway.api.testing import Purpose, record_attestations
from underway.errors import RefusedError, UsageError
from underway.errors.suggestion import name_hint
from underway.model.event import Outcome
from underway.model.names import NO_RELEASE, HostName, ReleaseNumber, ServiceName
from underway.model.plan import Plan
from underway.model.release import Release, RunRecord
from underway.model.snapshot import Snapshot
from underway.rollout.scene import ProxyRenewal


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What the user asks for beside the file.

    `release` 0 ships the file; `wait_s` is how long to wait for another run's lock; `untested`
    runs no tests, and is recorded.
    """

    release: ReleaseNumber = NO_RELEASE
    recreate: bool = False
    refresh: frozenset[ServiceName] = frozenset()
    allow_interruption: bool = False
    skip_hosts: frozenset[HostName] = frozenset()
    wait_s: float = 0.0
    current_secrets: bool = False
    past_migrations: bool = False
    proxy_renewal: ProxyRenewal = ProxyRenewal.DUE
    untested: bool = False


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
    *,
    refresh: frozenset[ServiceName] = frozenset(),
    wait_s: float = 0.0,
    untested: bool = False,
) -> Release:
    """Build, tag, test, push, and record the release on every host; `deploy NUMBER` brings it.

    `refresh` names services whose `image:` is resolved anew. What serves is not touched. Tests
    that fail end it before anything is pushed; `untested` runs none, and is recorded.
    """
    purpose = Purpose.SHIP_UNTESTED if untested else Purpose.SHIP
    snapshot = session.observe()
    course = Course.of(
        session,
        Job("ship", wait_s=wait_s),
        snapshot,
        lambda seen: load_cargo(session, seen, refresh=refresh, purpose=purpose),
    )
    release = record_release(session, course, seen_again(course, snapshot))
    _record_attestations(session)
    return release


def plan(session: Session, options: DeployOptions | None = None) -> Plan:
    """Ship (or take the release named) and plan it, changing no host."""
    chosen = options or DeployOptions()
    _require_known(session, chosen.skip_hosts)
    snapshot = session.observe()
    job = _job("plan", chosen)
    purpose = Purpose.PLAN
    course = Course.of(session, job, snapshot, lambda seen: _cargo(session, seen, chosen, purpose))
    return course.plan(seen_again(course, snapshot))


def deploy(session: Session, options: DeployOptions | None = None) -> DeployResult:
    """Bring the whole fleet to the release; raises what the exit codes promise.

    StepFailedError: failed and undone. NotUndoneError: what is left. RefusedError, LockedError,
    UnreachableError, IntegrityError: nothing was changed.
    """
    chosen = options or DeployOptions()
    job = _job("deploy", chosen)
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

    return carried_out(session, _job("repair", options), lambda seen: current_cargo(session, seen))


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
    number = chosen.release or _release_before(seen)
    reverts = _passed(seen, number)
    _check_migrations(session, number, reverts, chosen)

    def older(snapshot: Snapshot) -> Cargo:
        return recorded(session, snapshot, number, current_secrets=chosen.current_secrets)

    job = replace(_job("rollback", chosen), reverts=reverts)
    return carried_out(session, job, older, release=chosen.release)


def _cargo(session: Session, snapshot: Snapshot, options: DeployOptions, purpose: Purpose) -> Cargo:
    if not options.release:
        return load_cargo(session, snapshot, refresh=options.refresh, purpose=purpose)
    cargo = recorded(session, snapshot, options.release, current_secrets=options.current_secrets)
    if purpose is Purpose.SHIP:
        require_proof(session, snapshot, cargo.release)
    return cargo


def _record_attestations(session: Session) -> None:
    """What passed in this run, where its first release has only now made a ledger."""
    if session.attestations:
        record_attestations(session, session.observe())


def _job(command: str, options: DeployOptions) -> Job:
    return Job(
        command=command,
        is_rollback=command == "rollback",
        recreates=options.recreate,
        allows_interruption=options.allow_interruption,
        skip_hosts=options.skip_hosts,
        wait_s=options.wait_s,
        proxy_renewal=options.proxy_renewal,
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
        _record_attestations(session)
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


def _release_before(snapshot: Snapshot) -> ReleaseNumber:
    """The release that ran before the current one, or the end of what was interrupted."""
    current = current_release(snapshot)
    if current is None:
        raise RefusedError(
            "nothing-deployed",
            "nothing was deployed yet: there is no way back",
            hint="`underway deploy` ships the file and brings it to the hosts",
        )
    known = releases_of(snapshot)
    runs = runs_of(snapshot)
    if runs and _is_half_done(runs[-1]):
        last = runs[-1]
        if last.command == "rollback" and last.release in known:
            return last.release
        if last.release != current.number:
            return current.number
    for run in reversed(runs):
        if run.outcome != Outcome.DONE or run.current == current.number:
            continue
        if run.current in known and run.current:
            return run.current
    raise RefusedError(
        "no-older-release",
        f"release {current.number} is the only one that ever ran",
        hint="name a release: underway rollback RELEASE",
    )


def _is_half_done(run: RunRecord) -> bool:
    """Whether a run stopped on its way: its client died, or not everything could be undone."""
    return not run.ended_at or run.outcome == Outcome.NOT_UNDONE


def _passed(snapshot: Snapshot, number: ReleaseNumber) -> tuple[Release, ...]:
    """Releases that ran since `number` and whose `before` may have changed data, newest first."""
    current = current_release(snapshot)
    known = releases_of(snapshot)
    if current is None:
        return ()
    ran = {run.current for run in runs_of(snapshot)} | {current.number}
    return tuple(
        known[found]
        for found in sorted(known, reverse=True)
        if number < found <= current.number
        and found in ran
        and any(service.before for service in known[found].spec.services)
        and _differs(known[found], known.get(number))
    )


def _check_migrations(
    session: Session,
    number: ReleaseNumber,
    reverts: tuple[Release, ...],
    options: DeployOptions,
) -> None:
    """Rolling back leaves what a `before` without `undo` did to the data: ask first."""
    staying = [
        release.number
        for release in reverts
        if any(service.before and not service.before.undo for service in release.spec.services)
    ]
    if options.past_migrations or not staying:
        return
    names = ", ".join(str(n) for n in sorted(staying))
    question = f"`before` of release {names} stays done (a schema is not taken back). Roll back?"
    if session.confirm(question):
        return
    raise RefusedError(
        "past-migrations",
        f"rolling back to {number} does not undo what `before` of release {names} did",
        cause="it has no `undo` command",
        hint=f"if release {number} can live with it, run it again with --past-migrations",
    )


def _differs(one: Release, other: Release | None) -> bool:
    """Whether two releases' `before` commands could have done different things."""
    if other is None:
        return True

    def befores(release: Release) -> list[tuple[str, str, tuple[str, ...]]]:
        return [
            (s.name, release.image_of(s.name).config_digest, s.before.command)
            for s in release.spec.services
            if s.before
        ]

    return befores(one) != befores(other)
