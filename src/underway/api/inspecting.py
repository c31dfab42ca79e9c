"""Look without touching: what an app does now, with drift."""

from dataclasses import dataclass
from typing import Final

from underway.api.drifting import drift_of
from underway.api.limiting import beside_now
from underway.api.session import Session, current_release, recorded_limit, runs_of
from underway.api.testing import attested
from underway.model.image import ImageIdentity
from underway.model.names import (
    NO_RELEASE,
    ContainerName,
    Generation,
    HostName,
    ReleaseNumber,
    ServiceName,
)
from underway.model.release import Release
from underway.model.snapshot import HostState, Role, Snapshot
from underway.model.status import (
    EdgeStatus,
    HostStatus,
    LockStatus,
    ReplicaStanding,
    ReplicaStatus,
    ReplicaTraffic,
    ServiceStatus,
    StatusReport,
    TrafficState,
)
from underway.model.testing import proof_of
from underway.model.traffic import ServerMode
from underway.rollout.cast import cast_of
from underway.rollout.naming import is_retired
from underway.rollout.scene import Held, Policy, Scene

NO_TOOLS: Final = ImageIdentity("", "")
"""Looking plans nothing, so it needs no tools image: it works where no engine could build one."""


def status(session: Session) -> StatusReport:
    """What the app does now, beside what its current release says it should."""
    snapshot = session.observe_closely()
    release = current_release(snapshot)
    scene = _scene(session, snapshot, release)
    return StatusReport(
        app=session.app,
        release=release.number if release else NO_RELEASE,
        tag=release.tag if release else "",
        hosts=tuple(_host(session, scene, name, url) for name, url in _hosts(session, snapshot)),
        services=_services(scene, release),
        edges=tuple(_edge(scene, host) for host in scene.reachable if host.edge),
        drift=drift_of(session, scene, release),
        taken_at=snapshot.taken_at,
        environment=session.spec.environment,
        tests=proof_of(release.suites if release else (), attested(session, snapshot)),
        limit=recorded_limit(snapshot),
    )


def _scene(session: Session, snapshot: Snapshot, release: Release | None) -> Scene:
    shown = release or Release(NO_RELEASE, session.spec, ())
    beside = beside_now(snapshot) if release else None
    return Scene(shown, snapshot, Policy(NO_TOOLS, keep_unreachable=True, beside=beside))


def _hosts(session: Session, snapshot: Snapshot) -> list[tuple[HostName, str]]:
    """The file's hosts, and those that it lost and that may still hold something."""
    listed = [(host.name, host.url) for host in session.spec.hosts]
    names = {name for name, _ in listed}
    return listed + [(h.name, "") for h in snapshot.hosts if h.name not in names]


def _host(session: Session, scene: Scene, name: HostName, url: str) -> HostStatus:
    seen = scene.snapshot.host(name)
    if not isinstance(seen, HostState):
        return HostStatus(name, url, is_reachable=False, reason=seen.reason)
    holders = [c for c in seen.containers if c.role == Role.LOCK and c.app == session.app]
    lock = None
    if holders:
        held = holders[0]
        lock = LockStatus(
            held.label("underway.holder"), held.label("underway.since"), held.label("underway.run")
        )
    return HostStatus(
        name,
        url,
        is_reachable=True,
        engine_version=seen.facts.version,
        release=_recorded(seen),
        lock=lock,
    )


def _recorded(host: HostState) -> ReleaseNumber:
    """The release that a host's ledger has for it."""
    if host.ledger is None:
        return NO_RELEASE
    limit = host.ledger.limit
    is_aside = limit and host.name not in limit.hosts
    return limit.others if limit and is_aside else host.ledger.current


def _edge(scene: Scene, host: HostState) -> EdgeStatus:
    if host.edge is None:
        return EdgeStatus(host.name, "")
    names = {n for u in host.edge.upstreams if u.app == scene.app for n in u.hosts}
    return EdgeStatus(
        host.name,
        host.edge.version,
        host.edge.http_port,
        tuple(sorted(names)),
        is_outdated=host.has_old_proxy,
    )


def _services(scene: Scene, release: Release | None) -> tuple[ServiceStatus, ...]:
    if release is None:
        return ()
    work = _work_of(scene)
    found = []
    for service in scene.spec.services:
        cast = cast_of(scene, service)
        current = {replica.name for replica in cast.wished} | {held.name for held in cast.unwell}
        found.append(
            ServiceStatus(
                name=service.name,
                strategy=service.strategy,
                wished=len(cast.wished),
                ready=len(cast.good),
                generation=cast.wished[0].generation if cast.wished else Generation(""),
                image=release.image_of(service.name).reference,
                is_stopped=service.name in scene.stopped,
                instead_of=_instead_of(scene, service.name),
                replicas=tuple(
                    _replica(scene, held, _standing(scene, held, current, work))
                    for held in scene.replicas_of(service.name)
                ),
            )
        )
    return tuple(sorted(found, key=lambda entry: entry.name))


def _instead_of(scene: Scene, name: ServiceName) -> int:
    entry = scene.adjustments.get(name)
    return entry.instead_of if entry else 0


@dataclass(frozen=True, slots=True)
class _Work:
    """Whether a run is at work, and the release it brings (0: none)."""

    is_on: bool
    release: ReleaseNumber


def _work_of(scene: Scene) -> _Work:
    is_on = any(held.state.app == scene.app for held in scene.containers(Role.LOCK))
    runs = runs_of(scene.snapshot)
    bringing = runs[-1].release if runs and not runs[-1].ended_at else NO_RELEASE
    return _Work(is_on, bringing)


def _standing(
    scene: Scene, held: Held, current: set[ContainerName], work: _Work
) -> ReplicaStanding:
    if is_retired(held.name):
        return ReplicaStanding.STOPPING
    if held.name in current:
        return ReplicaStanding.CURRENT
    if not work.is_on:
        return ReplicaStanding.LEFT_OVER
    is_new = held.state.release == work.release != scene.release.number
    return ReplicaStanding.NEW if is_new else ReplicaStanding.REPLACED


def _replica(scene: Scene, held: Held, standing: ReplicaStanding) -> ReplicaStatus:
    return ReplicaStatus(
        name=held.name,
        host=held.host,
        status=held.state.status,
        health=held.state.health,
        release=ReleaseNumber(held.state.release),
        standing=standing,
        started_at=held.state.started_at,
        restart_count=held.state.restart_count,
        traffic=tuple(
            ReplicaTraffic(edge.name, state)
            for edge in scene.edges
            if (state := _traffic(scene, edge, held)) is not TrafficState.NONE
        ),
    )


def _traffic(scene: Scene, edge: HostState, held: Held) -> TrafficState:
    upstream = scene.upstream(edge, held.state.service)
    servers = [s for s in upstream.servers if s.name == held.name] if upstream else []
    if upstream is None or not servers:
        return TrafficState.NONE
    live = [server for server in servers if server.side is upstream.live]
    if not live:
        return TrafficState.STANDBY
    if live[0].mode is ServerMode.DRAIN:
        return TrafficState.DRAIN
    return TrafficState.LIVE if live[0].is_up else TrafficState.DOWN
