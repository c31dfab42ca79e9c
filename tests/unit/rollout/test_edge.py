"""The edge's container as an engine is asked for it."""

import json

from underway.model.names import LABEL_GENERATION, LABEL_ROLE
from underway.model.spec import MountKind
from underway.rollout.edge import edge_container


def test_the_edge_gives_up_what_it_does_not_need() -> None:
    request = edge_container("sha256:abc", 80)
    host = json.loads(request.engine)["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["RestartPolicy"] == {"Name": "unless-stopped"}
    assert request.network_mode == "host"
    assert request.label(LABEL_ROLE) == "edge"
    kept = [mount.source for mount in request.mounts if mount.kind is MountKind.VOLUME]
    assert kept == ["underway-edge"]


def test_another_port_or_image_is_another_generation() -> None:
    requests = [edge_container("a", 80), edge_container("a", 81), edge_container("b", 80)]
    assert len({request.label(LABEL_GENERATION) for request in requests}) == 3
    assert edge_container("a", 80) == requests[0]
