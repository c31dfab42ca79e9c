"""Some services of one release, all others as they run: a whole release again.

What was left out is never a special case afterwards: the release that results is recorded, rolled
back and repaired as any other. Services that cannot part without breaking a promise are refused
with the names of those that must come along.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn, TypeVar

from underway.errors import RefusedError, UsageError
from underway.errors.suggestion import name_hint
from underway.model.change import Difference
from underway.model.image import ImageIdentity
from underway.model.names import SensitiveName, ServiceName
from underway.model.release import Release
from underway.model.spec import (
    AppSpec,
    DependencyCondition,
    HostSpec,
    MountKind,
    NetworkSpec,
    ServiceSpec,
    VolumeSpec,
)
from underway.rollout.causes import told
from underway.rollout.comparison import compared
from underway.rollout.differences import differences
from underway.rollout.generation import generation_of
from underway.rollout.haproxy_config import user_routes
from underway.rollout.reach import proxy_for

_Part = TypeVar("_Part", NetworkSpec, VolumeSpec)
"""What services may share."""

Uses = Callable[[ServiceSpec], set[str]]
"""The names of the parts that a service uses."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The services called `names` as `wanted` has them, over `current`, the release that runs.

    `source` is where they come from, in words: "the file".
    """

    names: frozenset[ServiceName]
    wanted: AppSpec
    current: Release | None
    source: str

    def __post_init__(self) -> None:
        """Raise UsageError `service-unknown` for a name that neither has."""
        known = {s.name for s in (*self.wanted.services, *self._before)}
        for name in sorted(self.names - known):
            raise UsageError(
                "service-unknown",
                f"neither {self.source} nor what runs has a service `{name}`",
                hint=name_hint(name, known),
            )

    @property
    def _before(self) -> tuple[ServiceSpec, ...]:
        return self.current.spec.services if self.current else ()

    @property
    def taken(self) -> tuple[ServiceSpec, ...]:
        """The services that come from `wanted`."""
        return tuple(s for s in self.wanted.services if s.name in self.names)

    @property
    def kept(self) -> tuple[ServiceSpec, ...]:
        """The services that stay as they run; in today's words where those say the same."""
        today = {service.name: service for service in self.wanted.services}
        return tuple(
            today[s.name] if s.name in today and _is_alike(today[s.name], s) else s
            for s in self._before
            if s.name not in self.names
        )

    def spec(self) -> AppSpec:
        """What all of them are together; RefusedError `only-entangled` where they cannot part."""
        if self.current is None:
            self._require_needed(())
            return replace(self.wanted, services=self.taken)
        before, kept = self.current.spec, self.kept
        self._require_needed(kept)
        self._require_free(kept)
        made = replace(
            self.wanted,
            services=tuple(sorted((*self.taken, *kept), key=lambda service: service.name)),
            volumes=self._parts("volume", self.wanted.volumes, before.volumes, _volumes),
            networks=self._parts("network", self.wanted.networks, before.networks, _networks),
        )
        if any(proxy_for(before, service) for service in kept):
            made = replace(made, edge=before.edge)
        made = replace(made, hosts=self._hosts(made, kept))
        self._require_untouched(made, kept)
        return made

    def require_prepared(self, images: Mapping[ServiceName, ImageIdentity]) -> None:
        """Raise `only-entangled` where an image comes whose preparation is another service's.

        A `before`, or a job that is waited for, made from the same source: it runs ahead of every
        service of its release.
        """
        old = {e.service: e.image for e in self.current.images} if self.current else {}
        for service in self.taken:
            image = images[service.name]
            if old.get(service.name) == image:
                continue
            for other in self.wanted.services:
                if other.name in self.names or old.get(other.name) == image:
                    continue
                if _is_of_one_source(service, other) and _prepares(other, service):
                    self.refuse(
                        f"{other.name} prepares what {service.name} would run",
                        "both are made from one image, and what prepares it runs first",
                        [other.name],
                    )

    def require_there(self, suite: str, needs: Iterable[ServiceName]) -> None:
        """Raise `only-entangled` where a suite of tests needs services that would not be there."""
        there = {service.name for service in (*self.taken, *self.kept)}
        if missing := sorted({*needs} - there):
            self.refuse(f"its suite {suite} needs {', '.join(missing)}", "", missing)

    def left(self, wanted: Release, *, is_built: bool) -> Iterator[str]:
        """What else differs, and is left as it is.

        `wanted` is the whole release that the selection is taken from; without `is_built` it has
        no images of its own for services that are built.
        """
        old = self.current
        if old is None:
            names = [s.name for s in self.wanted.services if s.name not in self.names]
            yield from [f"{', '.join(names)} is left out: --only names others"] if names else []
            return
        today = {service.name: service for service in self.wanted.services}
        for service in old.spec.services:
            if service.name in self.names:
                continue
            if service.name not in today:
                yield f"{service.name} is not in {self.source} any more, and is left running"
                continue
            parts = [part for part in compared(old, wanted) if part.service == service.name]
            found = [Difference(d.kind, d.name, d.turn) for part in parts for d in part.details]
            if found:
                yield f"{service.name} is left as release {old.number} has it: {told(found)}"
        known = {service.name for service in old.spec.services}
        others = [s for s in self.wanted.services if s.name not in self.names]
        if new := [s.name for s in others if s.name not in known]:
            yield f"{', '.join(new)} is new in {self.source}, and is left out"
        if unbuilt := [s.name for s in others if s.build and s.name in known and not is_built]:
            yield f"{', '.join(unbuilt)} is not built: whether its image differs is not known"
        if self.wanted.edge != old.spec.edge and self.spec().edge == old.spec.edge:
            yield f"the edges are left as release {old.number} has them"

    def _require_needed(self, kept: Collection[ServiceSpec]) -> None:
        """Raise where a service depends on one that would not be there."""
        names = {service.name for service in (*self.taken, *kept)}
        for origin, some in ((self.wanted.services, self.taken), (self._before, kept)):
            known = {service.name for service in origin}
            for service in some:
                for need in service.depends_on:
                    if need.service not in known - names or not need.is_required:
                        continue
                    is_new = service.name in self.names
                    self.refuse(
                        f"{service.name} depends on {need.service}, which "
                        + ("does not run yet" if is_new else f"{self.source} does not have"),
                        "",
                        [need.service if is_new else service.name],
                    )

    def _require_free(self, kept: Collection[ServiceSpec]) -> None:
        """Raise where a route or a port of a host is still that of a service that stays."""
        for service in self.taken:
            for other in kept:
                ours, theirs = (
                    {*user_routes(s.proxy)} if s.proxy else set() for s in (service, other)
                )
                ports = _fixed_ports(service) & _fixed_ports(other)
                if held := sorted(ours & theirs) or [f"port {port}" for port in sorted(ports)]:
                    self.refuse(
                        f"{other.name} has what {service.name} takes over: {', '.join(held)}",
                        "",
                        [other.name],
                    )

    def _parts(
        self, kind: str, wanted: tuple[_Part, ...], before: tuple[_Part, ...], used: Uses
    ) -> tuple[_Part, ...]:
        """Networks or volumes of both; what services on both sides use must be alike."""
        old = {part.name: part for part in before}
        users = {
            name: [s.name for s in self.kept if name in used(s)]
            for name in {name for service in self.kept for name in used(service)}
        }
        taken = {name for service in self.taken for name in used(service)}
        made: list[_Part] = []
        for part in wanted:
            was = old.get(part.name, part)
            if part != was and part.name in users and part.name in taken:
                self.refuse(
                    f"{kind} {part.name} changes, and {', '.join(users[part.name])} uses it too",
                    "",
                    users[part.name],
                )
            made.append(was if part.name in users else part)
        known = {part.name for part in wanted}
        made += [part for part in before if part.name in users and part.name not in known]
        return tuple(made)

    def _hosts(self, made: AppSpec, kept: Collection[ServiceSpec]) -> tuple[HostSpec, ...]:
        """Today's hosts, and those that what stays stands on."""
        before = self.current.spec.hosts if self.current else ()
        used = {host for service in kept for host in service.hosts} | {*made.edge.hosts}
        today = {host.name: host for host in made.hosts}
        for host in before:
            if host.name in used and today.get(host.name, host).address != host.address:
                there = [service.name for service in kept if host.name in service.hosts]
                self.refuse(
                    f"{host.name} has another address in {self.source}", "", there or ["..."]
                )
        return (*made.hosts, *(h for h in before if h.name in used and h.name not in today))

    def _require_untouched(self, made: AppSpec, kept: Collection[ServiceSpec]) -> None:
        """Raise where what stays would be replaced: it is reached, or reaches others, otherwise."""
        if self.current is None or not kept:
            return
        after = replace(self.current, spec=made)
        is_alone = [len(spec.hosts) == 1 for spec in (self.current.spec, made)]
        changed = [
            service.name
            for service in kept
            if is_alone[0] != is_alone[1]
            or generation_of(self.current, service, bindings={}, counter=0)
            != generation_of(after, service, bindings={}, counter=0)
        ]
        if changed:
            found = differences(self.current, after, changed[0])
            cause = f"{changed[0]}: {told(found)}" if found else "one host becomes several, or back"
            self.refuse(f"{', '.join(changed)} would be replaced, too", cause, changed)

    def refuse(self, message: str, cause: str, more: Iterable[str]) -> NoReturn:
        """Raise `only-entangled`: `more` are to come along."""
        asked = ", ".join(sorted(self.names))
        options = " ".join(f"--only {name}" for name in sorted({*self.names, *more}))
        raise RefusedError(
            "only-entangled",
            f"{asked} cannot go alone: {message}",
            cause=cause,
            hint=f"name them together: {options}; or leave --only out",
        )


