"""Mend, tidy, remove, and the lock: what is done between deploys."""

from underway.api.account import accounted
from underway.api.running import bring_tools
from underway.api.session import (
    Session,
    current_release,
    next_run,
    recorded_limit,
    releases_of,
    require_answer,
    runs_of,
)
from underway.api.shipping import Cargo
from underway.api.steering import Course, Job
from underway.api.testing import sweep_tests
from underway.errors import NotUndoneError, StepFailedError
from underway.image.plan import ids_of, unused_tools
from underway.model.event import Outcome
from underway.model.image import ImageIdentity
from underway.model.lock import LockHolder
from underway.model.names import LABEL_ROLE, NO_RELEASE
from underway.model.plan import Plan
from underway.model.release import Release
from underway.model.snapshot import ContainerState, HostState, Role, Snapshot
from underway.model.step import RemoveContainer, RemoveImage, RemoveVolume, Step
from underway.rollout.adoption import is_kept
from underway.rollout.removal import plan_removal
from underway.rollout.scene import Policy
from underway.rollout.stages import in_lanes

KEPT_RELEASES = 3
"""How many releases that ran keep their images on the hosts, for a rollback without a registry."""


def lock_holders(session: Session) -> tuple[LockHolder, ...]:
    """Who holds the app's lock now; UnreachableError where no host answers."""
    require_answer(session, session.world.lost.values())
    return session.locks.holders(session.app)


def lock_release(session: Session) -> tuple[LockHolder, ...]:
    """Take the lock away from whoever holds it; returns who lost it.

    A client that loses it changes nothing more.
    """
    holders = lock_holders(session)
    for host, engine in sorted(session.world.engines.items()):
        del host
        for container in engine.containers():
            if container.role == Role.LOCK and container.app == session.app:
                engine.remove(container.name)
    return holders


def remove(
    session: Session, *, with_data: bool = False, wait_s: float = 0.0, returns_to: str = ""
) -> Plan:
    """Take the app off its hosts; on a bare host that is nothing to do. Returns what was done.

    `returns_to` is a Compose project whose containers were kept: they come back.
    """
    with accounted(session, _command(returns_to)) as account:
        plan = _removed(session, with_data=with_data, wait_s=wait_s, returns_to=returns_to)
        account.outcome = Outcome.NOTHING_TO_DO if plan.is_empty else Outcome.DONE
    return plan


def _command(returns_to: str) -> str:
    return "adopt --undo" if returns_to else "remove"


def plan_remove(session: Session, *, with_data: bool = False, returns_to: str = "") -> Plan:
    """What `remove` would do; its remarks are the volumes that stay."""
    snapshot = session.observe()
    release = current_release(snapshot) or Release(NO_RELEASE, session.spec, ())
    policy = Policy(tools=ImageIdentity("", ""), keep_unreachable=True, adopts=returns_to)
    return plan_removal(release, snapshot, policy, with_data=with_data)


def _removed(session: Session, *, with_data: bool, wait_s: float, returns_to: str) -> Plan:
    snapshot = session.observe()
    sweep_tests(session, snapshot)
    release = current_release(snapshot) or Release(NO_RELEASE, session.spec, ())
    tools = session.workshop.tools()
    policy = Policy(tools=tools, keep_unreachable=True, adopts=returns_to)
    plan = plan_removal(release, snapshot, policy, with_data=with_data)
    if plan.is_empty:
        return plan
    cargo = Cargo(release, {}, b"")
    command = _command(returns_to)
    course = Course(session, cargo, Job(command), tools)
    bring_tools(session, course, snapshot)
    with session.locks.acquire(session.app, command, wait_s=wait_s) as lock:
        snapshot = session.observe()
        plan = plan_removal(release, snapshot, policy, with_data=with_data)
        walk = course.executor(lock, next_run(snapshot)).run(plan)
    _tidy_tools(session)
    if plan.left or not walk.is_whole:
        raise NotUndoneError(
            "not-removed",
            f"not everything of {session.app} could be removed",
            cause="interrupted" if walk.is_cancelled else "",
            hint=f"run `underway {command}` again",
            detail=(*plan.left, *(str(failure.error) for failure in walk.failures)),
        )
    return plan


def _tidy_tools(session: Session) -> None:
    """The tools image goes with the last app of a host."""
    for host in session.observe().reachable:
        if any(container.role in set(Role) for container in host.containers):
            continue
        for image in unused_tools(host):
            session.world.engine(host.name).remove_image(image)


