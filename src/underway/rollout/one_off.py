"""Containers of one-off commands: a service's image, settings, secrets and volumes, once.

A one-off shares its processes' namespace with a leash, which ends with its client: what runs on it
ends then too, and the engine removes both. No edge knows it, and nobody finds it by the service's
name.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from underway.model.container import ContainerRequest, NetworkPlace
from underway.model.names import (
    LABEL_APP,
    LABEL_GENERATION,
    LABEL_HOLDER,
    LABEL_RELEASE,
    LABEL_ROLE,
    LABEL_SERVICE,
    LABEL_SINCE,
    AppName,
    ContainerName,
    ServiceName,
    VolumeName,
)
from underway.model.release import Release
from underway.model.secret_files import uploaded_files
from underway.model.snapshot import Role
from underway.model.spec import HealthSpec, ServiceSpec
from underway.model.step import RemoveContainer
from underway.ports.conversation import CommandWish
from underway.rollout.reach import names_for
from underway.rollout.request import image_reference, mounts_of
from underway.rollout.scene import Replica, Scene

LEASH_SUFFIX: Final = "-leash"


@dataclass(frozen=True, slots=True)
class OneOff:
    """A command to be run once. `replica` stands for the place and the generation.

    `entrypoint` () is the service's own; `holder` and `since` (RFC 3339) tell whose it is.
    """

    replica: Replica
    wish: CommandWish
    holder: str
    since: str
    entrypoint: tuple[str, ...] = ()


def one_off_name(app: AppName, service: ServiceName, mark: str) -> ContainerName:
    """`libra-web-run-3f9a1c`: `mark` tells those of one service apart."""
    return ContainerName(f"{app}-{service}-run-{mark}")


def leash_name(one_off: ContainerName) -> ContainerName:
    """The container that a one-off lives with."""
    return ContainerName(f"{one_off}{LEASH_SUFFIX}")


def forsaken(scene: Scene) -> Iterator[RemoveContainer]:
    """Ends one-offs that were made and never started, because their client died in between.

    One whose leash stands may be about to start; of those that ended the engine takes care.
    """
    leashes = {(h.host, h.name) for h in scene.containers(Role.LEASH) if not h.state.has_ended}
    for held in scene.containers(Role.RUN):
        if held.state.has_ended and (held.host, leash_name(held.name)) not in leashes:
            yield RemoveContainer(held.host, held.name, "left by a client that died")


def one_off_labels(release: Release, what: OneOff, role: Role) -> dict[str, str]:
    """The labels of a one-off, or of its leash."""
    return {
        LABEL_APP: release.spec.name,
        LABEL_ROLE: role.value,
        LABEL_SERVICE: what.replica.service,
        LABEL_GENERATION: what.replica.generation,
        LABEL_RELEASE: str(release.number),
        LABEL_HOLDER: what.holder,
        LABEL_SINCE: what.since,
    }


def one_off_request(
    release: Release, service: ServiceSpec, what: OneOff, *, bindings: Mapping[VolumeName, str]
) -> ContainerRequest:
    """The container of a one-off; its leash stands already."""
    name = what.replica.name
    physical = {network.name: network.physical for network in release.spec.networks}
    labels = {**dict(service.labels), **one_off_labels(release, what, Role.RUN)}
    return ContainerRequest(
        name=name,
        image=image_reference(release.image_of(service.name)),
        labels=tuple(sorted(labels.items())),
        engine=_engine(service, what),
        environment=(*service.environment, *what.wish.environment),
        command=what.wish.command,
        mounts=mounts_of(service, what.replica, release, bindings),
        files=uploaded_files(service),
        health=HealthSpec(test=("NONE",)),
        networks=tuple(NetworkPlace(physical[p.network]) for p in service.networks),
        extra_hosts=(
            *service.extra_hosts,
            *names_for(release.spec, service, what.replica.host),
        ),
        stop_grace_s=service.stop_grace_s,
    )


def _engine(service: ServiceSpec, what: OneOff) -> str:
    engine = json.loads(service.engine)
    config = engine.setdefault("Config", {})
    config |= {
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": what.wish.has_tty,
    }
    if what.entrypoint:
        config["Entrypoint"] = list(what.entrypoint)
        config.pop("Cmd", None)
    if what.wish.user:
        config["User"] = what.wish.user
    if what.wish.directory:
        config["WorkingDir"] = what.wish.directory
    host = engine.setdefault("HostConfig", {})
    host |= {"RestartPolicy": {"Name": "no"}, "AutoRemove": True}
    # The host's own processes are nobody's to end: a service that sees them has no leash.
    host.setdefault("PidMode", f"container:{leash_name(what.replica.name)}")
    return json.dumps(engine, sort_keys=True)