def used_values(services: Iterable[ServiceSpec]) -> frozenset[SensitiveName]:
    """The sensitive values that services use."""
    return frozenset(
        name
        for service in services
        for name in (
            *(v.sensitive for v in service.environment if v.sensitive),
            *(entry.content for entry in service.files),
        )
    )


def _is_alike(one: ServiceSpec, other: ServiceSpec) -> bool:
    """Whether both are one service: the same but for where it stands in the file.

    A port of the proxy that is not said is the one that the image told.
    """
    return _bare(one, other) == _bare(other, one)


def _bare(service: ServiceSpec, other: ServiceSpec) -> ServiceSpec:
    build = replace(service.build, context="", definition="") if service.build else None
    proxy = service.proxy
    if proxy and other.proxy and not proxy.port:
        proxy = replace(proxy, port=other.proxy.port)
    return replace(service, place="", build=build, proxy=proxy)


def _is_of_one_source(one: ServiceSpec, other: ServiceSpec) -> bool:
    if one.build or other.build:
        return one.build == other.build
    return one.image == other.image


def _prepares(one: ServiceSpec, other: ServiceSpec) -> bool:
    """Whether `one` has work that is done ahead of `other`."""
    waited = {d.service for d in other.depends_on if d.condition is DependencyCondition.COMPLETED}
    return one.before is not None or one.name in waited


def _fixed_ports(service: ServiceSpec) -> set[int]:
    return {p.fixed_port for p in service.ports if p.fixed_port and not service.proxy}


def _volumes(service: ServiceSpec) -> set[str]:
    return {m.source for m in service.mounts if m.kind is MountKind.VOLUME and m.source}


def _networks(service: ServiceSpec) -> set[str]:
    return {place.network for place in service.networks}
