"""The edge's container as an engine is asked for it."""

import hashlib
import json
from pathlib import Path

from underway.model.names import EDGE_REVISION, LABEL_GENERATION, LABEL_ROLE
from underway.model.spec import MountKind
from underway.rollout.edge import edge_container

SCRIPTS = Path(__file__).parents[3] / "tools-image" / "scripts"


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


def test_what_makes_the_proxy_changes_with_its_revision() -> None:
    """Clients of several versions share an edge: only a greater number renews what runs."""
    request = edge_container("", 80)
    digest = hashlib.sha256(f"{request.engine}{request.environment}".encode())
    for path in sorted(SCRIPTS.glob("edge-*")):
        digest.update(path.read_bytes())
    known = Path(__file__).with_name("edge-revision.txt").read_text().split()
    assert [str(EDGE_REVISION), digest.hexdigest()[:16]] == known, (
        "the proxy differs: raise EDGE_REVISION and write both into edge-revision.txt"
    )


def test_another_port_or_image_is_another_generation() -> None:
    requests = [edge_container("a", 80), edge_container("a", 81), edge_container("b", 80)]
    assert len({request.label(LABEL_GENERATION) for request in requests}) == 3
    assert edge_container("a", 80) == requests[0]
