"""Observe every host once, in parallel: ports in, one immutable snapshot out.

A host that does not answer becomes `Unreachable`, never an absence. Everything is sorted here, so
that the order in which hosts answer changes nothing.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from underway.errors import EngineError, UnreachableError
from underway.kernel.world import World
from underway.model.names import HostName
from underway.model.snapshot import ContainerState, HostState, Role, Snapshot, Unreachable

MOST_HOSTS_AT_ONCE = 16


def observe(world: World, *, now: float) -> Snapshot:
    """What all hosts hold at this moment. IntegrityError if a record was altered."""
    names = world.hosts
    with ThreadPoolExecutor(max_workers=min(MOST_HOSTS_AT_ONCE, max(1, len(names)))) as pool:
        states = list(pool.map(lambda name: _observe_host(world, name), names))
    return Snapshot(app=world.app, hosts=tuple(states), taken_at=now)


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
        return Unreachable(name, world.lost[name])
    engine = world.engine(name)
    try:
        with ThreadPoolExecutor(max_workers=5) as pool:
            facts = pool.submit(engine.facts)
            images = pool.submit(engine.images)
            networks = pool.submit(engine.networks)
            volumes = pool.submit(engine.volumes)
            containers = engine.containers()
            has_anchor = any(
                c.role == Role.ANCHOR and c.app == world.app and c.status == "running"
                for c in containers
            )
            has_edge = any(c.role == Role.EDGE and c.status == "running" for c in containers)
            ledger = pool.submit(world.ledger(name).read) if has_anchor else None
            vault = pool.submit(world.vault(name).releases) if has_anchor else None
            edge = world.proxy(name).state() if has_edge else None
            return HostState(
                name=name,
                facts=facts.result(),
                containers=containers,
                images=images.result(),
                networks=networks.result(),
                volumes=volumes.result(),
                ledger=ledger.result() if ledger else None,
                vault=vault.result() if vault else (),
                edge=edge,
            )
    except UnreachableError as error:
        return Unreachable(name, error.message)
    except EngineError as error:
        why = f"its engine answers with an error: {error.message} [{error.code}]"
        return Unreachable(name, why)
