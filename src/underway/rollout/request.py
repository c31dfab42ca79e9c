"""Containers as they shall be created: replicas, `before` commands and the anchor."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final

from underway.model.container import ContainerRequest, NetworkPlace
from underway.model.image import ImageIdentity
from underway.model.names import (
    LABEL_ADDRESS,
    LABEL_APP,
    LABEL_COUNTER,
    LABEL_GENERATION,
    LABEL_PORT,
    LABEL_RELEASE,
    LABEL_REPLICA,
    LABEL_ROLE,
    LABEL_SERVICE,
    AppName,
    VolumeName,
)
from underway.model.release import Release
from underway.model.secret_files import SECRETS_DIRECTORY, secret_files, uploaded_files
from underway.model.snapshot import Role
from underway.model.spec import BeforeSpec, HealthSpec, Mount, MountKind, ServiceSpec
from underway.rollout.addresses import Location
from underway.rollout.naming import (
    anchor_name,
    before_name,
    files_volume,
    ledger_volume,
    vault_volume,
)
from underway.rollout.reach import Names
from underway.rollout.scene import Replica

_CONTENT: Final = re.compile(r":(?:[^/]*-)?([0-9a-f]{12})$")
"""The digits of the sources, as the last part of a built tools image's tag."""


_ANCHOR_ENGINE: Final = {
    "Config": {},
    "HostConfig": {
        "RestartPolicy": {"Name": "unless-stopped"},
        "ReadonlyRootfs": True,
        "Init": True,
        "CapDrop": ["ALL"],
        "CapAdd": ["DAC_OVERRIDE"],
        "SecurityOpt": ["no-new-privileges"],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
    },
}


def image_reference(image: ImageIdentity) -> str:
    """What an engine finds the image by: the digest it was pulled by, else its id."""
    return image.pull_reference or image.config_digest


def tools_content(tools: ImageIdentity) -> str:
    """What tells tools images apart: what they were built from, where their tag says it.

    Each machine that builds one gets another image id from the same sources.
    """
    digits = _CONTENT.search(tools.reference)
    return digits[1] if digits and not tools.pull_reference else tools.config_digest


def mounts_of(
    service: ServiceSpec, replica: Replica, release: Release, bindings: Mapping[VolumeName, str]
) -> tuple[Mount, ...]:
    """What a replica mounts, by physical volumes, its secret files among them."""
    mounts = [
        Mount(
            m.kind, bindings.get(VolumeName(m.source), m.source), m.target, m.read_only, m.options
        )
        if m.kind is MountKind.VOLUME and m.source
        else m
        for m in service.mounts
    ]
    if secret_files(service):
        volume = files_volume(release.spec.name, service.name, replica.generation)
        mounts.append(Mount(MountKind.VOLUME, volume, SECRETS_DIRECTORY, read_only=True))
    return tuple(mounts)


def replica_request(
    release: Release,
    service: ServiceSpec,
    replica: Replica,
    *,
    location: Location,
    names: Names,
    bindings: Mapping[VolumeName, str],
) -> ContainerRequest:
    """The container of one replica."""
    labels = {
        **dict(service.labels),
        LABEL_APP: release.spec.name,
        LABEL_ROLE: Role.REPLICA.value,
        LABEL_SERVICE: service.name,
        LABEL_GENERATION: replica.generation,
        LABEL_COUNTER: str(replica.counter),
        LABEL_REPLICA: str(replica.index),
        LABEL_RELEASE: str(release.number),
    }
    if location.port:
        labels |= {LABEL_ADDRESS: location.address, LABEL_PORT: str(location.port)}
    return ContainerRequest(
        name=replica.name,
        image=image_reference(release.image_of(service.name)),
        labels=tuple(sorted(labels.items())),
        engine=service.engine,
        environment=service.environment,
        mounts=mounts_of(service, replica, release, bindings),
        files=uploaded_files(service),
        health=service.health,
        published=location.published,
        networks=location.networks,
        extra_hosts=(*service.extra_hosts, *names),
        stop_grace_s=service.stop_grace_s,
    )


def before_request(
    release: Release,
    service: ServiceSpec,
    before: BeforeSpec,
    replica: Replica,
    *,
    names: Names,
    bindings: Mapping[VolumeName, str],
) -> ContainerRequest:
    """The container that runs `before` once; it stays as its own record."""
    engine = json.loads(service.engine)
    host_config = engine.setdefault("HostConfig", {})
    host_config["RestartPolicy"] = {"Name": "no"}
    engine.setdefault("Config", {}).pop("Cmd", None)
    physical = {network.name: network.physical for network in release.spec.networks}
    labels = {
        LABEL_APP: release.spec.name,
        LABEL_ROLE: Role.BEFORE.value,
        LABEL_SERVICE: service.name,
        LABEL_GENERATION: replica.generation,
        LABEL_RELEASE: str(release.number),
    }
    return ContainerRequest(
        name=before_name(release.spec.name, service.name, release.number),
        image=image_reference(release.image_of(service.name)),
        labels=tuple(sorted(labels.items())),
        engine=json.dumps(engine, sort_keys=True),
        environment=service.environment,
        command=before.command,
        mounts=mounts_of(service, replica, release, bindings),
        files=uploaded_files(service),
        health=HealthSpec(test=("NONE",)),
        networks=tuple(NetworkPlace(physical[p.network]) for p in service.networks),
        extra_hosts=(*service.extra_hosts, *names),
        stop_grace_s=service.stop_grace_s,
    )


def anchor_request(app: AppName, tools: ImageIdentity, kept: tuple[str, ...]) -> ContainerRequest:
    """The tiny container that holds an app's records on a host, and its volumes against prunes."""
    mounts = [
        Mount(MountKind.VOLUME, ledger_volume(app), "/ledger"),
        Mount(MountKind.VOLUME, vault_volume(app), "/vault"),
        *(
            Mount(
                MountKind.VOLUME, name, f"/kept/{name}", read_only=True, options='{"NoCopy":true}'
            )
            for name in kept
        ),
    ]
    what = json.dumps(
        [tools_content(tools), [m.source for m in mounts], _ANCHOR_ENGINE], sort_keys=True
    )
    labels = {
        LABEL_APP: app,
        LABEL_ROLE: Role.ANCHOR.value,
        LABEL_GENERATION: hashlib.sha256(what.encode()).hexdigest(),
    }
    return ContainerRequest(
        name=anchor_name(app),
        image=image_reference(tools),
        labels=tuple(sorted(labels.items())),
        engine=json.dumps(_ANCHOR_ENGINE, sort_keys=True),
        command=("anchor",),
        mounts=tuple(mounts),
        network_mode="none",
        stop_grace_s=1,
    )
