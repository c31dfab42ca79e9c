"""What goes wrong while a backup is made leaves nothing frozen, nothing listed, and is told."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.client import Client, Running, eventually
from tests.e2e.sample import Sample
from tests.e2e.test_backup import PASSWORD, container, expect_nothing_left
from tests.laboratories import Fleet

SIDECAR = "underway-backup-libra"
BULK = "head -c 150000000 /dev/urandom > /uploads/files/bulk"
THAWED_WITHIN_S = 40.0


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_a_freeze_ends_whoever_dies(fleet: Fleet, tmp_path: Path) -> None:
    """The sidecar or the client is killed while writers stand still; the next backup succeeds."""
    sample = deployed(fleet, tmp_path)
    fleet.docker("h1", "exec", container(fleet, "web"), "sh", "-c", BULK)

    def kill_sidecar(_client: Running) -> None:
        fleet.docker("h1", "kill", SIDECAR)

    def kill_client(client: Running) -> None:
        client.kill()

    ways: tuple[Callable[[Running], None], ...] = (kill_sidecar, kill_client)
    for way in ways:
        client = Client(sample.directory, sample.root / "home", sample.environment)
        with client.running("backup", "create") as running:
            eventually(lambda: paused(fleet), "writers stand still", 120)
            way(running)
            eventually(lambda: not paused(fleet), "writers go on", THAWED_WITHIN_S)
            running.wait()
        assert points(sample) == []
    sample.underway("backup", "create", "--wait", "60s").expect(0)
    assert len(points(sample)) == 1
    expect_nothing_left(fleet)

    wrong = sample.underway("backup", "create", LIBRA_BACKUP_PASSWORD="wrong").expect(4)  # noqa: S106
    assert "backup-password" in wrong.err
    sample.underway("backup", "verify").expect(0)
    flip_a_byte(fleet)
    assert "backup-damaged" in sample.underway("backup", "verify", "--read-data").expect(7).err
    assert len(points(sample)) == 1
    expect_nothing_left(fleet)
    sample.underway("remove", "--yes", "--with-data").expect(0)


def deployed(fleet: Fleet, tmp_path: Path) -> Sample:
    given = {"LIBRA_BACKUP_PASSWORD": PASSWORD, "LIBRA_BACKUPS": "/srv/shared/backups"}
    sample = Sample(fleet, tmp_path, given)
    sample.underway("deploy", VERSION="v1").expect(0)
    sample.underway("backup", "init").expect(0)
    return sample


def paused(fleet: Fleet) -> list[str]:
    return fleet.docker("h1", "ps", "-q", "--filter", "status=paused").split()


def points(sample: Sample) -> list[object]:
    found = json.loads(sample.underway("backup", "list", "--json").expect(0).out)["points"]
    assert isinstance(found, list)
    return found


def flip_a_byte(fleet: Fleet) -> None:
    """One bit in the middle of the largest pack of the repository."""
    data = fleet.laboratory.layout.shared_dir / "backups" / "data"
    largest = max((p for p in data.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    largest.chmod(0o600)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
