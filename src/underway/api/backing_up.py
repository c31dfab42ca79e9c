"""Back up: plan, copy beside the data while the application serves, and seal the point last."""

import functools
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from underway.api.account import accounted
from underway.api.belonging import newest_manifest, require_own
from underway.api.moments import rfc3339
from underway.api.session import BackupDesk, Session, current_release
from underway.api.step_telling import StepTeller
from underway.backup.apply import BackupApplier
from underway.backup.manifest import encode_manifest, point_id
from underway.backup.plan import BackupPlan, BackupScene, Coverage, plan_backup, plan_coverage
from underway.backup.steps import CopyVolumes, DumpVolume, VolumeRef, subject_of
from underway.compose.replacement import is_database_image
from underway.errors import RefusedError
from underway.errors.suggestion import name_hint
from underway.model.backup import Consistency
from underway.model.event import Level, PlanMade
from underway.model.names import HostName, VolumeName
from underway.model.release import Release
from underway.model.restore_point import Manifest, VolumeCopy
from underway.model.snapshot import Snapshot
from underway.ports.backup import BackupStore, Workplace
from underway.ports.locking import Lock
from underway.rollout.scene import Policy, Scene


@dataclass(frozen=True, slots=True)
class Ground:
    """What a backup stands on: the release that runs, what was seen, what is behind its volumes."""

    release: Release
    snapshot: Snapshot
    bindings: Mapping[VolumeName, str]


def desk_of(session: Session) -> BackupDesk:
    """What backups need; RefusedError `backup-unconfigured` where the file says nothing of them."""
    if session.backups is None:
        raise RefusedError(
            "backup-unconfigured",
            f"the file of {session.app} names no repository for backups",
            cause="x-underway has no `backup`",
            hint="add x-underway: {backup: {repository: /srv/backups, password: {file: ...}}}",
        )
    return session.backups


def ground_of(session: Session) -> Ground:
    """What runs now; RefusedError `nothing-deployed` before the first deploy."""
    snapshot = session.observe()
    release = current_release(snapshot)
    if release is None:
        raise RefusedError(
            "nothing-deployed",
            f"{session.app} was not deployed yet: there is no data to back up",
            hint="`underway deploy` ships the file and brings it to the hosts",
        )
    scene = Scene(release, snapshot, Policy(session.workshop.tools()))
    return Ground(release, snapshot, scene.bindings())


def initialise(session: Session) -> bool:
    """Make the repository; False if it is there already and opens with the password."""
    desk = desk_of(session)
    with accounted(session, "backup init"):
        host = home_of(session)
        with desk.open_store(Workplace(host)) as store:
            return store.initialise()


def home_of(session: Session) -> HostName:
    """Where the repository is looked at: beside the data, if it is a directory of that host."""
    names = [host.name for host in session.spec.hosts if host.name in session.world.engines]
    if not names:
        session.world.engine(session.spec.hosts[0].name)  # raises: it was not reached
    if desk_of(session).policy.is_host_directory and len(session.spec.hosts) > 1:
        return _planned(session, ground_of(session), {}, frozenset()).hosts[0]
    return names[0]


def create(
    session: Session,
    *,
    only: frozenset[VolumeName] = frozenset(),
    adopts: bool = False,
    wait_s: float = 0.0,
) -> Manifest:
    """Back up the volumes of the running release (or `only` some) into one restore point.

    `adopts` goes on with the points of another history of the app, which is refused otherwise.
    Raises what planning raises, and StepFailedError; whatever was raised, no point was made and
    nothing stays frozen.
    """
    desk = desk_of(session)
    with accounted(session, "backup create") as account:
        ground = ground_of(session)
        _check_names(ground, only)
        _planned(session, ground, {}, only)  # what is refused is refused ahead of the lock
        with desk.locks.acquire(session.app, "backup create", wait_s=wait_s) as lock:
            manifest = create_locked(session, lock, only=only, adopts=adopts)
        account.release = manifest.release.number
        account.text = manifest.point
    return manifest


def create_locked(
    session: Session,
    lock: Lock,
    *,
    only: frozenset[VolumeName] = frozenset(),
    adopts: bool = False,
) -> Manifest:
    """As `create`, for whoever holds the lock of backups already."""
    return _created(session, ground_of(session), only, lock, adopts=adopts)


def _check_names(ground: Ground, only: frozenset[VolumeName]) -> None:
    known = {volume.name for volume in ground.release.spec.volumes}
    for name in sorted(only - known):
        raise RefusedError(
            "backup-volume-unknown",
            f"release {ground.release.number} has no volume `{name}`",
            hint=name_hint(name, known),
        )


