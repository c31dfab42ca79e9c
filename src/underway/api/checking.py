"""Look whether the hosts can carry the app, before anything changes there.

What is asked of every host at once: its engine, its clock, the registries it pulls from, and, from
inside short-lived probe containers, its disk, ports and addresses. Then each edge connects to each
host's private address. Only the tools image stays.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from underway.api.inside import CONNECT, HOLDERS, LOOK, connections_of, holders_of, inside_of
from underway.api.probing import Probes, in_parallel, trouble_of
from underway.api.session import Session
from underway.errors import UnderwayError
from underway.image.reference import parse_reference
from underway.model.check import CheckResult, failed
from underway.model.checklist import check_hosts
from underway.model.look import (
    ClockLook,
    ConnectionLook,
    Holder,
    HostLook,
    InsideLook,
    Looks,
    Reach,
    RegistryLook,
    Trouble,
)
from underway.model.names import ContainerName, HostName
from underway.model.snapshot import HostState, Snapshot
from underway.model.spec import AppSpec


def check(session: Session) -> tuple[CheckResult, ...]:
    """Everything a deploy needs of its hosts, judged, in the file's order of hosts."""
    snapshot = session.observe()
    results = check_hosts(session.spec, snapshot, look_around(session, snapshot))
    return (*_values(session), *results)


def _values(session: Session) -> Iterator[CheckResult]:
    """What this machine lacks of the file's values; the images it names were not looked for."""
    error = session.unread
    if error is not None:
        where = f"{error.place}: " if error.place else ""
        yield failed(HostName(""), "values", f"{where}{error.message}", error.hint)


def look_around(session: Session, snapshot: Snapshot) -> Looks:
    """What the hosts that answered show beyond the snapshot; every probe is gone afterwards."""
    named = {host.name for host in session.spec.hosts}
    hosts = [host for host in snapshot.reachable if host.name in named]
    if not hosts:
        return Looks()
    try:
        probes = Probes(session, session.workshop.tools())
    except UnderwayError as error:
        asked = in_parallel(lambda host: _ask(session, host), hosts)
        looks = {host.name: look for host, look in zip(hosts, asked, strict=True)}
        return Looks(looks, tools=trouble_of(error))
    try:
        probes.sweep(hosts)
        # All of them first: a probe lives shorter than an image may be on its way.
        lacking = in_parallel(lambda host: probes.bring_tools(snapshot, host.name), hosts)
        brought = list(zip(hosts, lacking, strict=True))
        sights = in_parallel(lambda one: _see(probes, *one), brought)
        return _between(probes, {sight.host.name: sight for sight in sights})
    finally:
        probes.close()


@dataclass(frozen=True, slots=True)
class _Sight:
    """What was seen of one host, the probe that waits there, and its listener's port or 0."""

    host: HostState
    look: HostLook
    probe: ContainerName | None = None
    port: int = 0
    token: str = ""


def _ask(session: Session, host: HostState) -> HostLook:
    """What the engine itself tells."""
    engine = session.world.engine(host.name)
    way = session.way_to(host.name)
    asked_at = session.clock.now()
    try:
        told = engine.facts().clock
    except UnderwayError as error:
        return HostLook(way, clock=trouble_of(error))
    clock = ClockLook(told, asked_at, session.clock.now())
    return HostLook(way, clock=clock, registries=_registries(session, host.name))


def _registries(session: Session, host: HostName) -> tuple[RegistryLook, ...]:
    """Each registry asked for each image it shall give this host; for one of those still built."""
    return tuple(
        replace(look, trouble=_resolve(session, host, look.reference))
        for look in wanted_images(session.spec, host)
    )


def wanted_images(spec: AppSpec, host: HostName) -> tuple[RegistryLook, ...]:
    """What a host is to pull from registries that the file names, as it is to be asked for."""
    wanted: dict[tuple[str, str], RegistryLook] = {}
    for service in spec.services:
        if host not in service.hosts or not service.image:
            continue
        reference = parse_reference(service.image, place=service.place)
        if reference.names_registry:
            is_built = service.build is not None
            key = (reference.registry, "" if is_built else service.image)
            look = RegistryLook(reference.registry, service.image, is_built)
            wanted.setdefault(key, look)
    return tuple(wanted[key] for key in sorted(wanted))


