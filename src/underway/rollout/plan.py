"""The plan between a snapshot and a release: pure, deterministic, the same for deploy and undo.

Planning again from any interrupted prefix of a plan converges to the release it is given; a
failed or interrupted run is undone by planning the previous release over a fresh snapshot.
"""

from dataclasses import dataclass, field

from underway.errors import UnreachableError
from underway.model.change import ServiceChange
from underway.model.names import LABEL_ROLE, HostName, ServiceName
from underway.model.plan import Interruption, Lane, Plan, Stage
from underway.model.release import Release
from underway.model.secret_files import secret_files
from underway.model.snapshot import Role, Snapshot
from underway.model.step import RemoveContainer, RemoveVolume, Step
from underway.rollout import takeover
from underway.rollout.addresses import Allocator
from underway.rollout.before import before_stages, is_kept, undo_stages
from underway.rollout.beside import check_beside
from underway.rollout.cast import Cast, cast_of
from underway.rollout.causes import Causes, departure_cause, serving
from underway.rollout.collision import rivals
from underway.rollout.farewell import Farewell, departed, farewell, leftovers
from underway.rollout.interruption import ending, losing_routes, moving_edges, stopping_first
from underway.rollout.leaving import leaving
from underway.rollout.left_out import check_left_out
from underway.rollout.listeners import check_file, check_hosts
from underway.rollout.naming import files_volume, is_retired
from underway.rollout.one_off import forsaken
from underway.rollout.order import turns
from underway.rollout.prepare import Preparation
from underway.rollout.proxies import Proxies
from underway.rollout.remarks import remarks
from underway.rollout.retirement import Retirement, leave
from underway.rollout.routes import Routes, taking_over
from underway.rollout.scene import Held, Policy, Scene
from underway.rollout.stages import by_host, in_lanes, in_parallel
from underway.rollout.start import Starter
from underway.rollout.strategy import Rollout
from underway.rollout.tolerance import allowed_failures
from underway.rollout.volumes import check_volumes


@dataclass(slots=True)
class _Draft:
    stages: list[Stage] = field(default_factory=list)
    retirements: list[Retirement] = field(default_factory=list)
    interruptions: list[Interruption] = field(default_factory=list)
    changes: list[ServiceChange] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    kept: list[Held] = field(default_factory=list)
    ended: set[ServiceName] = field(default_factory=set)


def plan_release(
    release: Release, snapshot: Snapshot, policy: Policy, transfer: tuple[Lane, ...] = ()
) -> Plan:
    """Plan the way from `snapshot` to `release`.

    `transfer` are the lanes that bring missing images to hosts; they come first.
    Raises UnreachableError if a host did not answer and the policy does not plan around it, and
    RefusedError or ConfigurationError where the release cannot stand on these hosts.
    """
    scene = Scene(release, snapshot, policy)
    _require_hosts(scene)
    check_file(scene.spec)
    check_beside(scene.release, scene.beside)
    check_volumes(scene)
    check_hosts(scene)
    takeover.check(scene)
    allocator = Allocator(scene)
    preparation = Preparation(scene, allocator, transfer)
    if awakening := preparation.awakening():
        return _first_part(scene, awakening)
    starter = Starter(scene, allocator)
    draft = _Draft(stages=[*preparation.stages(), *leftovers(scene)])
    proxies = Proxies(scene)
    moved = [e.name for e in scene.edges if not proxies.waits(e) and proxies.moves(e)]
    draft.interruptions += takeover.switched(scene)
    draft.interruptions += [*moving_edges(scene, moved), *losing_routes(scene)]
    _take_turns(scene, starter, draft)
    _end(scene, draft, preparation)
    check_left_out(scene, (s for stage in draft.stages for x in stage.lanes for s in x.steps))
    return Plan(
        app=scene.app,
        release=release.number,
        goal=_goal(scene),
        stages=tuple(draft.stages),
        interruptions=_one_each(draft.interruptions),
        changes=tuple(sorted(draft.changes, key=lambda change: change.service)),
        tolerances=_tolerances(scene),
        left=tuple(draft.left),
        remarks=(*remarks(scene), *proxies.remarks(), *takeover.remarks(scene)),
    )


def _take_turns(scene: Scene, starter: Starter, draft: _Draft) -> None:
    """Services one after another, each `before` ahead of what needs it.

    What one takes over from another is known to those after it.
    """
    runs_before = scene.policy.runs_before and not scene.policy.is_undo
    routes = Routes(scene)
    for turn in turns(scene.spec, runs_before=runs_before, ahead=taking_over(scene)):
        cast = cast_of(scene, turn.service, routes)
        if turn.is_before:
            draft.stages += before_stages(scene, cast)
        elif _make_room(scene, cast, draft):
            _roll_out(scene, cast, starter, draft)


