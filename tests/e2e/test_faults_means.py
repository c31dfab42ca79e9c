"""What a deploy needs fails on one host or for all: SSH, disk, registry, clock, a fast network."""

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from lab.engine import init_pid
from lab.network_faults import Direction
from lab.processes import send
from tests.e2e.client import eventually
from tests.e2e.outage import ROOT, Weather, paused
from tests.e2e.project import Project, Wish
from tests.e2e.sight import identities

pytestmark = [pytest.mark.lab(hosts=3), pytest.mark.timeout(900)]

WARM: Final = 300
FIRST: Final = Wish("v1", replicas=3)
MIB: Final = 1024 * 1024
DAY_S: Final = 86400
LOCK_FREE_S: Final = 60.0  # three times the promise: engines share the machine
REFUSED_S: Final = 60.0
HUNG_S: Final = 160.0
"""A registry that takes connections and never answers ends a pull by its deadline."""


@dataclass
class Scene:
    """A project under load that goes from version to version."""

    project: Project
    weather: Weather
    served: Wish = FIRST
    number: int = 1

    def write_next(self) -> Wish:
        """Make the file say the next version."""
        self.number += 1
        wish = replace(FIRST, version=f"v{self.number}")
        self.project.write(wish)
        return wish

    def end(self, wish: Wish, *command: str) -> None:
        """Whoever comes next brings the fleet to `wish`."""
        self.project.elsewhere().run(*(command or ("deploy",))).expect(0)
        self.served = wish
        self.project.sight.expect_settled(wish)
        self.weather.expect_no_loss(str(command))

    def expect_untouched(self, before: set[tuple[str, str, str, int]]) -> None:
        """The same processes serve as before."""
        assert identities(self.project.sight.replicas()) == before
        self.project.sight.expect_settled(self.served)
        self.weather.expect_no_loss()


@pytest.fixture
def scene(project: Project) -> Iterator[Scene]:
    project.deploy(FIRST).expect(0)
    with project.load() as load:
        weather = Weather(project, load)
        load.wait_until(lambda seen: seen.requests > WARM, timeout_s=60, what="traffic")
        yield Scene(project, weather)
        weather.judge(load.stop(), "at the end")


@pytest.mark.exhaustive
def test_31_ssh_that_is_killed_in_mid_deploy_is_opened_again(scene: Scene) -> None:
    wish = scene.write_next()
    directory = scene.project.root / "pause-ssh"
    with paused(
        scene.project.client, "^CreateContainer .* on h3", "before", "deploy", directory=directory
    ) as client:
        address = scene.project.fleet.laboratory.host("h3").address
        tunnels = _tunnels(client.running.process.pid, address)
        assert tunnels
        for pid in tunnels:
            send(pid, signal.SIGKILL)
        client.go()
        done = client.running.wait().expect(0)
    scene.weather.expect_no_loss(str(done))
    scene.project.sight.expect_settled(wish)
    scene.served = wish
    _without_ssh_server(scene)


def _without_ssh_server(scene: Scene) -> None:
    """The server is gone for the rest of the run: exit 11, everything that answers back on v1."""
    wish = scene.write_next()
    directory = scene.project.root / "pause-sshd"
    with paused(
        scene.project.client, "^AwaitServers ", "before", "deploy", directory=directory
    ) as client:
        for pid in _ssh_servers(scene.project, "h3"):
            send(pid, signal.SIGKILL)
        client.go()
        done = client.running.wait().expect(11)
    assert "h3 did not answer" in done.err, done
    scene.weather.expect_no_loss(str(done))
    scene.project.fleet.faults.boot_host("h3")
    scene.end(wish)


@pytest.mark.exhaustive
@pytest.mark.parametrize("direction", [Direction.IN, Direction.OUT])
def test_31_a_host_that_only_hears_or_only_speaks(scene: Scene, direction: Direction) -> None:
    wish = scene.write_next()
    directory = scene.project.root / "pause-one-way"
    held = paused(scene.project.client, "^AwaitServers ", "before", "deploy", directory=directory)
    with held as client, scene.weather.lost("h3", direction):
        client.go()
        eventually(lambda: not _locks(scene.project, "h3"), "its lock is free", LOCK_FREE_S)
        done = client.running.wait().expect(11)
        scene.weather.expect_no_loss(str(done))
    assert "h3 did not answer" in done.err, done
    scene.end(wish)


@pytest.mark.exhaustive
def test_31_a_full_disk_is_told_and_undone(scene: Scene) -> None:
    """It cannot take the image: nothing that serves is touched, and a full disk serves on."""
    before = identities(scene.project.sight.replicas())
    _fatten(scene.project)
    wish = scene.write_next()
    faults = scene.project.fleet.faults
    faults.fill_disk("h3")
    done = scene.project.client.run("deploy")
    assert done.code in {4, 6, 7, 10}, done
    assert "no-space" in done.err, done
    scene.expect_untouched(before)
    faults.free_disk("h3")
    scene.end(wish)


