"""A repository on a REST server takes backups and gives them back."""

from pathlib import Path

import pytest

from tests.e2e.archivist import deployed
from tests.e2e.rest_store import rest_store
from tests.laboratories import Fleet

SILENT_S = 180
"""Three times the minute after which an opening ends."""


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_a_rest_server_keeps_points_and_gives_them_back(fleet: Fleet, tmp_path: Path) -> None:
    address = fleet.laboratory.layout.gateway
    kept = tmp_path / "kept"
    kept.mkdir()
    with rest_store(kept, address) as port:
        archivist = deployed(fleet, tmp_path, f"rest:http://{address}:{port}/team/")
        archivist.change()
        archivist.create()
        archivist.run("backup", "verify", "--read-data").expect(0)
        archivist.expect_good()
        stored = [p.read_bytes() for p in kept.rglob("*") if p.is_file()]
        assert len(stored) > len(archivist.good)
        assert not any(b"volumes" in content for content in stored), "the store reads a manifest"
        archivist.expect_next()
    # Nobody listens there any more: told within the minute, nothing kept frozen, no lock held.
    gone = archivist.run("backup", "create").expect(6)
    assert "backup-store-unreachable" in gone.err
    assert gone.took_s < SILENT_S
    archivist.expect_serving()
    with rest_store(kept, address, port):
        archivist.expect_next()
        archivist.run("remove", "--yes", "--with-data").expect(0)
