"""What was asked of services between releases: more or fewer replicas, or none for now.

It stands apart from releases, as bindings do: a rollback of the code swings neither back. A scale
holds as long as releases say the number that it was asked instead of; one that says another number
ends it. A stop holds until the service is started.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from underway.model.names import ServiceName
from underway.model.release import Adjustment, Release
from underway.model.spec import AppSpec

Adjustments = Mapping[ServiceName, Adjustment]


def adjustments_of(
    spec: AppSpec, recorded: Iterable[Adjustment], asked: Iterable[Adjustment]
) -> Adjustments:
    """What holds for the services of `spec`: what is asked counts before what is recorded."""
    newest = {entry.service: entry for entry in (*recorded, *asked)}
    found: dict[ServiceName, Adjustment] = {}
    for service in spec.services:
        entry = newest.get(service.name)
        if (
            entry
            and entry.replicas
            and (entry.instead_of, False)
            != (
                service.replicas,
                service.is_global,
            )
        ):
            entry = replace(entry, replicas=0, instead_of=0)
        if entry and (entry.replicas or entry.is_stopped):
            found[service.name] = entry
    return found


def adjusted(release: Release, adjustments: Adjustments) -> Release:
    """The release with as many replicas as are asked for. A stop leaves their number alone."""
    services = tuple(
        replace(service, replicas=adjustments[service.name].replicas)
        if service.name in adjustments and adjustments[service.name].replicas
        else service
        for service in release.spec.services
    )
    if services == release.spec.services:
        return release
    return replace(release, spec=replace(release.spec, services=services))


def stopped(adjustments: Adjustments) -> frozenset[ServiceName]:
    """The services that are stopped on purpose."""
    return frozenset(name for name, entry in adjustments.items() if entry.is_stopped)


def told(spec: AppSpec, recorded: Iterable[Adjustment], holding: Adjustments) -> Iterator[str]:
    """What becomes of recorded adjustments, and who misses a service that is stopped.

    `spec` is the release's own, not adjusted.
    """
    for entry in recorded:
        service = next((s for s in spec.services if s.name == entry.service), None)
        now = holding.get(entry.service, Adjustment(entry.service))
        if service and entry.replicas and not now.replicas:
            yield (
                f"{service.name} is not scaled to {entry.replicas} any more: "
                f"{service.replicas} replicas are wished"
            )
    for name, entry in sorted(holding.items()):
        if entry.replicas:
            yield (
                f"{name} is scaled to {entry.replicas} replicas, where the file says "
                f"{entry.instead_of} (underway scale {name}={entry.instead_of} ends it)"
            )
        if entry.is_stopped:
            users = [s.name for s in spec.services if name in {d.service for d in s.depends_on}]
            running = [user for user in users if user not in stopped(holding)]
            missed = f"; {', '.join(running)} depends on it" if running else ""
            yield f"{name} is stopped on purpose (underway start {name} brings it back){missed}"
