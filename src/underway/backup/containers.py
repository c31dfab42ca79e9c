"""The containers that a backup needs on a host, as they shall be created. Pure."""

import json
from typing import Final

from underway.model.container import ContainerRequest
from underway.model.names import LABEL_APP, LABEL_ROLE, AppName, ContainerName
from underway.model.snapshot import Role
from underway.model.spec import EnvVar, HealthSpec, Mount, MountKind
from underway.ports.backup import Workplace

ENGINE_SOCKET: Final = "/var/run/docker.sock"
_SOCKET_INSIDE: Final = "/run/underway/engine.sock"
_PRIVATE: Final = '{"Mode":448,"SizeBytes":67108864}'
_LOGS: Final = {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}}
_NO_COPY: Final = '{"NoCopy":true}'


def sidecar_name(app: AppName) -> ContainerName:
    """The one sidecar of an app on a host: a second backup at once meets its name."""
    return ContainerName(f"underway-backup-{app}")


def looking_name(app: AppName, digits: str) -> ContainerName:
    """A sidecar of whoever only looks: it takes nobody's place, and nobody takes its own."""
    return ContainerName(f"underway-backup-{app}-look-{digits}")


def watchdog_name(app: AppName) -> ContainerName:
    """The container that ends a freeze should nobody else."""
    return ContainerName(f"underway-watchdog-{app}")


def cache_volume(app: AppName) -> str:
    """What a store keeps on a host to be quick; it may be lost."""
    return f"underway-backup-cache-{app}"


def sidecar_request(
    app: AppName,
    image: str,
    place: Workplace,
    *,
    repository: str,
    name: ContainerName,
    socket: str = ENGINE_SOCKET,
) -> ContainerRequest:
    """The sidecar of a workplace. A repository that is a directory of the host is mounted as such.

    Passwords and credentials are written into its memory once it runs: `docker inspect` tells none.
    Its host name is the app's: restic takes a lock of its own host for dead where no such process
    runs, and only this app's runs are known to be over while the app's lock is held.
    """
    host = {"AutoRemove": True, "LogConfig": _LOGS, "SecurityOpt": ["no-new-privileges"]}
    return ContainerRequest(
        name=name,
        image=image,
        labels=_labels(app, Role.SIDECAR),
        engine=json.dumps({"Config": {"Hostname": f"underway-{app}"[:63]}, "HostConfig": host}),
        command=("backup-sidecar",),
        mounts=_mounts(app, place, repository, socket),
        health=HealthSpec(test=("NONE",)),
        network_mode="none" if repository.startswith("/") else "",
    )


def _mounts(app: AppName, place: Workplace, repository: str, socket: str) -> tuple[Mount, ...]:
    mounts = [
        Mount(MountKind.VOLUME, physical, f"/volumes/{volume}", not place.is_writable, _NO_COPY)
        for volume, physical in place.volumes
    ]
    mounts += [
        Mount(MountKind.TMPFS, "", "/run/underway/backup", options=_PRIVATE),
        Mount(MountKind.VOLUME, cache_volume(app), "/cache"),
        Mount(MountKind.VOLUME, "", "/scratch"),
    ]
    if repository.startswith("/"):
        mounts.append(
            Mount(MountKind.BIND, repository, "/repository", options='{"CreateMountpoint":true}')
        )
    if place.may_command:
        mounts.append(Mount(MountKind.BIND, socket, _SOCKET_INSIDE))
    return tuple(mounts)


def watchdog_request(
    app: AppName,
    image: str,
    *,
    limit_s: float,
    thaw: tuple[str, ...],
    after: tuple[tuple[str, str], ...],
    socket: str = ENGINE_SOCKET,
) -> ContainerRequest:
    """The watchdog over the app's sidecar. It comes back when its engine was restarted."""
    lines = "\n".join(f"{container}\t{command}" for container, command in after)
    environment = (
        EnvVar("UNDERWAY_WATCH", sidecar_name(app)),
        EnvVar("UNDERWAY_WATCH_S", str(round(limit_s))),
        EnvVar("UNDERWAY_THAW", " ".join(thaw)),
        EnvVar("UNDERWAY_AFTER", lines),
    )
    host = {"RestartPolicy": {"Name": "on-failure"}, "LogConfig": _LOGS}
    return ContainerRequest(
        name=watchdog_name(app),
        image=image,
        labels=_labels(app, Role.WATCHDOG),
        engine=json.dumps({"HostConfig": host}),
        environment=environment,
        command=("backup-watchdog",),
        mounts=(Mount(MountKind.BIND, socket, _SOCKET_INSIDE),),
        health=HealthSpec(test=("NONE",)),
        network_mode="none",
    )


def _labels(app: AppName, role: Role) -> tuple[tuple[str, str], ...]:
    return ((LABEL_APP, app), (LABEL_ROLE, role.value))
