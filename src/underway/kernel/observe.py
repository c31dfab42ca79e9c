"""Observe every host once, in parallel: ports in, one immutable snapshot out.

A host that does not answer becomes `Unreachable`, never an absence. Everything is sorted here, so
that the order in which hosts answer changes nothing.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from underway.errors import EngineError, UnreachableError
from underway.kernel.former import former_hosts
from underway.kernel.world import World, lost_host
from underway.model.names import LABEL_APP, LABEL_ROLE, HostName
from underway.model.release import LedgerState
from underway.model.snapshot import (
    ContainerState,
    ContainerStatus,
    HostState,
    Role,
    Snapshot,
    Unreachable,
    VolumeState,
)
from underway.model.traffic import EdgeState

MOST_HOSTS_AT_ONCE = 16
PROXY_PATIENCE_S = 8.0
"""A proxy that restarts answers after 0.6 s; its script waits for one that is starting."""
_SILENT_PROXY = "its proxy does not answer (container {}, {}): its log there tells why"
_NO_RECORDS = "its records cannot be read: the app's anchor does not run and cannot be started"


def observe(world: World, *, now: float) -> Snapshot:
    """What all hosts hold at this moment, and those that the last releases left something on.

    IntegrityError if a record was altered.
    """
    found: dict[HostName, HostState | Unreachable] = {}
    while names := [name for name in world.hosts if name not in found]:
        with ThreadPoolExecutor(max_workers=min(MOST_HOSTS_AT_ONCE, len(names))) as pool:
            states = pool.map(lambda name: _observe_host(world, name), names)
            found |= zip(names, states, strict=True)
        ledgers = [h.ledger for h in found.values() if isinstance(h, HostState) and h.ledger]
        # Whoever wrote a record that is in doubt shall not choose whom this machine calls.
        world.reach(former_hosts((ledger for ledger in ledgers if not ledger.doubts), found))
    return Snapshot(app=world.app, hosts=tuple(found[n] for n in sorted(found)), taken_at=now)


def observe_closely(world: World, *, now: float) -> Snapshot:
    """As `observe`; the app's replicas with what only their inspection tells: starts, restarts."""
    snapshot = observe(world, now=now)
    with ThreadPoolExecutor(max_workers=MOST_HOSTS_AT_ONCE) as pool:
        hosts = pool.map(lambda host: _inspected(world, host), snapshot.hosts)
        return replace(snapshot, hosts=tuple(hosts))


def _inspected(world: World, host: HostState | Unreachable) -> HostState | Unreachable:
    if isinstance(host, Unreachable):
        return host
    engine = world.engine(host.name)

    def closely(seen: ContainerState) -> ContainerState:
        is_ours = seen.app == world.app and seen.role == Role.REPLICA
        return (engine.container(seen.name) if is_ours else None) or seen

    try:
        return replace(host, containers=tuple(closely(seen) for seen in host.containers))
    except (UnreachableError, EngineError):
        return host  # it answered a moment ago: what it said then is shown


def _observe_host(world: World, name: HostName) -> HostState | Unreachable:
    if name in world.lost:
        return world.lost[name]
    try:
        return _seen(world, name)
    except UnreachableError as error:
        return lost_host(name, error)
    except EngineError as error:
        why = f"its engine answers with an error: {error.message} [{error.code}]"
        return Unreachable(name, why, error.hint)


def _seen(world: World, name: HostName) -> HostState:
    engine = world.engine(name)
    with ThreadPoolExecutor(max_workers=5) as pool:
        facts = pool.submit(engine.facts)
        images = pool.submit(engine.images)
        networks = pool.submit(engine.networks)
        volumes = pool.submit(engine.volumes)
        containers = engine.containers()
        if not _has_anchor(world, containers) and _has_records(world, volumes.result()):
            if not world.revive(name):
                raise _untold(_NO_RECORDS)
            containers = engine.containers()
        containers = _of_compose(world, name, containers)
        has_anchor = _has_anchor(world, containers)
        records = pool.submit(_read_records, world, name) if has_anchor else None
        edge = _edge_state(world, name, containers)
        vault, ledger = records.result() if records else ((), None)
        state = HostState(
            name=name,
            facts=facts.result(),
            containers=containers,
            images=images.result(),
            networks=networks.result(),
            volumes=volumes.result(),
            ledger=ledger,
            vault=vault,
            edge=edge,
        )
    _require_edge(state)
    return state


def _of_compose(
    world: World, name: HostName, containers: tuple[ContainerState, ...]
) -> tuple[ContainerState, ...]:
    """The containers, those of Compose with what only inspection tells of them.

    Whoever takes them over must be able to bring them back as they were.
    """
    engine = world.engine(name)

    def closely(seen: ContainerState) -> ContainerState:
        told = engine.container(seen.name) if seen.project else None
        return replace(seen, restart=told.restart, reference=told.reference) if told else seen

    return tuple(closely(seen) for seen in containers)


def _edge_state(
    world: World, name: HostName, containers: tuple[ContainerState, ...]
) -> EdgeState | None:
    is_up = any(c.role == Role.EDGE and not c.has_ended for c in containers)
    return world.proxy(name).state(wait_s=PROXY_PATIENCE_S) if is_up else None


def _require_edge(host: HostState) -> None:
    """A proxy that stays silent and may know the app is not one that knows nothing."""
    for container in host.containers:
        if container.role != Role.EDGE or container.has_ended or host.edge is not None:
            continue
        if any(
            host.name in release.spec.edge.hosts
            for release in (host.ledger.releases if host.ledger else ())
        ):
            raise _untold(_SILENT_PROXY.format(container.name, container.status.value))


def _untold(why: str) -> UnreachableError:
    return UnreachableError("host-unreachable", why)


def _read_records(world: World, name: HostName) -> tuple[tuple[int, ...], LedgerState]:
    """The vault's releases and the ledger; an anchor that is being made anew is waited for."""
    vault, ledger = world.vault(name).releases(), world.ledger(name).read()
    if ledger is None and world.revive(name):
        vault, ledger = world.vault(name).releases(), world.ledger(name).read()
    if ledger is None:
        raise _untold(_NO_RECORDS)
    return vault, ledger


def _has_anchor(world: World, containers: tuple[ContainerState, ...]) -> bool:
    return any(
        c.role == Role.ANCHOR and c.app == world.app and c.status is ContainerStatus.RUNNING
        for c in containers
    )


def _has_records(world: World, volumes: tuple[VolumeState, ...]) -> bool:
    """Whether the app's ledger or vault is there: without an anchor they are only not read."""
    wanted = {(LABEL_APP, world.app), (LABEL_ROLE, Role.ANCHOR.value)}
    return any(wanted <= set(volume.labels) for volume in volumes)
