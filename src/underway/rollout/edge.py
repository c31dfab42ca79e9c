"""The edge's container: one per host, shared by all apps, HAProxy in our tools image.

Pure: the request an engine needs to create it. The base configuration travels in its environment,
so that it comes back with every restart and a newer Underway shows as another generation; all
else lives in the volume. Clients of several versions share an edge: the greatest revision wins.
"""

import hashlib
import json
from dataclasses import astuple, replace
from typing import Final

from underway.model.container import ContainerRequest
from underway.model.names import (
    EDGE_CONTAINER,
    EDGE_REVISION,
    LABEL_GENERATION,
    LABEL_PORT,
    LABEL_REVISION,
    LABEL_ROLE,
    ContainerName,
)
from underway.model.snapshot import Role
from underway.model.spec import EnvVar, Mount, MountKind
from underway.rollout.haproxy_config import base_text

EDGE_VOLUME: Final = "underway-edge"
EDGE_DIRECTORY: Final = "/edge"

ID_DIGITS: Final = 12
"""How much of its container's id a proxy tells."""

_STOP_GRACE_S: Final = 30.0
_ENGINE: Final = {
    # SIGUSR1 lets HAProxy finish what it has.
    "Config": {"StopSignal": "SIGUSR1"},
    "HostConfig": {
        "CapDrop": ["ALL"],
        # The master binds low ports, gives root up in its workers and signals them.
        "CapAdd": ["KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"],
        "LogConfig": {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}},
        "ReadonlyRootfs": True,
        "RestartPolicy": {"Name": "unless-stopped"},
        "SecurityOpt": ["no-new-privileges"],
    },
}


def retired_proxy(container_id: str) -> ContainerName:
    """The name of a proxy that was succeeded and ends what it has."""
    return ContainerName(f"{EDGE_CONTAINER}-retired-{container_id[:ID_DIGITS]}")


def edge_container(
    image: str, http_port: int, *, content: str = "", name: ContainerName = EDGE_CONTAINER
) -> ContainerRequest:
    """The edge's container from the tools image, listening on `http_port` of the host.

    `content` tells tools images apart where two machines made one each from the same sources.
    """
    request = ContainerRequest(
        name=EDGE_CONTAINER,
        image=image,
        engine=json.dumps(_ENGINE, sort_keys=True),
        environment=(
            EnvVar("UNDERWAY_EDGE_BASE", base_text(http_port)),
            EnvVar("UNDERWAY_EDGE_DIR", EDGE_DIRECTORY),
            EnvVar("UNDERWAY_EDGE_PORT", str(http_port)),
        ),
        command=("edge-serve",),
        mounts=(
            Mount(MountKind.VOLUME, EDGE_VOLUME, EDGE_DIRECTORY),
            Mount(MountKind.TMPFS, "", "/run"),
            Mount(MountKind.TMPFS, "", "/tmp"),  # noqa: S108 - a path inside the container
        ),
        network_mode="host",
        stop_grace_s=_STOP_GRACE_S,
    )
    identity = replace(request, image=content or image)
    generation = hashlib.sha256(repr(astuple(identity)).encode()).hexdigest()
    labels = (
        (LABEL_GENERATION, generation),
        (LABEL_PORT, str(http_port)),
        (LABEL_REVISION, str(EDGE_REVISION)),
        (LABEL_ROLE, Role.EDGE.value),
    )
    return replace(request, name=name, labels=labels)