def _first_part(scene: Scene, awakening: list[Stage]) -> Plan:
    names = ", ".join(host.name for host in scene.unknown_edges)
    text = f"no proxy runs on {names}: what it serves once it does decides what else is to be done"
    return Plan(
        scene.app,
        scene.release.number,
        _goal(scene),
        tuple(awakening),
        left=tuple(_untouched(scene)),
        remarks=(text,),
        replans=True,
    )


def _untouched(scene: Scene) -> list[str]:
    return [f"{name} did not answer: what runs there is left alone" for name in scene.lost_hosts]


def _end(scene: Scene, draft: _Draft, preparation: Preparation) -> None:
    """Record what runs, retire what does not, and tidy up."""
    takes_back = undo_stages(scene)
    draft.stages += Proxies(scene).switch()
    # What takes back a change needs the record of the release that made it until it is done.
    if not takes_back:
        draft.stages += preparation.current()
    draft.stages += _retire(scene, draft)
    if takes_back:
        draft.stages += [*takes_back, *preparation.current()]
    draft.stages += takeover.quieted(scene)
    if scene.policy.adopts and not scene.takes_over:
        draft.stages += [*takeover.ports_back(scene), *takeover.returning(scene)]
    draft.stages += _clean_up(scene, draft.kept)
    draft.stages += leaving(scene, {held.host for held in draft.kept})
    draft.left += _untouched(scene)
    kept = {service.name for service in scene.spec.services}
    draft.changes += [
        ServiceChange(name, departure_cause(scene, name))
        for name in scene.services_seen()
        if name not in kept
    ]


def _require_hosts(scene: Scene) -> None:
    if scene.lost_hosts and not (scene.policy.is_undo or scene.policy.keep_unreachable):
        lost = [u for u in scene.snapshot.unreachable if u.name in scene.lost_hosts]
        hints = list(dict.fromkeys(u.hint for u in lost if u.hint)) or ["bring the host back"]
        if scene.reachable:
            skipped = " ".join(f"--skip-host {name}" for name in scene.lost_hosts)
            hints.append(f"or leave it out: {skipped} (others take over its replicas)")
        raise UnreachableError(
            "hosts-unreachable",
            f"{', '.join(scene.lost_hosts)} did not answer; nothing was changed",
            cause="\n".join(f"{u.name}: {u.reason}" for u in lost),
            hint="\n".join(hints),
        )


def _goal(scene: Scene) -> str:
    """What the plan is for, as an order."""
    number, before = scene.release.number, serving(scene)
    if scene.policy.is_undo:
        return f"take {scene.app} back to {f'release {number}' if number else 'nothing running'}"
    if before is None:
        return f"bring {scene.app} to release {number}"
    if before.number == number:
        return _again(scene)
    return f"bring {scene.app} from release {before.number} to release {number}"


def _again(scene: Scene) -> str:
    """What a plan of the release that serves already is for."""
    number, again = scene.release.number, scene.policy.recreate
    if asked := {entry.service for entry in scene.policy.adjustments}:
        return f"adjust {', '.join(sorted(asked))} of {scene.app}, at release {number}"
    if again and len(again) < len(scene.spec.services):
        return f"make the replicas of {', '.join(sorted(again))} anew, at release {number}"
    if again:
        return f"make the replicas of {scene.app} anew, at release {number}"
    return f"bring {scene.app} to what release {number} says"


def _make_room(scene: Scene, cast: Cast, draft: _Draft) -> bool:
    """End services that go and hold what this one needs; whether it may start then."""
    names = rivals(scene, cast)
    if not names:
        return True
    gone = farewell(scene, names)
    if gone.kept:
        return False
    draft.interruptions.append(stopping_first(scene, cast, closes=False))
    draft.ended |= {*names}
    draft.stages += _ended(gone, [], f" {', '.join(names)}", is_commit=False)
    return True


def _roll_out(scene: Scene, cast: Cast, starter: Starter, draft: _Draft) -> None:
    causes = Causes.of(scene, cast)
    if change := causes.change():
        draft.changes.append(change)
    rollout = Rollout(scene, cast, starter, causes)
    draft.retirements.append(rollout.plan())
    draft.stages += rollout.stages
    if rollout.interruption:
        draft.interruptions.append(rollout.interruption)
    draft.interruptions += ending(scene, cast)