def test_31_a_disk_that_fills_up_in_mid_deploy(scene: Scene) -> None:
    """Neither containers nor records can be written there any more."""
    wish = scene.write_next()
    faults = scene.project.fleet.faults
    directory = scene.project.root / "pause-disk"
    with paused(
        scene.project.client, "^CreateContainer .* on h3", "before", "deploy", directory=directory
    ) as client:
        faults.fill_disk("h3")
        client.go()
        done = client.running.wait().expect(10, 11)
    assert "no-space" in done.err, done
    scene.weather.expect_no_loss(str(done))
    for edge in scene.project.edges:
        assert scene.project.sight.get("/version", edge).version == FIRST.version
    faults.free_disk("h3")
    scene.end(wish)


def test_31_without_a_registry_what_is_everywhere_is_deployed(scene: Scene) -> None:
    faults, project = scene.project.fleet.faults, scene.project
    wish = scene.write_next()
    before = identities(project.sight.replicas())
    faults.stop_registry()
    done = project.client.run("deploy").expect(6)
    assert "registry" in done.err, done
    assert done.took_s < REFUSED_S, done
    scene.expect_untouched(before)
    faults.start_registry()
    scene.end(wish)
    faults.stop_registry()
    project.client.run("rollback").expect(0)
    project.sight.expect_settled(FIRST)
    project.client.run("deploy", "2").expect(0)
    project.sight.expect_settled(wish)
    faults.start_registry()


@pytest.mark.parametrize(
    ("fault", "mend"),
    [
        ("stop_registry", "start_registry"),
        pytest.param("pause_registry", "resume_registry", marks=pytest.mark.exhaustive),
    ],
)
def test_31_a_registry_that_goes_or_hangs_in_mid_pull(scene: Scene, fault: str, mend: str) -> None:
    faults, project = scene.project.fleet.faults, scene.project
    _fatten(project)
    wish = scene.write_next()
    before = identities(project.sight.replicas())
    directory = project.root / f"pause-{wish.version}"
    with paused(
        project.client, "^PullImage .* on h3", "before", "deploy", directory=directory
    ) as client:
        getattr(faults, fault)()
        client.go()
        done = client.running.wait().expect(6)
    assert "registry-unreachable" in done.err, done
    assert done.took_s < HUNG_S, done
    scene.expect_untouched(before)
    getattr(faults, mend)()
    scene.end(wish)


@pytest.mark.exhaustive
@pytest.mark.parametrize("offset_s", [-DAY_S, DAY_S])
def test_31_a_clock_that_is_a_day_wrong_breaks_nothing(scene: Scene, offset_s: int) -> None:
    wish = scene.write_next()
    program = (
        "env",
        f"PYTHONPATH={ROOT}",
        sys.executable,
        "-m",
        "tests.e2e.dated_client",
        str(offset_s),
    )
    scene.project.client.run("deploy", program=program).expect(0)
    scene.project.sight.expect_settled(wish)
    scene.project.client.run("rollback").expect(0)
    scene.end(wish)
    runs = scene.project.client.run("history", "--json").expect(0).document()["runs"]
    assert [run["outcome"] for run in runs] == ["done"] * 4, runs


@pytest.mark.exhaustive
def test_31_a_slow_and_lossy_host_takes_part(scene: Scene) -> None:
    faults = scene.project.fleet.faults
    wish = scene.write_next()
    faults.delay("h3", 200)
    faults.lose("h3", 1)  # with 5 % an upload of 10 MiB takes its 12 s, whoever deploys
    done = scene.project.client.run("deploy").expect(0)
    scene.weather.expect_no_loss(str(done))
    faults.mend_network("h3")
    scene.project.sight.expect_settled(wish)


def _fatten(project: Project) -> None:
    """Let the next image bring bytes that no host has."""
    (project.directory / "ballast").write_bytes(os.urandom(16 * MIB))
    dockerfile = project.directory / "Dockerfile"
    copy = "COPY ballast /ballast\n"
    dockerfile.write_text(dockerfile.read_text().replace(copy, "") + copy)


def _locks(project: Project, host: str) -> list[str]:
    """Lock containers of a host, seen past its network."""
    return project.fleet.docker(host, "ps", "-q", "--filter", "label=underway.role=lock").split()


def _ssh_servers(project: Project, host: str) -> list[int]:
    """Every sshd of a host, sessions too; sshd writes its title over the laboratory's mark."""
    init = init_pid(project.fleet.laboratory.host(host))
    network = Path(f"/proc/{init}/ns/net").readlink()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            is_sshd = entry.name.isdigit() and (entry / "comm").read_text().startswith("sshd")
            if is_sshd and (entry / "ns/net").readlink() == network:
                found.append(int(entry.name))
        except OSError:
            continue
    assert found, f"no sshd runs on {host}"
    return found


def _tunnels(client: int, address: str) -> list[int]:
    """The ssh processes to one host that a client started, however deep below it."""
    parents: dict[int, int] = {}
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            status = (entry / "stat").read_text()
        except OSError:
            continue
        pid = int(entry.name)
        parents[pid] = int(status.rpartition(")")[2].split()[1])
        if words[0] == b"ssh" and any(address.encode() in word for word in words):
            found.append(pid)

    def is_below(pid: int) -> bool:
        while pid and pid != client:
            pid = parents.get(pid, 0)
        return pid == client

    return [pid for pid in found if is_below(pid)]
