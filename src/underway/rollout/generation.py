"""The identity of a generation: a hash over all that makes a replica what it is.

What only says how replicas are replaced or reached (count, strategy, proxy hosts, `before`,
dependencies) is not part of it: changing it replaces nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict

from underway.model.names import Generation, SensitiveName, VolumeName
from underway.model.release import Release
from underway.model.spec import MountKind, PortSpec, ServiceSpec
from underway.rollout.reach import all_names, direct_ports, proxy_for


def _part(value: object) -> object:
    return asdict(value) if value is not None else None  # type: ignore[call-overload]


def _port(port: PortSpec) -> dict[str, object]:
    """A port without a range has the identity that it had before there were ranges."""
    parts = asdict(port)
    if not port.last_host_port:
        del parts["last_host_port"]
    return parts


def generation_of(
    release: Release,
    service: ServiceSpec,
    *,
    bindings: Mapping[VolumeName, str],
    counter: int,
) -> Generation:
    """The generation that `service` has in `release`.

    `bindings` are the physical volumes behind its mounts, `counter` tells recreated generations
    of one configuration apart. What other hosts' services resolve to is part of it.
    """
    image = release.image_of(service.name)
    proxy = proxy_for(release.spec, service)
    volumes = sorted(
        (mount.source, bindings.get(VolumeName(mount.source), ""))
        for mount in service.mounts
        if mount.kind is MountKind.VOLUME and mount.source
    )
    parts = {
        "image": image.config_digest,
        "engine": json.loads(service.engine),
        "environment": [asdict(variable) for variable in service.environment],
        "mounts": [asdict(mount) for mount in service.mounts],
        "volumes": volumes,
        "files": [asdict(entry) for entry in service.files],
        "sensitive": _sensitive(release, service),
        "labels": service.labels,
        "health": _part(service.health),
        "ports": [] if service.proxy else [_port(port) for port in service.ports],
        "proxied_port": proxy.port if proxy else 0,
        "networks": [asdict(place) for place in service.networks],
        "extra_hosts": [*service.extra_hosts, *all_names(release.spec, service)],
        "stop_grace_s": service.stop_grace_s,
        "counter": counter,
    }
    if direct := direct_ports(release.spec, service):
        parts["published_across"] = direct
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return Generation(hashlib.sha256(canonical.encode()).hexdigest())


def _sensitive(release: Release, service: ServiceSpec) -> list[tuple[SensitiveName, str]]:
    """The names and keyed digests of the sensitive values a service uses, sorted."""
    digests = {entry.name: entry.digest for entry in release.sensitive}
    used = {v.sensitive for v in service.environment if v.sensitive}
    used |= {entry.content for entry in service.files}
    return sorted((name, digests.get(name, "")) for name in used)
