"""How what runs differs from what the current release says, and which command ends it."""

from collections.abc import Iterator

from underway.api.session import Session, runs_of
from underway.model.names import ServiceName
from underway.model.release import Release
from underway.model.snapshot import HostState, Role, Unreachable
from underway.model.spec import ServiceSpec
from underway.model.status import Drift, DriftKind
from underway.rollout.cast import cast_of
from underway.rollout.naming import anchor_name
from underway.rollout.scene import Scene

REPAIR = "underway repair"


def drift_of(session: Session, scene: Scene, release: Release | None) -> tuple[Drift, ...]:
    """All differences, sorted; () where everything is as the release says."""
    found = [
        Drift(DriftKind.HOST_UNREACHABLE, u.name, u.reason, _back(u))
        for u in scene.snapshot.unreachable
    ]
    if release is None:
        found += _unfinished_first(scene)
    else:
        for service in scene.spec.services:
            found += _service(scene, service)
        found += _hosts(scene, release)
    found += _runs(session, scene)
    found += [
        Drift(DriftKind.LEFTOVER, held.name, "left by an interrupted run", REPAIR)
        for held in (*scene.containers(Role.FILES), *scene.containers(Role.PROBE))
        if held.state.role != Role.PROBE or held.state.has_ended
    ]
    return tuple(sorted(found))


def _back(lost: Unreachable) -> str:
    """What brings a host back, as far as its error knows, and what ends the difference then."""
    return f"{lost.hint} Then {REPAIR}" if lost.hint else f"bring it back, then {REPAIR}"


def _unfinished_first(scene: Scene) -> Iterator[Drift]:
    """What a first deploy left that never came to serve as a whole."""
    for role in (Role.REPLICA, Role.BEFORE):
        for held in scene.containers(role):
            why = f"on {held.host}, made by a first deploy that was not finished"
            yield Drift(DriftKind.LEFTOVER, held.name, why, "underway deploy, or underway remove")


def _service(scene: Scene, service: ServiceSpec) -> Iterator[Drift]:
    cast = cast_of(scene, service)
    unwell = {(held.host, held.state.replica): held for held in cast.unwell}
    for held in cast.unwell:
        why = f"{held.state.status.value}, health {held.state.health.value}"
        yield Drift(DriftKind.REPLICA_NOT_READY, held.name, why, REPAIR)
    for replica in cast.todo:
        host = scene.host(replica.host)
        state = host.container(replica.name) if host else None
        if state is None and (replica.host, replica.index) in unwell:
            continue
        if state is None:
            why = f"replica {replica.index} of {service.name} is not on {replica.host}"
            yield Drift(DriftKind.REPLICA_MISSING, replica.name, why, REPAIR)
        elif (replica.host, replica.name) in cast.broken:
            why = f"{state.status.value}, health {state.health.value}"
            yield Drift(DriftKind.REPLICA_NOT_READY, replica.name, why, REPAIR)
        else:
            lacking = [m.edge for m in cast.models if not m.takes(replica.name)]
            why = f"does not take requests from {', '.join(lacking)}" if lacking else "starting"
            yield Drift(DriftKind.TRAFFIC_DIFFERS, replica.name, why, REPAIR)
    for held in cast.old:
        if held in unwell.values():
            continue
        is_older = held.state.generation not in {r.generation for r in cast.wished}
        kind = DriftKind.GENERATION_OLD if is_older else DriftKind.REPLICA_SURPLUS
        why = f"runs on {held.host}, made by release {held.state.release}"
        yield Drift(kind, held.name, why, REPAIR)
    for held in cast.gone:
        yield Drift(DriftKind.LEFTOVER, held.name, f"on {held.host}, runs no more", REPAIR)


def _hosts(scene: Scene, release: Release) -> Iterator[Drift]:
    known: set[ServiceName] = {service.name for service in release.spec.services}
    for name in scene.services_seen():
        if name not in known:
            yield Drift(
                DriftKind.LEFTOVER, name, f"release {release.number} has no such service", REPAIR
            )
    wished = {host.name for host in release.spec.hosts}
    for host in scene.reachable:
        if host.name not in wished:
            yield from _left_host(scene, host)
            continue
        current = host.ledger.current if host.ledger else 0
        if current != release.number:
            why = f"its ledger says release {current}, the fleet runs {release.number}"
            yield Drift(DriftKind.HOST_BEHIND, host.name, why, REPAIR)
        if release.sensitive and release.number not in host.vault:
            why = f"its vault lacks the values of release {release.number}"
            yield Drift(DriftKind.VALUES_MISSING, host.name, why, REPAIR)
    for edge in scene.edges:
        if edge.edge is None:
            yield Drift(DriftKind.EDGE_MISSING, edge.name, "no proxy runs there", REPAIR)


def _left_host(scene: Scene, host: HostState) -> Iterator[Drift]:
    """A host that the release does not name and that still has the app's records."""
    if host.container(anchor_name(scene.app)):
        why = f"on {host.name}, which release {scene.release.number} does not name"
        yield Drift(DriftKind.LEFTOVER, anchor_name(scene.app), why, REPAIR)


def _runs(session: Session, scene: Scene) -> Iterator[Drift]:
    is_locked = bool(scene.containers(Role.LOCK))
    runs = runs_of(scene.snapshot)
    if runs and not runs[-1].ended_at and not is_locked:
        run = runs[-1]
        why = f"{run.command} of release {run.release} by {run.actor} began {run.started_at}"
        remedy = f"underway deploy {run.release}, or underway rollback, or {REPAIR}"
        yield Drift(DriftKind.RUN_UNFINISHED, f"{session.app} run {run.number}", why, remedy)
