"""The only host is destroyed, and Libra comes back on a new one, from its backups alone."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from lab.laboratory import Laboratory
from lab.load import Target, read_back
from tests.e2e.client import Client
from tests.e2e.sample import HOST, LIBRA, Sample
from tests.e2e.test_backup import PASSWORD, WARM
from tests.laboratories import Fleet

REPOSITORY = "/srv/shared/backups"
VOLUMES = 2


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=2)
def test_libra_comes_back_on_a_new_host_after_its_only_one_is_destroyed(
    fleet: Fleet, tmp_path: Path
) -> None:
    registry = fleet.laboratory.describe()["registry"]["address"]
    given = {
        "LIBRA_BACKUP_PASSWORD": PASSWORD,
        "LIBRA_BACKUPS": REPOSITORY,
        "LIBRA_IMAGE": f"{registry}/libra",
        "LIBRA_GREETING": "Welcome back",
    }
    first = Fleet(Laboratory(replace(fleet.laboratory.record, hosts=1)))
    sample = Sample(first, tmp_path, given)
    sample.underway("deploy", VERSION="v1").expect(0)
    assert "underway recover -p libra" in sample.underway("backup", "init").expect(0).out
    profile = sample.move_in()
    with sample.load(profile) as load:
        load.wait_until(
            lambda seen: seen.requests > WARM and len(seen.journal) > 2,
            what="uploads",
            timeout_s=120,
        )
        before = load.snapshot().journal
        sample.underway("backup", "create").expect(0)
        load.stop().check()

    destroy(fleet, "h1")
    shutil.rmtree(sample.directory)  # and nobody has a checkout

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    new = fleet.laboratory.hosts[1]
    environment = {**fleet.environment, "RESTIC_PASSWORD": PASSWORD}
    asked = ("recover", "--from", REPOSITORY, "--to", new.ssh_url)
    client = Client(elsewhere, tmp_path / "new-home", environment)
    missing = client.run(*asked).expect(3)
    for name in ("LIBRA_GREETING", "LIBRA_MIGRATE_AT_START"):
        assert f"variable {name}" in missing.err
    environment |= {"LIBRA_GREETING": "Welcome back", "LIBRA_MIGRATE_AT_START": "0"}
    missing = client.run(*asked).expect(3)
    for name in ("laptop/db_password", "laptop/libra_key"):
        assert name in missing.err

    shutil.copytree(LIBRA / "laptop", elsewhere / "laptop")
    with client.running(*asked) as dying:
        dying.await_told("pgdata into", timeout_s=180)
        dying.kill()
        dying.wait()
    told = client.run(*asked, "--wait", "60s", "--json").expect(0).document()
    held = fleet.docker("h2", "volume", "ls", "-q", "--filter", "label=underway.point").split()
    assert len(held) == VOLUMES, "what the killed one began is gone"
    assert told["kind"] == "recovery"
    assert told["age_s"] > 0
    (tmp_path / "recovery.json").write_text(json.dumps(told))  # for whoever wants the figures
    target = [Target(new.name, new.address, 80)]
    found = read_back(before, target, host=HOST, profile=profile)
    assert not found.wrong, "\n".join(found.wrong)
    assert found.right == len(before) > 0
    again = client.run(*asked).expect(4)
    assert "recover-not-fresh" in again.err

    go_on(Sample(first, tmp_path / "back", given), new.ssh_url)


def go_on(back: Sample, url: str) -> None:
    """The history is the new host's own: the team's checkout goes on, with that host in it."""
    file = back.directory / "compose.yaml"
    said = yaml.safe_load(file.read_text())
    said["x-underway"]["hosts"] = [url]
    file.write_text(yaml.safe_dump(said, sort_keys=False))
    back.underway("status").expect(0)
    back.underway("backup", "create").expect(0)
    points = json.loads(back.underway("backup", "list", "--json").expect(0).out)["points"]
    assert len(points) == 2
    kit = back.underway("backup", "kit").expect(0).out
    assert REPOSITORY in kit
    assert "variable `LIBRA_BACKUP_PASSWORD`" in kit
    assert PASSWORD not in kit
    drilled = back.underway("backup", "drill", "--json").expect(0).document()
    (back.root / "drill.json").write_text(json.dumps(drilled))
    assert [one["code"] for one in drilled["drills"]] == [""]
    back.underway("remove", "--yes", "--with-data").expect(0)


def destroy(fleet: Fleet, name: str) -> None:
    """Its data is wiped, its power is gone; its images stay for other tests."""
    fleet.docker(name, "rm", "-f", *fleet.docker(name, "ps", "-aq").split())
    fleet.docker(name, "volume", "rm", "-f", *fleet.docker(name, "volume", "ls", "-q").split())
    fleet.faults.crash_host(name)