def _created(
    session: Session, ground: Ground, only: frozenset[VolumeName], lock: Lock, *, adopts: bool
) -> Manifest:
    desk = desk_of(session)
    began = session.clock.monotonic()
    moment = rfc3339(session.clock.now())
    point = point_id(moment, secrets.token_hex(4))
    first = _planned(session, ground, {}, only)
    with opened(desk, first) as stores:
        newest = _newest_own(session, ground, stores[first.hosts[0]], adopts=adopts)
        plan = _planned(session, ground, _parents(newest, first), only)
        _announce(session, plan)
        labels = {v.name: v.labels for host in ground.snapshot.reachable for v in host.volumes}
        applier = BackupApplier(
            point=point,
            stores=stores,
            engines=session.world.engines,
            watchdog=desk.watchdog,
            now_text=lambda: rfc3339(session.clock.now()),
            labels=labels,
        )
        copies = _walked(session, plan, applier, lock)
        manifest = Manifest(
            app=session.app,
            point=point,
            created_at=moment,
            created_by=session.voice.actor,
            duration_s=round(session.clock.monotonic() - began, 3),
            release=ground.release,
            volumes=tuple(sorted(copies, key=lambda copy: copy.volume)),
            policy=desk.policy,
            project=desk.kept,
        )
        lock.check()
        stores[plan.hosts[0]].seal(manifest.summary, encode_manifest(manifest))
    return manifest


def _newest_own(
    session: Session, ground: Ground, store: BackupStore, *, adopts: bool
) -> Manifest | None:
    """The newest point's manifest; RefusedError `backup-not-adopted` where it is of others."""
    points = store.points(session.app)
    newest = newest_manifest(session, store, points)
    if newest and not adopts:
        require_own(ground.snapshot, ground.bindings, newest, points)
    return newest


def coverage(session: Session) -> tuple[Coverage, ...]:
    """How each volume of the running release is backed up."""
    return plan_coverage(_scene(session, ground_of(session), {}))


def _scene(
    session: Session,
    ground: Ground,
    parents: Mapping[tuple[HostName, tuple[VolumeRef, ...]], str],
) -> BackupScene:
    databases = frozenset(
        service.name
        for service in ground.release.spec.services
        if is_database_image(service.image, has_volume=True)
    )
    return BackupScene(
        desk_of(session).policy,
        ground.release,
        ground.snapshot,
        ground.bindings,
        databases,
        parents,
    )


def _planned(
    session: Session,
    ground: Ground,
    parents: Mapping[tuple[HostName, tuple[VolumeRef, ...]], str],
    only: frozenset[VolumeName],
) -> BackupPlan:
    policy = desk_of(session).policy
    plan = plan_backup(_scene(session, ground, parents), only)
    if not plan.steps:
        raise RefusedError(
            "backup-nothing",
            f"{session.app} has no volume to back up",
            cause="; ".join(f"{name}: {why}" for name, why in plan.left_out),
            hint="`underway backup coverage` lists every volume",
        )
    if policy.is_host_directory and len(plan.hosts) > 1:
        raise RefusedError(
            "backup-hosts-apart",
            f"the data is on {', '.join(plan.hosts)}, and the repository is a directory of a host",
            cause="each host would hold half of a restore point",
            hint="name a repository that every host reaches: s3:..., rest:...",
            place=policy.place,
        )
    return plan


@contextmanager
def opened(desk: BackupDesk, plan: BackupPlan) -> Iterator[dict[HostName, BackupStore]]:
    """The store of every host of a plan, with the volumes that are copied as files."""
    with ExitStack() as stack:
        stores = {}
        for host in plan.hosts:
            here = [step for step in plan.steps if step.host == host]
            trees = [step for step in here if isinstance(step, CopyVolumes)]
            volumes = tuple((ref.volume, ref.physical) for step in trees for ref in step.volumes)
            commands = any(
                isinstance(step, DumpVolume) or step.consistency is not Consistency.FILES
                for step in here
            )
            place = Workplace(host, tuple(sorted(volumes)), may_command=commands)
            stores[host] = stack.enter_context(desk.open_store(place))
            stores[host].open()
        yield stores


def _parents(
    newest: Manifest | None, plan: BackupPlan
) -> dict[tuple[HostName, tuple[VolumeRef, ...]], str]:
    """The last frozen tree of each group of paused volumes: the next one goes by it."""
    if newest is None:
        return {}
    found: dict[tuple[HostName, tuple[VolumeRef, ...]], str] = {}
    for step in plan.steps:
        if not isinstance(step, CopyVolumes) or step.consistency is not Consistency.PAUSE:
            continue
        copies = [newest.volume(ref.volume) for ref in step.volumes]
        snapshots = {
            copy.parts[0].snapshot
            for copy in copies
            if copy and (copy.host, copy.consistency) == (step.host, Consistency.PAUSE)
        }
        if len(snapshots) == 1 and None not in copies:
            found[step.host, step.volumes] = snapshots.pop()
    return found


def _announce(session: Session, plan: BackupPlan) -> None:
    for name, why in plan.left_out:
        session.voice.note(Level.INFO, "backup-left-out", f"volume {name} is left out: {why}")
    for step in plan.steps:
        if isinstance(step, CopyVolumes) and step.consistency is Consistency.FILES:
            text = f"{subject_of(step)}: copied as it is while it may be written; fuzzy"
            session.voice.note(Level.INFO, "backup-fuzzy", text)
    goal = f"{session.app} is backed up"
    session.voice.say(PlanMade(goal, ("Copy", "Seal"), len(plan.steps)))


def _walked(
    session: Session, plan: BackupPlan, applier: BackupApplier, lock: Lock
) -> list[VolumeCopy]:
    copies: list[VolumeCopy] = []
    teller = StepTeller(session)
    for step in plan.steps:
        lock.check(step.host)
        copies += teller.tell(
            type(step).__name__,
            subject_of(step),
            functools.partial(applier, step),
            host=step.host,
            cause=step.cause,
        )
    return copies
