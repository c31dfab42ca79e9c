"""What the shared fixtures promise to the tests that use them."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.laboratory import laboratories
from tests.architecture.sources import ROOT
from tests.laboratories import Fleet, Laboratories, clear, docker, environment, sweep

pytestmark = pytest.mark.engine


def test_a_laboratory_shows_as_many_hosts_as_were_asked_for(laboratory: Laboratories) -> None:
    one = laboratory(1)
    two = laboratory(2)
    assert [host.name for host in one.hosts] == ["h1"]
    assert [host.name for host in two.hosts] == ["h1", "h2"]
    assert one.record.name == two.record.name == laboratory(1).record.name


@pytest.mark.lab(hosts=2)
def test_clearing_heals_hosts_and_leaves_images_only(fleet: Fleet) -> None:
    lab = fleet.laboratory
    image = lab.images["debian"]
    fleet.docker("h1", "pull", "-q", image)
    fleet.docker("h1", "network", "create", "left")
    fleet.docker("h1", "run", "-d", "-v", "left:/left", "--net", "left", image, "sleep", "600")
    (lab.layout.shared_dir / "left").mkdir()
    fleet.faults.pause_engine("h2")
    clear(lab)
    for listing in (("ps", "-aq"), ("volume", "ls", "-q")):
        assert fleet.docker("h1", *listing) == ""
    assert "left" not in fleet.docker("h1", "network", "ls").split()
    assert fleet.docker("h1", "images", "-q", image)
    assert list(lab.layout.shared_dir.iterdir()) == []
    assert fleet.docker("h2", "version", "-f", "{{.Server.Os}}") == "linux"


@pytest.mark.lab(hosts=1)
def test_the_environment_reaches_a_host_by_ssh(fleet: Fleet, tmp_path: Path) -> None:
    lab = fleet.laboratory
    given = environment(lab)
    version = subprocess.run(
        ["ssh", "-F", given["UNDERWAY_SSH_CONFIG"], lab.hosts[0].address, "docker", "version"],
        env=given,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=180,
    )
    assert "Server" in version.stdout
    assert docker(lab, "h1", "compose", "version")


WAITING = """
import pathlib, time
def test_waits(laboratory):
    pathlib.Path({flag!r}).write_text(laboratory(1).record.name)
    while True:
        time.sleep(0.05)
"""


def start_waiting(tmp_path: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A pytest process in the middle of a test, and the name of its laboratory."""
    flag = tmp_path / "flag"
    (tmp_path / "test_waits.py").write_text(WAITING.format(flag=str(flag)))
    alone = ["-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "/dev/null"]
    process = subprocess.Popen(
        [sys.executable, *alone, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not flag.exists() or not flag.read_text():
        assert time.monotonic() < deadline, "the laboratory did not come up"
        assert process.poll() is None, "pytest ended early"
        time.sleep(0.05)
    return process, flag.read_text()


def names() -> set[str]:
    return {laboratory.record.name for laboratory in laboratories()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_session_that_is_told_to_end_leaves_no_laboratory(number: int, tmp_path: Path) -> None:
    process, name = start_waiting(tmp_path)
    assert name in names()
    process.send_signal(number)
    process.wait(timeout=180)
    assert name not in names()


def test_the_next_session_takes_down_what_a_killed_one_left(tmp_path: Path) -> None:
    process, name = start_waiting(tmp_path)
    process.kill()
    process.wait(timeout=180)
    assert name in names()
    sweep()
    assert name not in names()
