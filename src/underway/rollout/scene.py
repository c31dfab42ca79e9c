"""The wish laid over the snapshot: where replicas shall stand, and what stands there now.

Everything here is looked up, nothing is decided twice: the strategies read the scene only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from underway.model.image import ImageIdentity
from underway.model.names import (
    EDGE_CONTAINER,
    LABEL_COMPOSE_CONFIG,
    NO_RELEASE,
    AppName,
    ContainerName,
    Generation,
    HostName,
    ServiceName,
    VolumeName,
)
from underway.model.release import Adjustment, Binding, LedgerState, Release
from underway.model.snapshot import ContainerState, HostState, Role, Snapshot
from underway.model.spec import AppSpec, HostSpec, ServiceSpec
from underway.model.traffic import ObservedServer, ObservedUpstream
from underway.rollout.adjustments import Adjustments, adjusted, adjustments_of, stopped
from underway.rollout.adoption import as_replica
from underway.rollout.beside import Beside
from underway.rollout.condition import holds_resources
from underway.rollout.edge import EDGE_VOLUME


class ProxyRenewal(StrEnum):
    """Whether a running proxy that is not as wished gets a successor.

    DUE: where it is of an older revision, or other, and nobody else needs it as it is.
    """

    DUE = "due"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user allows and asks for beside the wish.

    Attributes:
        is_undo: go back: no `before`, running replicas preferred, unreachable hosts tolerated.
        runs_before: whether `before` commands of this release may run.
        recreate: services to replace although nothing changed.
        skip_hosts: hosts declared outside.
        tools: the tools image.
        keep_unreachable: plan around hosts that do not answer instead of refusing.
        reverts: releases whose `before` is taken back by its `undo`, newest first.
        held_ports: ports of hosts that turned out to be held by others: not chosen.
        proxy_renewal: what becomes of running proxies that are not as wished.
        tolerated: replicas that failed within the tolerance in this run: left as they are.
        bindings: volumes that get another physical one behind them; the rest stays as recorded.
        adjustments: what is asked of services beside the release; the rest stays as recorded.
        adopts: the Compose project that the app takes over from, or goes back to; "" for none.
        leaves_data: services that need not see what the project's containers wrote.
        beside: the release that stays on all hosts but some; None where all get the plan's.
    """

    tools: ImageIdentity
    is_undo: bool = False
    runs_before: bool = True
    recreate: frozenset[ServiceName] = frozenset()
    skip_hosts: frozenset[HostName] = frozenset()
    keep_unreachable: bool = False
    reverts: tuple[Release, ...] = ()
    tolerated: frozenset[ContainerName] = frozenset()
    held_ports: frozenset[tuple[HostName, int]] = frozenset()
    proxy_renewal: ProxyRenewal = ProxyRenewal.DUE
    bindings: tuple[Binding, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    adopts: str = ""
    leaves_data: frozenset[ServiceName] = frozenset()
    beside: Beside | None = None


@dataclass(frozen=True, slots=True, order=True)
class Replica:
    """A replica as it is wished: `name` on `host`."""

    service: ServiceName
    index: int
    host: HostName
    name: ContainerName
    generation: Generation
    counter: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """A container of the app as it was seen on a host."""

    host: HostName
    name: ContainerName
    state: ContainerState = field(compare=False)

    @property
    def is_adopted(self) -> bool:
        """Whether Compose made it, and it counts as a replica because it is taken over from."""
        return bool(self.state.label(LABEL_COMPOSE_CONFIG)) and not self.state.generation


@dataclass(frozen=True, slots=True)
class Scene:
    """A release, what was observed, and the policy, with the look-ups that planning needs.

    `release` has as many replicas as `adjustments` ask for; `said` is what is recorded of it.
    `beside` is what stays on some hosts on purpose, as many replicas of it, too.
    """

    release: Release
    snapshot: Snapshot
    policy: Policy
    said: Release = field(init=False, repr=False, compare=False)
    adjustments: Adjustments = field(init=False, repr=False, compare=False)
    beside: Beside | None = field(init=False, repr=False, compare=False)
    _states: Mapping[HostName, HostState] = field(init=False, repr=False, compare=False)
    _held: Mapping[str, tuple[Held, ...]] = field(init=False, repr=False, compare=False)
    compose: tuple[Held, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index hosts by name and the app's containers by role: plans look them up a lot."""
        states = {
            host.name: host
            for host in sorted(self.snapshot.reachable, key=lambda host: host.name)
            if host.name not in self.policy.skip_hosts
        }
        held: dict[str, list[Held]] = {}
        compose: list[Held] = []
        for host in states.values():
            for container in sorted(host.containers, key=lambda c: c.name):
                state = container
                if self.policy.adopts and container.project == self.policy.adopts:
                    compose.append(Held(host.name, container.name, container))
                    if self.takes_over and holds_resources(container):
                        state = as_replica(container, self.app)
                if state.app == self.app:
                    held.setdefault(state.role, []).append(Held(host.name, state.name, state))
        object.__setattr__(self, "compose", tuple(compose))
        object.__setattr__(self, "_states", states)
        object.__setattr__(self, "_held", {role: tuple(some) for role, some in held.items()})
        asked = adjustments_of(
            self.release.spec, self.recorded_adjustments(), self.policy.adjustments
        )
        object.__setattr__(self, "said", self.release)
        object.__setattr__(self, "adjustments", asked)
        object.__setattr__(self, "release", adjusted(self.release, asked))
        kept = self.policy.beside
        if kept:
            kept = replace(kept, release=adjusted(kept.release, asked))
        object.__setattr__(self, "beside", kept)

    @property
    def app(self) -> AppName:
        """The app."""
        return self.release.spec.name

    @property
    def spec(self) -> AppSpec:
        """The specification of the release."""
        return self.release.spec

    def release_on(self, host: HostName) -> Release:
        """The release that a host shall run: the plan's, or the one that stays there."""
        beside = self.beside
        return beside.release if beside and host not in beside.hosts else self.release

    def service_on(self, host: HostName, service: ServiceSpec) -> ServiceSpec:
        """The service as the release that `host` shall run has it."""
        release = self.release_on(host)
        return service if release is self.release else release.spec.service(service.name)

    @property
    def takes_over(self) -> bool:
        """Whether the containers of a Compose project make room for the app's own.

        `compose` are those containers, all that hosts have. Going back to nothing, they come back.
        """
        return bool(self.policy.adopts) and self.release.number != NO_RELEASE

    def host(self, name: HostName) -> HostState | None:
        """The host as it was seen, or None if it is unreachable or skipped."""
        return self._states.get(name)

    @property
    def hosts(self) -> tuple[HostSpec, ...]:
        """The hosts of the release that are not skipped."""
        return tuple(h for h in self.spec.hosts if h.name not in self.policy.skip_hosts)

    @property
    def reachable(self) -> tuple[HostState, ...]:
        """All observed hosts that answered and are not skipped, sorted by name."""
        return tuple(self._states.values())

    @property
    def lost_hosts(self) -> tuple[HostName, ...]:
        """Observed or wished hosts that did not answer and are not skipped."""
        names = {host.name for host in self.hosts} | {h.name for h in self.snapshot.unreachable}
        return tuple(
            sorted(n for n in names if self.host(n) is None and n not in self.policy.skip_hosts)
        )

    @property
    def edges(self) -> tuple[HostState, ...]:
        """The edges of the release that answered."""
        seen = (self.host(name) for name in sorted(self.spec.edge.hosts))
        return tuple(host for host in seen if host is not None)

    @property
    def former_edges(self) -> tuple[HostState, ...]:
        """Hosts whose proxy knows this app although the release names them no edge."""
        wished = set(self.spec.edge.hosts)
        return tuple(
            host
            for host in self.reachable
            if host.name not in wished
            and host.edge
            and any(upstream.app == self.app for upstream in host.edge.upstreams)
        )

    @property
    def unknown_edges(self) -> tuple[HostState, ...]:
        """Hosts whose proxy does not run, while its files may name this app and serve again.

        A wished edge that has a proxy or its files, and a former one with a proxy.
        """
        wished, recorded = set(self.spec.edge.hosts), self._recorded_edges()
        return tuple(
            host
            for host in self.reachable
            if host.edge is None
            and (
                (host.name in wished and _has_files_alone(host))
                or (host.name in wished | recorded and _has_stopped_proxy(host))
            )
        )

    def _recorded_edges(self) -> set[HostName]:
        return {
            name
            for ledger in self.ledgers()
            for release in ledger.releases
            for name in release.spec.edge.hosts
        }

    @property
    def lost_edges(self) -> tuple[HostName, ...]:
        """Edges that may still send traffic although they did not answer.

        An edge of any recorded release may: going back, it is the failed one's.
        """
        edges = {*self.spec.edge.hosts, *self._recorded_edges()}
        return tuple(name for name in self.lost_hosts if name in edges)

    @property
    def is_fleet(self) -> bool:
        """Whether replicas are reached by published ports on private addresses."""
        return len(self.spec.hosts) > 1

    def upstream(self, edge: HostState, service: ServiceName) -> ObservedUpstream | None:
        """What an edge serves for a service now."""
        for upstream in edge.edge.upstreams if edge.edge else ():
            if upstream.app == self.app and upstream.service == service:
                return upstream
        return None

    def known_server(self, service: ServiceName, name: str) -> ObservedServer | None:
        """A server any reachable edge knows by this name: tells addresses of lost hosts."""
        for edge in self.edges:
            upstream = self.upstream(edge, service)
            for server in upstream.servers if upstream else ():
                if server.name == name:
                    return server
        return None

    def server_names(self, service: ServiceName) -> frozenset[str]:
        """The names of all servers that reachable edges know for a service."""
        seen = (self.upstream(edge, service) for edge in self.edges)
        return frozenset(
            server.name for upstream in seen if upstream for server in upstream.servers
        )

    def containers(self, role: Role) -> tuple[Held, ...]:
        """The app's containers of one role on all hosts, sorted by host and name."""
        return self._held.get(role.value, ())

    def replicas_of(self, service: ServiceName) -> tuple[Held, ...]:
        """All replica containers of a service, whatever their generation, sorted."""
        return tuple(h for h in self.containers(Role.REPLICA) if h.state.service == service)

    def services_seen(self) -> tuple[ServiceName, ...]:
        """Services that have replicas or upstreams somewhere, sorted."""
        names = {held.state.service for held in self.containers(Role.REPLICA)}
        for host in self.reachable:
            for upstream in host.edge.upstreams if host.edge else ():
                if upstream.app == self.app:
                    names.add(upstream.service)
        return tuple(sorted(names))

    def ledgers(self) -> tuple[LedgerState, ...]:
        """What the hosts' ledgers hold, sorted by host."""
        return tuple(host.ledger for host in self.reachable if host.ledger)

    def recorded_releases(self) -> tuple[Release, ...]:
        """All recorded releases: what hosts say is current first, then the newest."""
        found = {r.number: r for ledger in self.ledgers() for r in ledger.releases}
        current = {ledger.current for ledger in self.ledgers()}
        return tuple(found[n] for n in sorted(found, key=lambda n: (n not in current, -n)))

    def recorded_adjustments(self) -> tuple[Adjustment, ...]:
        """What was asked of services before, as the ledger with the newest run says."""
        newest = max(self.ledgers(), key=_newest_run, default=None)
        return newest.adjustments if newest else ()

    @property
    def stopped(self) -> frozenset[ServiceName]:
        """The services that shall not run, on purpose."""
        return stopped(self.adjustments)

    def bindings(self) -> Mapping[VolumeName, str]:
        """Which physical volume stands behind each volume: asked for, recorded, or by its name."""
        found = {volume.name: volume.physical for volume in self.spec.volumes}
        recorded = [binding for ledger in self.ledgers() for binding in ledger.bindings]
        for binding in (*recorded, *self.policy.bindings):
            if binding.volume in found:
                found[VolumeName(binding.volume)] = binding.physical
        return found


def _newest_run(ledger: LedgerState) -> int:
    return max((run.number for run in ledger.runs), default=0)


def _has_files_alone(host: HostState) -> bool:
    is_there = any(volume.name == EDGE_VOLUME for volume in host.volumes)
    return is_there and host.container(EDGE_CONTAINER) is None


def _has_stopped_proxy(host: HostState) -> bool:
    seen = host.container(EDGE_CONTAINER)
    return seen is not None and seen.has_ended
