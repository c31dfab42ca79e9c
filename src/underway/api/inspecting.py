"""Look without touching: status with drift, history, logs."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from underway.api.drifting import drift_of
from underway.api.session import Session, current_release, releases_of, runs_of
from underway.errors import UnderwayError, UsageError
from underway.errors.suggestion import name_hint
from underway.kernel.observe import observe_closely
from underway.model.event import Level
from underway.model.image import ImageIdentity
from underway.model.names import (
    NO_RELEASE,
    ContainerName,
    Generation,
    HostName,
    ReleaseNumber,
    ServiceName,
)
from underway.model.release import Release, RunRecord
from underway.model.snapshot import HostState, Role, Snapshot
from underway.model.status import (
    EdgeStatus,
    HostStatus,
    LockStatus,
    ReplicaStatus,
    ReplicaTraffic,
    ServiceStatus,
    StatusReport,
    TrafficState,
)
from underway.model.traffic import ServerMode
from underway.ports import LogLine
from underway.rollout.cast import cast_of
from underway.rollout.naming import is_retired
from underway.rollout.scene import Held, Policy, Scene

NO_TOOLS: Final = ImageIdentity("", "")
"""Looking plans nothing, so it needs no tools image: it works where no engine could build one."""


@dataclass(frozen=True, slots=True)
class ReplicaLine:
    """One line of one replica's output."""

    host: HostName
    service: ServiceName
    container: ContainerName
    line: LogLine


def history(session: Session) -> tuple[RunRecord, ...]:
    """All recorded runs, oldest first."""
    return runs_of(session.observe())


def releases(session: Session) -> tuple[Release, ...]:
    """All recorded releases, oldest first."""
    known = releases_of(session.observe())
    return tuple(known[number] for number in sorted(known))


def status(session: Session) -> StatusReport:
    """What the app does now, beside what its current release says it should."""
    snapshot = observe_closely(session.world, now=session.clock.now())
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
    )


def _scene(session: Session, snapshot: Snapshot, release: Release | None) -> Scene:
    shown = release or Release(NO_RELEASE, session.spec, ())
    return Scene(shown, snapshot, Policy(tools=NO_TOOLS, keep_unreachable=True))


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
        release=seen.ledger.current if seen.ledger else NO_RELEASE,
        lock=lock,
    )


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
    found = []
    for service in release.spec.services:
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
                replicas=tuple(
                    _replica(scene, held, is_current=held.name in current)
                    for held in scene.replicas_of(service.name)
                ),
            )
        )
    return tuple(sorted(found, key=lambda entry: entry.name))


def _replica(scene: Scene, held: Held, *, is_current: bool) -> ReplicaStatus:
    return ReplicaStatus(
        name=held.name,
        host=held.host,
        status=held.state.status,
        health=held.state.health,
        release=ReleaseNumber(held.state.release),
        is_current=is_current and not is_retired(held.name),
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


def logs(
    session: Session,
    services: tuple[ServiceName, ...] = (),
    *,
    tail: int = 100,
    follow: bool = False,
    since_s: float = 0,
) -> Iterator[ReplicaLine]:
    """The output of the replicas of `services` (all if empty), live with `follow`.

    Without `follow`, lines come sorted by time. `since_s` is seconds since the epoch.
    """
    snapshot = session.observe()
    for lost in snapshot.unreachable:
        text = f"{lost.name} did not answer, its lines are missing: {lost.reason}"
        session.voice.note(Level.WARNING, "logs-lost", text)
    release = current_release(snapshot)
    scene = _scene(session, snapshot, release)
    names = {s.name for s in (release.spec if release else session.spec).services}
    names |= {held.state.service for held in scene.containers(Role.REPLICA)}
    for name in sorted(set(services) - names):
        raise UsageError(
            "service-unknown",
            f"the app has no service `{name}`",
            hint=name_hint(name, names) if names else "Nothing of it runs yet: underway deploy.",
        )
    wanted = [
        held
        for held in scene.containers(Role.REPLICA)
        if not services or held.state.service in services
    ]
    lines = _followed if follow else _merged
    yield from lines(session, wanted, tail, since_s)


def _read(
    session: Session, held: Held, *, tail: int, since_s: float, follow: bool
) -> Iterator[ReplicaLine]:
    engine = session.world.engine(held.host)
    for line in engine.logs(held.name, tail=tail, follow=follow, since_s=since_s):
        yield ReplicaLine(held.host, held.state.service, held.name, line)


def _merged(
    session: Session, wanted: list[Held], tail: int, since_s: float
) -> Iterator[ReplicaLine]:
    lines = [
        line
        for held in wanted
        for line in _read(session, held, tail=tail, since_s=since_s, follow=False)
    ]
    yield from sorted(lines, key=lambda entry: entry.line.time)


def _followed(
    session: Session, wanted: list[Held], tail: int, since_s: float
) -> Iterator[ReplicaLine]:
    lines: queue.Queue[ReplicaLine | None] = queue.Queue(maxsize=1000)

    def read(held: Held) -> None:
        try:
            for line in _read(session, held, tail=tail, since_s=since_s, follow=True):
                lines.put(line)
        except UnderwayError as error:
            text = f"{held.name} on {held.host}: {error.message}: its lines end here"
            session.voice.note(Level.WARNING, "logs-lost", text)
        finally:
            lines.put(None)

    for held in wanted:
        threading.Thread(target=read, args=(held,), daemon=True).start()
    left = len(wanted)
    while left and not session.cancel.is_set():
        try:
            line = lines.get(timeout=0.2)
        except queue.Empty:
            continue
        if line is None:
            left -= 1
        else:
            yield line