def _resolve(session: Session, host: HostName, reference: str) -> Trouble | None:
    try:
        session.world.engine(host).resolve(reference)
    except UnderwayError as error:
        return trouble_of(error)
    return None


def _see(probes: Probes, host: HostState, lack: Trouble | None) -> _Sight:
    look = _ask(probes.session, host)
    if isinstance(look.clock, Trouble):
        return _Sight(host, look)
    if lack is not None:
        return _Sight(host, replace(look, inside=lack))
    try:
        probe = probes.look(host)
        inside = inside_of(probes.ask(host.name, probe, LOOK))
    except UnderwayError as error:
        return _Sight(host, replace(look, inside=trouble_of(error)))
    look = replace(look, inside=inside, holders=_holders(probes, host, inside))
    return _listening(probes, _Sight(host, look, probe), inside)


def _holders(probes: Probes, host: HostState, inside: InsideLook) -> tuple[Holder, ...]:
    """Who holds the edge's port, asked only where it is held and no container publishes it."""
    edge = probes.session.spec.edge
    port = edge.http_port
    is_ours = host.edge is not None and host.edge.http_port == port
    is_published = any(held == port for c in host.containers for _, held in c.published)
    is_open = port not in inside.listening or is_ours or is_published
    if host.name not in edge.hosts or host.facts.is_rootless or is_open:
        return ()
    try:
        probe = probes.look(host, sees_processes=True)
        return holders_of(probes.ask(host.name, probe, HOLDERS, f"{port:04X}"))
    except UnderwayError:
        return ()  # That the port is held is known; only by whom is not.


def _listening(probes: Probes, sight: _Sight, inside: InsideLook) -> _Sight:
    """The same with a listener on the host's private address, where edges shall connect to it."""
    spec = probes.session.spec
    address = spec.host(sight.host.name).address
    if len(spec.hosts) == 1 or not spec.edge.hosts:
        return sight
    token = hashlib.sha256(probes.name(sight.host.name, "token").encode()).hexdigest()[:16]
    try:
        port = probes.listen(sight.host, address, inside.listening, token)
    except UnderwayError as error:
        return replace(sight, look=replace(sight.look, listener=trouble_of(error)))
    return replace(sight, port=port, token=token)


def _between(probes: Probes, sights: dict[HostName, _Sight]) -> Looks:
    """What shows only where hosts meet: one engine under two names, and connections."""
    names = [host.name for host in probes.session.spec.hosts if host.name in sights]
    edges = [name for name in names if name in probes.session.spec.edge.hosts]
    twins = in_parallel(lambda name: _twins(probes, sights, name), names)
    met = in_parallel(lambda edge: _connect(probes, sights, edge), edges)
    hosts = {
        name: replace(sights[name].look, is_same_as=same)
        for name, same in zip(names, twins, strict=True)
    }
    return Looks(hosts, tuple(look for looks in met for look in looks))


def _twins(probes: Probes, sights: dict[HostName, _Sight], name: HostName) -> tuple[HostName, ...]:
    """Other names under which this host's probe is seen; clones tell one id and do not show it."""
    mine = sights[name]
    found = []
    for other, sight in sorted(sights.items()):
        is_alike = other != name and sight.host.facts.id == mine.host.facts.id
        if is_alike and mine.probe and sight.probe:
            seen = probes.session.world.engine(name).container(sight.probe)
            if seen is not None:
                found.append(other)
    return tuple(found)


def _connect(
    probes: Probes, sights: dict[HostName, _Sight], edge: HostName
) -> tuple[ConnectionLook, ...]:
    targets = {name: (s.port, s.token) for name, s in sights.items() if s.port}
    if len(probes.session.spec.hosts) == 1:
        return ()
    untried = tuple(
        ConnectionLook(edge, name, port, Reach.UNTRIED) for name, (port, _) in targets.items()
    )
    probe = sights[edge].probe
    if not probe or not targets:
        return untried
    arguments: list[str] = []
    for name, (port, _) in sorted(targets.items()):
        arguments += [name, probes.session.spec.host(name).address, str(port)]
    try:
        text = probes.ask(edge, probe, CONNECT, *arguments)
    except UnderwayError:
        return untried
    return tuple(connections_of(text, edge, targets))
