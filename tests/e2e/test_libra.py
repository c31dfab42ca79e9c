"""The sample application, deployed and replaced while lawyers and their clients work with it."""

import shutil
from pathlib import Path

import pytest

from lab.load import Kind, Outcome
from tests.e2e.sample import Sample
from tests.laboratories import Fleet

WARM = 300


@pytest.mark.parametrize(
    "hosts",
    [
        # The demonstration does the same on one host.
        pytest.param(1, marks=[pytest.mark.lab(hosts=1), pytest.mark.exhaustive], id="1 host"),
        pytest.param(3, marks=pytest.mark.lab(hosts=3), id="3 hosts"),
    ],
)
def test_every_acknowledged_upload_survives_every_deploy(
    fleet: Fleet, tmp_path: Path, hosts: int
) -> None:
    """v1, v2 and back, under load; the database elsewhere on a fleet, the uploads shared."""
    sample = Sample(fleet, tmp_path)
    assert len(fleet.laboratory.hosts) == hosts
    sample.underway("deploy", VERSION="v1").expect(0)
    profile = sample.move_in()
    with sample.load(profile) as load:
        load.wait_until(
            lambda seen: seen.requests > WARM and len(seen.journal) > 1,
            what="uploads",
            timeout_s=60,
        )
        sample.underway("deploy", VERSION="v2").expect(0)
        load.expect("v2")
        first = sample.expect_every_upload(load, profile)
        load.expect()
        sample.underway("rollback", "--past-migrations").expect(0)
        load.expect("v1")
        assert sample.expect_every_upload(load, profile) > first, "uploads went on"
        result = load.stop()
    result.check()
    assert {"v1", "v2"} <= set(result.versions)
    for kind in Kind:
        assert result.count(Outcome.OK, kind), f"no {kind} went well:\n{result.table()}"
    sample.underway("status", VERSION="v1").expect(0)
    sample.underway("remove", "--yes", "--with-data").expect(0)


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=1)
def test_its_own_tests_pass_in_the_image_with_postgresql_beside_it(
    fleet: Fleet, tmp_path: Path
) -> None:
    sample = Sample(fleet, tmp_path)
    done = sample.underway("test", "--json", "--junit", "report.xml").expect(0)
    (suite,) = done.document()["suites"]
    assert (suite["name"], suite["outcome"]) == ("web", "passed")
    assert "test_sealing" in (sample.directory / "report.xml").read_text()
    listing = (("ps", "-aq"), ("volume", "ls", "-q"))
    assert not any(fleet.docker("h1", *command) for command in listing)


@pytest.mark.lab(hosts=1)
def test_the_same_file_works_with_plain_compose(fleet: Fleet, tmp_path: Path) -> None:
    sample = Sample(fleet, tmp_path)
    # On a laptop the engine sees the checkout; here both see a directory of the host's.
    shutil.copytree(sample.directory / "laptop", fleet.laboratory.layout.shared_dir / "laptop")
    laptop = {
        "LIBRA_MIGRATE_AT_START": "1",
        "VERSION": "laptop",
        "LIBRA_KEY_FILE": "/srv/shared/laptop/libra_key",
        "LIBRA_DB_PASSWORD_FILE": "/srv/shared/laptop/db_password",
    }
    compose = ("docker", "compose")
    try:
        sample.program(*compose, "up", "-d", "--build", "--wait", **laptop).expect(0)
        asked = (
            "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/version').read())"
        )
        run = ("exec", "-T", "web", "python3", "-c", asked)
        assert '"laptop"' in sample.program(*compose, *run, **laptop).expect(0).out
    finally:
        sample.program(*compose, "down", "-v", **laptop).expect(0)
