"""A container's file system is kept as an image: whole, without secrets, and brought back."""

import json
from pathlib import Path

import pytest

from tests.e2e.sample import Sample
from tests.e2e.test_backup import container
from tests.laboratories import Fleet

GREETING = "a-greeting-that-nobody-may-read"
KEPT = ("Cmd", "Entrypoint", "User", "WorkingDir", "ExposedPorts", "Healthcheck")


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_a_file_system_is_kept_without_secrets_and_comes_back(fleet: Fleet, tmp_path: Path) -> None:
    sample = Sample(fleet, tmp_path, {"LIBRA_GREETING": GREETING})
    sample.underway("deploy", VERSION="v1").expect(0)
    web = container(fleet, "web")
    # Marked for every replica: any of them may be the one that is taken.
    for one in replicas(fleet):
        fleet.docker("h1", "exec", "-u", "0", one, "sh", "-c", "echo kept > /app/mark")
    assert "uploads" in sample.underway("image", "snapshot", "create", "web").expect(4).err

    file, others = tmp_path / "web.tar", nameless(fleet)
    made = sample.underway(
        "image", "snapshot", "create", "web", "--without-data", "--to", str(file), "--json"
    ).expect(0)
    (snapshot,) = made.document()["snapshots"]
    held = file.read_bytes()
    assert b"kept\n" in held
    secrets = [(sample.directory / "laptop" / name).read_bytes().strip() for name in SECRETS]
    for secret in (GREETING.encode(), *secrets):
        assert secret not in held
    image = inspected(fleet, snapshot["reference"])
    before = inspected(fleet, web)
    assert {key: image.get(key) for key in KEPT} == {key: before.get(key) for key in KEPT}
    assert not [name for name in image["Labels"] if name.startswith("underway.role")]
    assert not fleet.docker("h1", "ps", "-aq", "--filter", "status=created")
    assert nameless(fleet) == others

    sample.underway("image", "snapshot", "restore", snapshot["name"]).expect(0)
    assert all(marked(fleet, one) == "kept" for one in replicas(fleet))
    sample.underway("status").expect(0)
    refused = sample.underway("--yes", "image", "snapshot", "remove", snapshot["name"]).expect(4)
    assert "snapshot-needed" in refused.err
    sample.underway("rollback", "1", "--past-migrations").expect(0)
    assert all(marked(fleet, one) == "" for one in replicas(fleet))
    sample.underway("--yes", "image", "snapshot", "remove", snapshot["name"]).expect(0)
    listed = sample.underway("image", "snapshot", "list", "--json").expect(0).document()
    assert listed["snapshots"] == []

    sample.underway("image", "snapshot", "restore", str(file)).expect(0)
    assert all(marked(fleet, one) == "kept" for one in replicas(fleet))
    sample.underway("remove", "--yes", "--with-data").expect(0)


SECRETS = ("libra_key", "db_password")


def nameless(fleet: Fleet) -> list[str]:
    """Images without a name: what builds leave, and what a snapshot must not."""
    return sorted(fleet.docker("h1", "images", "-q", "--filter", "dangling=true").split())


def replicas(fleet: Fleet) -> list[str]:
    filters = ("label=underway.role=replica", "label=underway.service=web")
    listing = [word for one in filters for word in ("--filter", one)]
    return fleet.docker("h1", "ps", "-q", *listing).split()


def marked(fleet: Fleet, name: str) -> str:
    return fleet.docker("h1", "exec", name, "sh", "-c", "cat /app/mark || true").strip()


def inspected(fleet: Fleet, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(fleet.docker("h1", "inspect", name))[0]["Config"]
    return found
