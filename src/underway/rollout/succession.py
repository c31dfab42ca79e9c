"""Which replicas a release wishes, and under which names they stand or come to stand.

Replicas that stand decide. One that is unwell may serve all the same, and may hold data: it is
never mended in its place. A successor under a name of its own starts beside it or after it, by
the service's strategy, and the unwell one is retired as any old replica is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from underway.model.names import (
    LABEL_APP,
    LABEL_COUNTER,
    LABEL_GENERATION,
    ContainerName,
    VolumeName,
)
from underway.model.release import Release
from underway.model.snapshot import ContainerState
from underway.model.spec import ServiceSpec
from underway.rollout.condition import holds_resources, is_standing
from underway.rollout.generation import generation_of
from underway.rollout.naming import is_retired, replica_name, successor_name, successor_number
from underway.rollout.placing import Places, placed
from underway.rollout.reach import proxy_for
from underway.rollout.scene import Held, Replica, Scene


def wished_replicas(
    scene: Scene, service: ServiceSpec, bindings: Mapping[VolumeName, str]
) -> tuple[Replica, ...]:
    """The replicas of the release, under the recreate counter that fits.

    Replicas that stand already decide the counter: the newest of them, or, going back, the
    oldest. Where the user asks to recreate them, or none stands, it is the lowest counter above
    them whose names no foreign container holds. A service that is stopped on purpose has none.
    """
    if service.name in scene.stopped:
        return ()
    places = placed(service, scene.policy.skip_hosts)
    releases = {scene.release_on(host).number: host for _, host in places}
    found = [
        replica
        for number, host in releases.items()
        for replica in _of_release(
            scene,
            (scene.release_on(host), scene.service_on(host, service)),
            tuple(p for p in places if scene.release_on(p[1]).number == number),
            bindings,
        )
    ]
    return tuple(sorted(found, key=lambda replica: places.index((replica.index, replica.host))))


def _of_release(
    scene: Scene,
    of: tuple[Release, ServiceSpec],
    places: Places,
    bindings: Mapping[VolumeName, str],
) -> tuple[Replica, ...]:
    """The replicas of one release in these places, under the counter that fits."""
    release, service = of

    def replicas(counter: int) -> tuple[Replica, ...]:
        generation = generation_of(release, service, bindings=bindings, counter=counter)
        return tuple(
            Replica(
                service.name,
                index,
                host,
                replica_name(scene.app, service.name, generation, index),
                generation,
                counter,
            )
            for index, host in places
        )

    seen = scene.replicas_of(service.name)
    generations = {held.state.generation for held in seen if not is_retired(held.name)}
    counters = sorted({int(held.state.label(LABEL_COUNTER) or 0) for held in seen})
    standing = [c for c in counters if any(r.generation in generations for r in replicas(c))]
    lowest = counters[-1] + 1 if standing else 0
    if service.name not in scene.policy.recreate:
        for counter in standing if scene.policy.is_undo else reversed(standing):
            chosen = tuple(_chosen(scene, service, seen, r) for r in replicas(counter))
            if not _is_misplaced(scene, service, chosen):
                return chosen
    counter = lowest
    while _names_are_held(scene, service, replicas(counter)):
        counter += 1
    return replicas(counter)


def _chosen(scene: Scene, service: ServiceSpec, seen: Iterable[Held], first: Replica) -> Replica:
    """The replica that stands for a number, or the one to be made for it.

    A job is never run a second time beside itself.
    """
    stands = _candidates(scene, seen, first)
    spared = [number for number in stands if _name(first, number) in scene.policy.tolerated]
    standing = [number for number, state in stands.items() if state is None or is_standing(state)]
    idle = [number for number, state in stands.items() if state and not holds_resources(state)]
    if spared:
        number = max(spared)
    elif standing:
        number = min(standing) if scene.policy.is_undo else max(standing)
    elif idle or service.runs_once or not stands:
        number = max(idle or stands, default=1)
    else:
        number = max(stands) + 1
        host = scene.host(first.host)
        while host and host.container(_name(first, number)):
            number += 1
    return replace(first, name=_name(first, number))


def _candidates(
    scene: Scene, seen: Iterable[Held], first: Replica
) -> dict[int, ContainerState | None]:
    """What stands for a replica's number, by successor number.

    On a host that does not answer, it is what edges know by name; its state is None.
    """
    if scene.host(first.host) is None:
        known = scene.server_names(first.service)
        return {n: None for name in known if (n := successor_number(name, first.name))}
    return {
        number: held.state
        for held in seen
        if held.host == first.host
        and held.state.generation == first.generation
        and (number := successor_number(held.name, first.name))
    }


def _name(first: Replica, number: int) -> ContainerName:
    return successor_name(first.name, number)


def _names_are_held(scene: Scene, service: ServiceSpec, replicas: tuple[Replica, ...]) -> bool:
    for replica in replicas:
        host = scene.host(replica.host)
        holder = host.container(replica.name) if host else None
        if holder and (
            holder.label(LABEL_APP) != scene.app
            or holder.label(LABEL_GENERATION) != replica.generation
        ):
            return True
    return _is_misplaced(scene, service, replicas)


def _is_misplaced(scene: Scene, service: ServiceSpec, replicas: tuple[Replica, ...]) -> bool:
    """Whether a name stands on another host than it shall, or cannot be reached as it shall be.

    Edges know replicas by name: one name is one container in the whole fleet.
    """
    seen = scene.replicas_of(service.name)
    shall = {replica.name: replica.host for replica in replicas}
    if any(held.host != shall.get(held.name, held.host) for held in seen):
        return True
    places = {held.name: held for held in seen}
    proxy = proxy_for(scene.spec, service)
    if proxy is None:
        return False
    for replica in replicas:
        own = scene.spec.host(replica.host).address if scene.is_fleet else ""
        held = places.get(replica.name)
        if held and held.state.port and not _suits(held.state, own, proxy.port):
            return True
        known = scene.known_server(service.name, replica.name)
        if known and not held and own and known.address != own:
            return True
    return False


def _suits(state: ContainerState, own_address: str, port: int) -> bool:
    """Whether edges reach a container: on its host's private address, or where it is pinned."""
    if own_address:
        return state.address == own_address
    return state.address == "127.0.0.1" or state.port == port
