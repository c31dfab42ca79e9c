"""In which order services are rolled out, and when `before` commands run.

Dependencies first; among equals, services behind the proxy first, so that workers never start a
version that users' requests have refuted; among these those that take others' routes over, so that
a version which no longer knows a host name is not asked under it. A `before` runs as soon as what
its service depends on stands, ahead of every other service.
"""

from collections.abc import Collection
from dataclasses import dataclass

from underway.errors import ConfigurationError
from underway.model.names import ServiceName
from underway.model.spec import AppSpec, ServiceSpec


@dataclass(frozen=True, slots=True)
class Turn:
    """One entry of the order: roll `service` out, or run its `before`."""

    service: ServiceSpec
    is_before: bool = False


def _needs(spec: AppSpec, service: ServiceSpec) -> set[ServiceName]:
    present = {other.name for other in spec.services}
    return {d.service for d in service.depends_on if d.service in present}


def dependencies_first(
    spec: AppSpec, ahead: Collection[ServiceName] = ()
) -> tuple[ServiceSpec, ...]:
    """All services so that each comes after what it depends on; raises on a cycle.

    `ahead` are those that come first among equals.
    """
    done: list[ServiceSpec] = []
    names: set[ServiceName] = set()
    waiting = sorted(spec.services, key=lambda s: (s.proxy is None, s.name not in ahead, s.name))
    while waiting:
        ready = next((s for s in waiting if _needs(spec, s) <= names), None)
        if ready is None:
            circle = ", ".join(sorted(service.name for service in waiting))
            raise ConfigurationError(
                "dependency-cycle",
                f"services depend on one another in a circle: {circle}",
                hint="take one of their `depends_on` away: a service that only calls another can "
                "begin without it and try again",
                place=waiting[0].place,
            )
        waiting.remove(ready)
        done.append(ready)
        names.add(ready.name)
    return tuple(done)


def turns(
    spec: AppSpec, *, runs_before: bool, ahead: Collection[ServiceName] = ()
) -> tuple[Turn, ...]:
    """The order of the whole app; `ahead` come first among equals."""
    order = dependencies_first(spec, ahead)
    early: set[ServiceName] = set()
    if runs_before:
        for service in order:
            if service.before:
                early |= _all_needs(spec, service)
    made: list[Turn] = [Turn(service) for service in order if service.name in early]
    if runs_before:
        made = _with_befores(made, order)
    made += [Turn(service) for service in order if service.name not in early]
    return tuple(made)


def _with_befores(made: list[Turn], order: tuple[ServiceSpec, ...]) -> list[Turn]:
    """Each `before` right behind the early services; an early service's own goes ahead of it."""
    early = {turn.service.name for turn in made}
    result: list[Turn] = []
    for turn in made:
        if turn.service.before:
            result.append(Turn(turn.service, is_before=True))
        result.append(turn)
    late = [Turn(s, is_before=True) for s in order if s.before and s.name not in early]
    return [*result, *late]


def _all_needs(spec: AppSpec, service: ServiceSpec) -> set[ServiceName]:
    found: set[ServiceName] = set()
    todo = [service]
    while todo:
        for name in _needs(spec, todo.pop()):
            if name not in found:
                found.add(name)
                todo.append(spec.service(name))
    return found
