"""What a suite's verdict depends on, as one digest: the images, and all that the file says."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

from underway.model.image import ImageIdentity
from underway.model.names import ServiceName
from underway.model.spec import AppSpec, DependencyCondition, ServiceSpec
from underway.model.testing import SuiteSpec

Images = Mapping[ServiceName, ImageIdentity]

_FORMAT = 1
"""Grows when tests run in another way, so that they are run anew."""


def needed_services(spec: AppSpec, suite: SuiteSpec) -> tuple[ServiceSpec, ...]:
    """What a suite needs, with all that those services depend on: each after what it waits for.

    A ring of services that wait for one another is cut where it closes.
    """
    found: dict[ServiceName, ServiceSpec] = {}
    visiting: set[ServiceName] = set()

    def visit(name: ServiceName) -> None:
        if name in found or name in visiting:
            return
        visiting.add(name)
        service = spec.service(name)
        for needed in service.depends_on:
            if needed.is_required:
                visit(needed.service)
        found[name] = service

    for name in sorted(suite.needs):
        visit(name)
    return tuple(found.values())


def waited_for(service: ServiceSpec) -> Iterator[tuple[ServiceName, DependencyCondition]]:
    """The services that must be there before `service` starts, and in which condition."""
    for needed in service.depends_on:
        if needed.is_required:
            yield needed.service, needed.condition


def definition_of(spec: AppSpec, suite: SuiteSpec, images: Images) -> str:
    """Hex SHA-256 over images, settings and services of a suite.

    Time limits, the place in the file, where it runs and sensitive values are not part of it:
    values have no digest that two machines share before the app's first deploy.
    """
    settings = replace(suite, timeout_s=0.0, needs_timeout_s=0.0, host=None, place="")
    services = (spec.service(suite.service), *needed_services(spec, suite))
    parts = {
        "format": _FORMAT,
        "suite": asdict(settings),
        "services": [
            {"image": images[service.name].config_digest, "service": _content(service)}
            for service in services
        ],
    }
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _content(service: ServiceSpec) -> dict[str, object]:
    """What a test's container takes from a service."""
    return {
        "engine": json.loads(service.engine),
        "environment": [asdict(variable) for variable in service.environment],
        "mounts": [asdict(mount) for mount in service.mounts],
        "files": [asdict(file) for file in service.files],
        "health": asdict(service.health) if service.health else None,
        "networks": [asdict(place) for place in service.networks],
        "extra_hosts": service.extra_hosts,
        "depends_on": [asdict(needed) for needed in service.depends_on],
    }
