"""A repository's history is an app's own, or it is only read."""

from dataclasses import replace

import pytest

from tests.unit.backup.sample import BINDINGS, HOST, MANIFEST, PGDATA, RELEASE, snapshot
from underway.api.belonging import require_own
from underway.backup.manifest import decode_manifest, encode_manifest
from underway.errors import RefusedError
from underway.model.names import LABEL_POINT
from underway.model.release import LedgerState, Release
from underway.model.snapshot import Snapshot, VolumeState

DEPLOYED = replace(RELEASE, created_at="2026-02-01T10:00:00Z", created_by="portia@laptop")
NEWEST = replace(MANIFEST, release=DEPLOYED)
POINTS = (NEWEST.summary,)


def seen(*releases: Release, restored: str = "") -> Snapshot:
    """Hosts that recorded these releases; the database's volume came from a point."""
    host = snapshot().reachable[0]
    labels = ((LABEL_POINT, restored),) if restored else ()
    volumes = tuple(
        VolumeState(physical, labels=labels if name == PGDATA else ())
        for name, physical in BINDINGS.items()
    )
    ledger = LedgerState(HOST, releases=releases, current=DEPLOYED.number)
    return Snapshot("libra", (replace(host, ledger=ledger, volumes=volumes),))  # type: ignore[arg-type]


def test_who_deployed_the_release_of_the_newest_point_goes_on() -> None:
    require_own(seen(DEPLOYED), BINDINGS, NEWEST, POINTS)


def test_a_release_that_was_brought_to_other_hosts_stays_the_same() -> None:
    elsewhere = replace(DEPLOYED, spec=replace(DEPLOYED.spec, subnet="10.99.0.0/16"))
    require_own(seen(elsewhere), BINDINGS, NEWEST, POINTS)


def test_who_serves_data_of_a_point_goes_on() -> None:
    anew = replace(DEPLOYED, created_at="2026-04-01T10:00:00Z")
    require_own(seen(anew, restored=NEWEST.point), BINDINGS, NEWEST, POINTS)


@pytest.mark.parametrize("restored", ["", "20200101-000000-000000"])
def test_a_host_that_was_deployed_anew_only_reads(restored: str) -> None:
    anew = replace(DEPLOYED, created_at="2026-04-01T10:00:00Z")
    with pytest.raises(RefusedError) as caught:
        require_own(seen(anew, restored=restored), BINDINGS, NEWEST, POINTS)
    assert caught.value.code == "backup-not-adopted"
    assert "--adopt" in caught.value.hint


def test_a_manifest_of_an_older_version_is_read() -> None:
    data = encode_manifest(MANIFEST).replace(b'"project": null', b'"unknown": 1')
    found = decode_manifest(data, MANIFEST.point)
    assert found.project is None
    assert found.release == MANIFEST.release
