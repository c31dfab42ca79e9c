"""Libra is backed up while lawyers work with it, loses everything, and gets it back."""

import json
from pathlib import Path

import pytest

from lab.load import read_back
from tests.e2e.sample import HOST, Sample
from tests.laboratories import Fleet

PASSWORD = "correct horse battery staple"  # noqa: S105 - a test's own
WARM = 100
LOSS = (
    "psql -v ON_ERROR_STOP=1 -U libra -d libra -c 'truncate files cascade' -c 'drop table sessions'"
)


@pytest.mark.lab(hosts=1)
def test_what_was_acknowledged_before_a_backup_comes_back_after_a_loss(
    fleet: Fleet, tmp_path: Path
) -> None:
    # A directory of the laboratory's that is empty for each test.
    given = {"LIBRA_BACKUP_PASSWORD": PASSWORD, "LIBRA_BACKUPS": "/srv/shared/backups"}
    sample = Sample(fleet, tmp_path, given)
    sample.underway("deploy", VERSION="v1").expect(0)
    assert "backup-repository-missing" in sample.underway("backup", "create").expect(4).err
    sample.underway("backup", "init").expect(0)
    profile = sample.move_in()
    with sample.load(profile) as load:
        load.wait_until(
            lambda seen: seen.requests > WARM and len(seen.journal) > 2,
            what="uploads",
            timeout_s=120,
        )
        before = load.snapshot().journal
        sample.underway("backup", "create").expect(0)
        result = load.stop()
    result.check()  # nothing was lost while it was backed up

    (point,) = json.loads(sample.underway("backup", "list", "--json").expect(0).out)["points"]
    assert point["volumes"] == ["pgdata", "uploads"]
    assert not point["is_fuzzy"]
    expect_nothing_left(fleet)
    expect_secrecy(sample)

    lose_everything(fleet)
    assert read_back(before, sample.targets, host=HOST, profile=profile).wrong
    sample.underway("--yes", "backup", "restore").expect(0)
    found = read_back(before, sample.targets, host=HOST, profile=profile)
    assert not found.wrong, "\n".join(found.wrong)
    assert found.right == len(before)
    sample.underway("status").expect(0)
    expect_nothing_left(fleet)
    sample.underway("--yes", "backup", "restore", "--undo").expect(0)
    assert read_back(before, sample.targets, host=HOST, profile=profile).wrong, "the loss is back"
    sample.underway("remove", "--yes", "--with-data").expect(0)


def lose_everything(fleet: Fleet) -> None:
    """What a wrong command on a bad day does."""
    db, web = (container(fleet, service) for service in ("db", "web"))
    fleet.docker("h1", "exec", db, "sh", "-c", LOSS)
    fleet.docker("h1", "exec", web, "sh", "-c", "rm -rf /uploads/files/*")


def container(fleet: Fleet, service: str) -> str:
    filters = ("label=underway.role=replica", f"label=underway.service={service}")
    listing = [word for one in filters for word in ("--filter", one)]
    return fleet.docker("h1", "ps", "-q", *listing).split()[0]


def expect_nothing_left(fleet: Fleet) -> None:
    """Neither a container of a backup, nor one that stands still."""
    for wanted in ("label=underway.role=sidecar", "label=underway.role=watchdog", "status=paused"):
        assert not fleet.docker("h1", "ps", "-aq", "--filter", wanted), wanted


def expect_secrecy(sample: Sample) -> None:
    """The password stands nowhere that a look at the host shows."""
    names = sample.fleet.docker("h1", "ps", "-aq").split()
    volumes = sample.fleet.docker("h1", "volume", "ls", "-q").split()
    seen = sample.fleet.docker("h1", "inspect", *names, *volumes)
    assert seen
    assert PASSWORD not in seen
    shown = sample.underway("backup", "show", "--json").expect(0)
    assert PASSWORD not in shown.out + shown.err