def _one_each(found: list[Interruption]) -> tuple[Interruption, ...]:
    """The first of each service: where its users lose their way altogether, that is the reason."""
    return tuple({entry.service: entry for entry in reversed(found)}.values())[::-1]


def _retire(scene: Scene, draft: _Draft) -> list[Stage]:
    """End all old replicas together; after them those that they might have called until then."""
    stages: list[Stage] = []
    leave(draft.retirements, (h for e in scene.edges for h in takeover.holders(scene, e)))
    for is_late, suffix in ((False, ""), (True, " what they called")):
        leaving_now = (n for n in departed(scene, listened=is_late) if n not in draft.ended)
        gone = farewell(scene, leaving_now)
        some = [r for r in draft.retirements if r.is_late is is_late]
        kept = list(gone.kept)
        if scene.lost_edges:
            kept += [held for r in some if r.may_be_sent_to for held in r.old]
            some = [r for r in some if not r.may_be_sent_to]
        draft.kept += kept
        draft.left += [
            f"{', '.join(scene.lost_edges)} may still send requests to {held.name} on "
            f"{held.host}: it keeps running"
            for held in kept
        ]
        stages += _ended(gone, some, suffix)
    return stages


def _ended(
    gone: Farewell, doomed: list[Retirement], suffix: str, *, is_commit: bool = True
) -> list[Stage]:
    """Drain, stop (the commit point), then forget and remove side by side: all has ended."""
    stops = [*gone.stop, *(lane for r in doomed for lane in r.stop())]
    return [
        *in_lanes(f"Drain{suffix}", [*gone.drain, *(s for r in doomed for s in r.drain())]),
        *in_parallel(f"Retire{suffix}", stops, is_commit=is_commit),
        *in_parallel(
            f"Remove{suffix}",
            [
                *by_host(s for r in doomed for s in r.forget()),
                *((step,) for step in (*gone.remove, *(s for r in doomed for s in r.remove()))),
            ],
        ),
    ]


def _clean_up(scene: Scene, kept: list[Held]) -> list[Stage]:
    """Remove what interrupted runs left, and what only older releases needed."""
    steps: list[Step] = []
    needed: set[tuple[HostName, str]] = set()
    for service in scene.spec.services:
        cast = cast_of(scene, service)
        needed |= {
            (replica.host, files_volume(scene.app, service.name, replica.generation))
            for replica in cast.wished
            if secret_files(scene.service_on(replica.host, service))
        }
        steps += [
            RemoveContainer(held.host, held.name, "no longer runs")
            for held in cast.gone
            if not is_retired(held.name)
        ]
    for held in scene.containers(Role.BEFORE):
        if is_kept(scene, held):
            kept = [*kept, held]
        else:
            steps.append(
                RemoveContainer(held.host, held.name, "record of nothing that counts any more")
            )
    steps += [
        RemoveContainer(held.host, held.name, "left by an interrupted run")
        for held in (*scene.containers(Role.FILES), *scene.containers(Role.PROBE))
        if held.state.role != Role.PROBE or held.state.has_ended
    ]
    steps += forsaken(scene)
    users = (*kept, *scene.containers(Role.RUN))
    needed |= {(held.host, volume) for held in users for volume in held.state.volumes}
    for host in scene.reachable:
        for volume in host.volumes:
            labels = dict(volume.labels)
            is_ours = labels.get("underway.app") == scene.app
            if not is_ours or labels.get(LABEL_ROLE) != Role.FILES.value:
                continue
            if (host.name, volume.name) not in needed:
                steps.append(RemoveVolume(host.name, volume.name, "files of an older generation"))
    return in_lanes("Clean up", steps)


def _tolerances(scene: Scene) -> tuple[tuple[ServiceName, int], ...]:
    """How many replicas may still fail, of services that tolerate it."""
    found = []
    for service in scene.spec.services:
        allowed = allowed_failures(service)
        allowed -= len(cast_of(scene, service).spared)
        if allowed > 0:
            found.append((service.name, allowed))
    return tuple(found)


def plan_records(
    release: Release, snapshot: Snapshot, policy: Policy, transfer: tuple[Lane, ...] = ()
) -> Plan:
    """Plan only that every host holds the images and the record of `release`."""
    scene = Scene(release, snapshot, policy)
    check_file(scene.spec)
    check_volumes(scene)
    stages = Preparation(scene, Allocator(scene), transfer).records()
    return Plan(
        scene.app, release.number, f"record release {release.number} of {scene.app}", tuple(stages)
    )
