"""The identifiers of the domain, kept apart by type, and the labels that carry them."""

from typing import Final, NewType

AppName = NewType("AppName", str)
ServiceName = NewType("ServiceName", str)
HostName = NewType("HostName", str)
VolumeName = NewType("VolumeName", str)
NetworkName = NewType("NetworkName", str)
SensitiveName = NewType("SensitiveName", str)
"""Names one sensitive value of a release, e.g. `env/web/DATABASE_URL` or `secret/libra_key`."""
ContainerName = NewType("ContainerName", str)
Generation = NewType("Generation", str)
"""Full lower-case hex SHA-256 over all that makes a replica what it is; names show six digits."""
ReleaseNumber = NewType("ReleaseNumber", int)
RunNumber = NewType("RunNumber", int)
"""Grows with every run of an app; a later run fences an earlier one."""

NO_RELEASE: Final = ReleaseNumber(0)
"""The number of a release that is not there; real ones count from 1."""

GENERATION_DIGITS: Final = 6

LABEL_APP: Final = "underway.app"
LABEL_SERVICE: Final = "underway.service"
LABEL_GENERATION: Final = "underway.generation"
LABEL_COUNTER: Final = "underway.counter"
LABEL_REPLICA: Final = "underway.replica"
LABEL_RELEASE: Final = "underway.release"
LABEL_ROLE: Final = "underway.role"
LABEL_PORT: Final = "underway.port"
LABEL_ADDRESS: Final = "underway.address"
LABEL_RUN: Final = "underway.run"
LABEL_HOLDER: Final = "underway.holder"
LABEL_SINCE: Final = "underway.since"
LABEL_REVISION: Final = "underway.revision"
"""On a proxy: which revision of the edge it is; a newer Underway has a greater one."""
LABEL_TEST: Final = "underway.test"
"""The app whose tests something belongs to: never together with the app's own label."""
LABEL_VOLUME: Final = "underway.volume"
LABEL_POINT: Final = "underway.point"
LABEL_REPLACES: Final = "underway.replaces"
"""On a restored volume: the Compose volume, the restore point, the volume it stands in for."""
LABEL_TOOLS: Final = "underway.tools"
"""On the tools image: the first digits of the digest of what it was built from."""

LABEL_COMPOSE_PROJECT: Final = "com.docker.compose.project"
LABEL_COMPOSE_SERVICE: Final = "com.docker.compose.service"
LABEL_COMPOSE_NUMBER: Final = "com.docker.compose.container-number"
LABEL_COMPOSE_CONFIG: Final = "com.docker.compose.config-hash"
"""Only what Compose made carries it: images that Compose built hand the others on."""
LABEL_COMPOSE_ONCE: Final = "com.docker.compose.oneoff"
LABEL_COMPOSE_NEEDS: Final = "com.docker.compose.depends_on"
"""`db:service_healthy:false,cache:service_started:false`"""
LABEL_COMPOSE_VOLUME: Final = "com.docker.compose.volume"

EDGE_REVISION: Final = 4
"""Grows with every change of the proxy's base configuration, its container or its scripts."""
EDGE_CONTAINER: Final = ContainerName("underway-edge")
EDGE_SUCCESSOR: Final = ContainerName("underway-edge-next")
"""A proxy that takes over from the one that runs; it gets the name once it serves."""

LOCAL_HOST: Final = HostName("local")
"""The name of the only host of a file that names none."""
