"""Pruning a real repository: what restores and what a release needs stays, whatever `keep` says."""

from pathlib import Path

import pytest
import yaml

from tests.e2e.archivist import APP, Archivist, deployed
from tests.laboratories import Fleet

pytestmark = [pytest.mark.exhaustive, pytest.mark.lab(hosts=1), pytest.mark.timeout(1200)]


def say(archivist: Archivist, service: str, **wish: object) -> None:
    """Say more in the file: of a service, and that one daily point is enough."""
    path = archivist.root / APP / "compose.yaml"
    said = yaml.safe_load(path.read_text())
    said["services"][service] |= wish
    few = {"daily": 1, "weekly": 0, "monthly": 0, "floor": 1}
    said["x-underway"]["backup"]["keep"] = few
    path.write_text(yaml.safe_dump(said, sort_keys=False))


def listed(archivist: Archivist) -> list[str]:
    return sorted(one["id"] for one in archivist.points())


def test_pruning_keeps_what_is_proven_and_what_a_rollback_needs(
    fleet: Fleet, tmp_path: Path
) -> None:
    archivist = deployed(fleet, tmp_path)
    (proven,) = archivist.good
    archivist.run("backup", "verify", proven).expect(0)
    needless, of_first_release = archivist.create(), archivist.create()
    say(archivist, "calm", environment={"EDITION": "2"})
    archivist.run("deploy").expect(0)
    newest = archivist.create()

    said = archivist.run("backup", "prune", "--dry-run").expect(0).out
    assert "proven" in said
    assert "release 1" in said
    assert len(listed(archivist)) == len(archivist.good)
    archivist.run("backup", "prune").expect(0)
    assert listed(archivist) == sorted((proven, of_first_release, newest))
    assert needless not in listed(archivist)

    archivist.run("--yes", "backup", "forget", proven).expect(0)
    archivist.run("--yes", "backup", "forget", of_first_release).expect(0)
    refused = archivist.run("--yes", "backup", "forget", newest).expect(4)
    assert "backup-floor" in refused.err
    archivist.expect_restorable(newest)
    archivist.run("remove", "--yes", "--with-data").expect(0)
