"""Each fault of the laboratory does what it says to real hosts, and its undo undoes it."""

import os
import shutil
from collections.abc import Iterator

import pytest

from lab.engine import engine_answers, engine_pid
from lab.errors import LabError
from lab.faults import Faults
from lab.laboratory import Laboratory, down
from lab.network_faults import Direction
from lab.processes import processes
from lab.registry import registry_answers
from tests.engine.laboratory_probe import (
    connect_time_s,
    docker,
    eventually,
    host_reaches,
    http_answers,
    reaches,
    serve,
    ssh,
)

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="the laboratory needs root"),
]

NAME = f"test-faults-{os.getpid()}"


@pytest.fixture(scope="module")
def laboratory() -> Iterator[Laboratory]:
    try:
        yield Laboratory.up(NAME, hosts=2)
    finally:
        down(NAME)


@pytest.fixture
def faults(laboratory: Laboratory) -> Iterator[Faults]:
    faults = Faults(laboratory)
    yield faults
    faults.heal()


def test_a_killed_engine_leaves_containers_running(laboratory: Laboratory, faults: Faults) -> None:
    url = serve(laboratory, "h1", "survivor", 8082)
    faults.kill_engine("h1")
    assert engine_pid(laboratory.host("h1")) is None
    assert not engine_answers(laboratory.host("h1"))
    assert http_answers(url)
    faults.start_engine("h1")
    assert docker(laboratory, "h1", "inspect", "-f", "{{.State.Running}}", "survivor") == "true"
    before = engine_pid(laboratory.host("h1"))
    faults.restart_engine("h1")
    assert engine_pid(laboratory.host("h1")) != before
    assert http_answers(url)


def test_a_paused_engine_does_not_answer(laboratory: Laboratory, faults: Faults) -> None:
    faults.pause_engine("h1")
    assert engine_pid(laboratory.host("h1")) is not None
    assert not engine_answers(laboratory.host("h1"))
    faults.resume_engine("h1")
    assert engine_answers(laboratory.host("h1"))


def test_a_crashed_host_comes_back_with_its_disk(laboratory: Laboratory, faults: Faults) -> None:
    url = serve(laboratory, "h2", "phoenix", 8083, "--restart", "unless-stopped")
    faults.crash_host("h2")
    assert not http_answers(url)
    assert not [p for p in processes(NAME) if p.role.startswith("h2.")]
    faults.boot_host("h2")
    eventually(lambda: http_answers(url))


@pytest.mark.parametrize("direction", list(Direction))
def test_a_cut_host_is_silent(laboratory: Laboratory, faults: Faults, direction: Direction) -> None:
    address = laboratory.host("h1").address
    assert reaches(address, 22)
    faults.cut("h1", direction)
    assert not reaches(address, 22)
    assert not host_reaches(laboratory, "h2", address)
    assert engine_answers(laboratory.host("h1"))
    faults.mend_network("h1")
    assert reaches(address, 22)
    assert host_reaches(laboratory, "h2", address)


def test_a_cut_between_two_hosts_leaves_the_client_alone(
    laboratory: Laboratory, faults: Faults
) -> None:
    address = laboratory.host("h1").address
    faults.cut("h1", peer="h2")
    assert reaches(address, 22)
    assert not host_reaches(laboratory, "h2", address)
    faults.cut("h1", peer="client")
    assert not reaches(address, 22)
    assert host_reaches(laboratory, "h2", address)


def test_loss_drops_some_packets_and_not_all(laboratory: Laboratory, faults: Faults) -> None:
    address = laboratory.host("h1").address
    assert all(reaches(address, 22, timeout_s=0.8) for _ in range(10))
    faults.lose("h1", 50)
    outcomes = {reaches(address, 22, timeout_s=0.8) for _ in range(20)}
    assert outcomes == {True, False}
    with pytest.raises(LabError, match="cannot be"):
        faults.lose("h1", 101)


def test_a_delay_lengthens_the_round_trip_by_twice(laboratory: Laboratory, faults: Faults) -> None:
    address = laboratory.host("h1").address
    assert connect_time_s(address) < 0.11
    faults.delay("h1", 60)
    assert 0.12 <= connect_time_s(address) < 0.5
    assert connect_time_s(laboratory.host("h2").address) < 0.11
    docker(laboratory, "h1", "pull", "-q", laboratory.images["tools-base"])  # segments pass whole
    faults.cut("h1")
    assert not reaches(address, 22)
    faults.mend_network("h1")
    assert connect_time_s(address) < 0.11


def test_a_full_disk_is_full_for_that_host_alone(laboratory: Laboratory, faults: Faults) -> None:
    image = laboratory.images["debian"]
    write = ["run", "--rm", image, "sh", "-c", "head -c 9000000 /dev/zero > /f && echo written"]
    outside = shutil.disk_usage("/var/lib/uwlab").free
    assert docker(laboratory, "h1", *write) == "written"
    faults.fill_disk("h1", leave_bytes=4 << 20)
    with pytest.raises(AssertionError, match=r"[Nn]o space left"):
        docker(laboratory, "h1", *write)
    assert docker(laboratory, "h2", *write) == "written"
    assert shutil.disk_usage("/var/lib/uwlab").free > outside - (2 << 30)
    faults.free_disk("h1")
    assert docker(laboratory, "h1", *write) == "written"


def test_the_registry_stops_freezes_and_comes_back(laboratory: Laboratory, faults: Faults) -> None:
    faults.pause_registry()
    assert reaches(laboratory.layout.gateway, 5000)
    assert not registry_answers(laboratory.registry)
    faults.resume_registry()
    assert registry_answers(laboratory.registry)
    faults.stop_registry()
    assert not reaches(laboratory.layout.gateway, 5000)
    faults.start_registry()
    assert registry_answers(laboratory.registry)


def test_heal_undoes_everything_at_once(laboratory: Laboratory, faults: Faults) -> None:
    faults.crash_host("h2")
    faults.delay("h1", 20)
    faults.cut("h1")
    faults.fill_disk("h1")
    faults.pause_engine("h1")
    faults.stop_registry()
    faults.heal()
    assert registry_answers(laboratory.registry)
    for host in laboratory.host_layouts:
        assert engine_answers(host)
        assert reaches(host.address, 22)
    assert int(ssh(laboratory, "h1", "df", "--output=pcent", "/").split()[-1].rstrip("%")) < 50


def test_wrong_names_are_refused(faults: Faults) -> None:
    with pytest.raises(LabError, match="no host h9"):
        faults.kill_engine("h9")
    with pytest.raises(LabError, match="bad name"):
        Laboratory.up("No Such Name", hosts=1)
    with pytest.raises(LabError, match="cannot be"):
        Laboratory.up("none", hosts=0)