def plan_prune(session: Session, snapshot: Snapshot) -> Plan:
    """What nothing needs any more: never what runs, what a rollback needs, or another app's."""
    known = releases_of(snapshot)
    needed = needed_releases(snapshot)
    wanted = {e.image for n in needed if n in known for e in known[n].images}
    ours = {e.image for release in known.values() for e in release.images}
    steps: list[Step] = []
    for host in snapshot.reachable:
        steps += _prunable(session, host, ids_of(host, ours) - ids_of(host, wanted), needed)
    stages = in_lanes("Prune", steps)
    left = tuple(f"{host.name} did not answer" for host in snapshot.unreachable)
    return Plan(session.app, NO_RELEASE, f"tidy up after {session.app}", tuple(stages), left=left)


def needed_releases(snapshot: Snapshot) -> set[int]:
    """The current release, those that ran last, and those shipped for later."""
    current = current_release(snapshot)
    failed = {run.release for run in runs_of(snapshot) if run.outcome == Outcome.UNDONE}
    newer = {n for n in releases_of(snapshot) if not current or n > current.number}
    needed = [current.number] if current else []
    if limit := recorded_limit(snapshot):
        needed.append(limit.others)
    for run in reversed(runs_of(snapshot)):
        if run.outcome == Outcome.DONE and run.current and run.current not in needed:
            needed.append(run.current)
    return {*needed[:KEPT_RELEASES], *(newer - failed)}


def _prunable(
    session: Session, host: HostState, unwanted: set[str], needed: set[int]
) -> list[Step]:
    """Records of commands go with what they hold: images of their releases, and secret files."""
    ended = [
        c
        for c in host.containers
        if c.app == session.app
        and (
            c.role == Role.FILES
            or (c.role == Role.BEFORE and c.has_ended and c.release not in needed)
        )
    ]
    ended += [c for c in host.containers if needed and _was_taken_over(session, c)]
    staying = [container for container in host.containers if container not in ended]
    used = {container.image_id for container in staying}
    mounted = {volume for container in staying for volume in container.volumes}
    loose = {volume for container in ended for volume in container.volumes} - mounted
    steps: list[Step] = [
        RemoveContainer(host.name, c.name, "ended, and no run needs it") for c in ended
    ]
    steps += [
        RemoveVolume(host.name, volume.name, "files of an older generation")
        for volume in host.volumes
        if volume.name in loose and dict(volume.labels).get(LABEL_ROLE) == Role.FILES
    ]
    steps += [
        RemoveImage(host.name, image.id, "no release that runs or ran lately needs it")
        for image in host.images
        if image.id in unwanted and image.id not in used
    ]
    steps += [RemoveImage(host.name, image, "an older tools image") for image in unused_tools(host)]
    return steps


def _was_taken_over(session: Session, container: ContainerState) -> bool:
    """Whether Compose made it, and it was kept for the way back: tidying up confirms the way on."""
    is_of_project = container.project == session.app
    return is_of_project and is_kept(container.name) and container.has_ended


def prune(session: Session, *, wait_s: float = 0.0) -> Plan:
    """Remove what nothing needs any more; returns what was done."""
    with accounted(session, "prune") as account:
        plan = _pruned(session, wait_s=wait_s)
        account.outcome = Outcome.NOTHING_TO_DO if plan.is_empty else Outcome.DONE
    return plan


def _pruned(session: Session, *, wait_s: float) -> Plan:
    snapshot = session.observe()
    sweep_tests(session, snapshot)
    plan = plan_prune(session, snapshot)
    release = current_release(snapshot)
    if plan.is_empty or release is None:
        return plan
    course = Course(session, Cargo(release, {}, b""), Job("prune"), session.workshop.tools())
    with session.locks.acquire(session.app, "prune", wait_s=wait_s) as lock:
        snapshot = session.observe()
        plan = plan_prune(session, snapshot)
        walk = course.executor(lock, next_run(snapshot)).run(plan)
    if walk.failures:
        raise walk.failures[0].error
    if not walk.is_whole:
        raise StepFailedError("interrupted", "interrupted; what serves was not touched")
    return plan


__all__ = [
    "KEPT_RELEASES",
    "lock_holders",
    "lock_release",
    "needed_releases",
    "plan_prune",
    "plan_remove",
    "prune",
    "remove",
]
