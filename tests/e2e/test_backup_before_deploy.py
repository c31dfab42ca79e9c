"""A deploy begins with a backup where the file asks for it, and ends there if that fails."""

from pathlib import Path

import pytest
import yaml

from tests.e2e.test_backup import expect_nothing_left
from tests.e2e.test_backup_schedule import Notes
from tests.laboratories import Fleet

pytestmark = pytest.mark.lab(hosts=1)


def say(notes: Notes, edition: str) -> None:
    path = notes.root / "notes" / "compose.yaml"
    said = yaml.safe_load(path.read_text())
    said["services"]["web"]["environment"] = {"EDITION": edition}
    said["x-underway"]["backup"]["before_deploy"] = True
    path.write_text(yaml.safe_dump(said, sort_keys=False))


def test_a_deploy_begins_with_a_backup_and_changes_nothing_where_that_fails(
    fleet: Fleet, tmp_path: Path
) -> None:
    notes = Notes(fleet, tmp_path)
    say(notes, "1")
    notes.run("deploy").expect(0)  # there is nothing to back up yet, and no repository
    running = ("ps", "-q", "--filter", "label=underway.role=replica")
    first = fleet.docker("h1", *running)
    say(notes, "2")
    assert "restore point is made first" in notes.run("plan").expect(0).out
    failed = notes.run("deploy").expect(4)
    assert "backup-repository-missing" in failed.err
    assert fleet.docker("h1", *running) == first, "nothing was changed"
    notes.run("status").expect(0)

    notes.run("backup", "init").expect(0)
    notes.run("deploy").expect(0)
    assert fleet.docker("h1", *running) != first
    (point,) = notes.run("backup", "list", "--json").expect(0).document()["points"]
    assert point["release"] == 1, "it holds what the release before wrote"
    notes.run("deploy").expect(0)  # nothing to do, and so nothing to back up
    assert notes.points() == [point["id"]]
    expect_nothing_left(fleet)
    notes.run("remove", "--yes", "--with-data").expect(0)
