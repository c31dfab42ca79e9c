"""Recover: from a restore point onto hosts that know nothing of the app, until it serves again.

Images and records come first, then the data, then the services start on it: nothing runs on empty
volumes in between. `before` commands do not run: the data is of this very release.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from underway.api.account import accounted
from underway.api.backing_up import Ground, desk_of
from underway.api.filling import Intent, discard, fill, make_volumes
from underway.api.moments import age_s
from underway.api.running import Finish, record_release, run_job
from underway.api.session import Session, current_release
from underway.api.shipping import Cargo, key_of
from underway.api.steering import Course, Job
from underway.backup.restore_plan import RestorePlan, RestoreWish, plan_restore
from underway.errors import RefusedError, UnderwayError, UnreachableError
from underway.model.event import Level
from underway.model.names import LABEL_APP, LABEL_POINT, VolumeName
from underway.model.recovery import Recovered
from underway.model.release import Release
from underway.model.restore_point import Manifest
from underway.model.sensitive import digests_of
from underway.model.snapshot import HostState, Role, Snapshot
from underway.rollout.naming import anchor_name
from underway.rollout.scene import Policy, Scene


@dataclass(slots=True)
class _Stopwatch:
    session: Session
    parts: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def time(self, what: str) -> Iterator[None]:
        began = self.session.clock.monotonic()
        yield
        self.parts.append((what, round(self.session.clock.monotonic() - began, 1)))


def require_fresh(session: Session, snapshot: Snapshot) -> None:
    """Raise where a host does not answer, or where the app is there already.

    UnreachableError `host-unreachable`, RefusedError `recover-not-fresh`.
    """
    if snapshot.unreachable:
        lost = snapshot.unreachable[0]
        raise UnreachableError("host-unreachable", f"{lost.name}: {lost.reason}", hint=lost.hint)
    running = [
        host.name
        for host in snapshot.reachable
        if any(c.app == session.app and c.role == Role.REPLICA for c in host.containers)
    ]
    if current_release(snapshot) is None and not running:
        return
    raise RefusedError(
        "recover-not-fresh",
        f"{session.app} is on {', '.join(running) or 'these hosts'} already",
        cause="recovering is for hosts that know nothing of the app",
        hint="`underway backup restore` brings data back where the app runs; `underway remove` "
        "takes the app off its hosts",
    )


def recover(
    session: Session, manifest: Manifest, release: Release, *, wait_s: float = 0.0
) -> Recovered:
    """Bring a point to the hosts of `release`: the point's own, with these hosts and no digests.

    `session.values` are its sensitive values, read anew. Raises what a deploy raises; a recovery
    that failed or was cut off is begun again by the same command.
    """
    desk = desk_of(session)
    watch = _Stopwatch(session)
    with accounted(session, "recover", release.number) as account:
        require_fresh(session, session.observe())
        with desk.locks.acquire(session.app, "recover", wait_s=wait_s) as lock:
            snapshot = _cleared(session, session.observe())
            plan, left_out = _planned(session, manifest, release, snapshot)
            job = _job(plan, wait_s)
            course = Course.of(session, job, snapshot, lambda seen: _cargo(session, seen, release))
            with watch.time("images and records"):
                make_volumes(session, manifest, plan)
                recorded = record_release(session, course, session.observe())
            intent = Intent(manifest, plan, _ground(session, recorded, plan))
            try:
                with watch.time("data"):
                    fill(session, intent, lock.check, checks=True)
                with watch.time("services"):
                    finish = _started(session, job, release)
            except UnderwayError:
                discard(session, intent)
                raise
        account.outcome, account.text = finish.outcome, manifest.point
    return Recovered(
        manifest=manifest,
        hosts=tuple(host.name for host in release.spec.hosts),
        volumes=tuple((step.copy.volume, step.physical) for step in plan.steps),
        left_out=left_out,
        age_s=age_s(manifest.summary.moment, session.clock.now()),
        took_s=round(account.duration_s, 1),
        parts_s=tuple(watch.parts),
        moment=manifest.summary.moment,
    )


def _job(plan: RestorePlan, wait_s: float) -> Job:
    """As a restore's: chosen by what serves (nothing), onto the volumes that are filled."""
    return Job(
        "recover",
        is_rollback=True,
        allows_interruption=True,
        wait_s=wait_s,
        bindings=plan.bindings,
    )


def _started(session: Session, job: Job, release: Release) -> Finish:
    snapshot = session.observe()
    course = Course.of(session, job, snapshot, lambda seen: _cargo(session, seen, release))
    return run_job(session, course, session.observe())


def _cargo(session: Session, snapshot: Snapshot, release: Release) -> Cargo:
    """The release with the digests of its values under the key of these hosts."""
    key = key_of(session, snapshot)
    made = replace(release, sensitive=digests_of(session.values, key))
    return Cargo(made, session.values, key)


def _planned(
    session: Session, manifest: Manifest, release: Release, snapshot: Snapshot
) -> tuple[RestorePlan, tuple[VolumeName, ...]]:
    """The volumes to fill, and those that stay what they are: they have a place of their own."""
    fixed = {v.name for v in release.spec.volumes if v.driver_opts or v.driver != "local"}
    held = {copy.volume for copy in manifest.volumes}
    only = frozenset(held - fixed)
    if not only:
        raise RefusedError(
            "recover-no-data",
            f"{manifest.point} holds no volume that can be made anew",
            cause="each has a place of its own (driver, driver_opts), or there is none",
            hint="`underway deploy` brings the app; its volumes stand where they stood",
        )
    bindings = {volume.name: volume.physical for volume in release.spec.volumes}
    salt = session.voice.run
    made = plan_restore(RestoreWish(manifest, only, salt=salt), release, snapshot, bindings)
    plan = replace(made, bindings_back=())  # nothing stood there before
    left_out = tuple(sorted(held & fixed))
    for name in left_out:
        text = f"volume {name} has a place of its own, and is used as it is there"
        session.voice.note(Level.WARNING, "backup-volume-fixed", text)
    return plan, left_out


def _ground(session: Session, release: Release, plan: RestorePlan) -> Ground:
    snapshot = session.observe()
    policy = Policy(session.workshop.tools(), bindings=plan.bindings)
    return Ground(release, snapshot, Scene(release, snapshot, policy).bindings())


def _cleared(session: Session, snapshot: Snapshot) -> Snapshot:
    """The hosts without the volumes that a recovery began which died, and what still holds them.

    Its sidecar waits a minute for its client, a fresh database for ever, and its anchor mounts all.
    """
    begun = {host.name: _begun(session, host) for host in snapshot.reachable}
    for host in snapshot.reachable:
        if not begun[host.name]:
            continue
        engine = session.world.engine(host.name)
        for name in (*_holding(session, host), anchor_name(session.app)):
            engine.remove(name)
        for volume in begun[host.name]:
            engine.remove_volume(volume)
    return session.observe() if any(begun.values()) else snapshot


def _holding(session: Session, host: HostState) -> list[str]:
    helpers = {Role.SIDECAR.value, Role.RESTORE.value}
    return [c.name for c in host.containers if c.app == session.app and c.role in helpers]


def _begun(session: Session, host: HostState) -> list[str]:
    labels: Mapping[str, Mapping[str, str]] = {v.name: dict(v.labels) for v in host.volumes}
    return [
        name
        for name, said in labels.items()
        if said.get(LABEL_APP) == session.app and LABEL_POINT in said
    ]
