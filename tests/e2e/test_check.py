"""`check` finds what would stop a deploy, names it with its remedy, and leaves nothing behind."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lab.engine import init_pid, inside
from tests.e2e.client import Done, eventually
from tests.e2e.project import Project

MIB = 1024 * 1024
LISTEN = """
use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalPort => 80, Listen => 1, ReuseAddr => 1)
    or die $!;
$| = 1; print "listening\\n"; <STDIN>;
"""


def found(done: Done, *verdicts: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The results of these verdicts by host and topic."""
    return {
        (result["host"], result["topic"]): result
        for result in done.document()["results"]
        if result["verdict"] in verdicts
    }


def check(project: Project, code: int) -> Done:
    """One check, after which no host that answers holds a container of it."""
    done = project.client.run("check", "--json").expect(code)
    assert done.document()["exit_code"] == code
    expect_no_probes(project)
    return done


def expect_fails(project: Project, *expected: tuple[str, str], code: int = 4) -> Done:
    """One check that fails on exactly these hosts and topics, each with what to do."""
    done = check(project, code)
    failures = found(done, "fail")
    assert set(failures) == set(expected), json.dumps(done.document(), indent=1)
    assert all(failure["remedy"] for failure in failures.values()), failures
    return done


def probes(project: Project, host: str) -> str:
    return project.fleet.docker(host, "ps", "-aq", "--filter", "label=underway.role=probe")


def expect_no_probes(project: Project, *, but: str = "") -> None:
    for host in project.fleet.laboratory.hosts:
        if host.name != but:
            assert not probes(project, host.name), host.name


def change(project: Project, old: str, new: str) -> None:
    """Change the project's file."""
    path = project.directory / "compose.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@contextmanager
def process_on_port_80(project: Project) -> Iterator[None]:
    """A process of the host itself, in no container."""
    init = init_pid(project.fleet.laboratory.host("h1"))
    assert init is not None
    process = subprocess.Popen(
        [*inside(init), "perl", "-e", LISTEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"listening\n"
        try:
            yield
        finally:
            process.stdin.close()


@pytest.mark.lab(hosts=1)
def test_one_good_host_is_green_and_each_fault_red(project: Project) -> None:
    green = check(project, 0)
    assert not found(green, "warn", "fail"), green
    assert {topic for _, topic in found(green, "ok")} >= {"engine", "disk", "clock", "edge"}

    with process_on_port_80(project):
        done = expect_fails(project, ("local", "edge"))
        assert "port 80 is held by perl (process" in found(done, "fail")["local", "edge"]["text"]

    image = project.fleet.docker("h1", "images", "-q", "underway-tools").split()[0]
    squat = ("socat", "TCP-LISTEN:80,fork", "PIPE")
    project.fleet.docker("h1", "run", "-d", "--name=squatter", "--network=host", image, *squat)
    eventually(
        lambda: "port 80 is held by container squatter" in project.client.run("check").out,
        "the container in the host's network is named",
    )
    project.fleet.docker("h1", "rm", "-f", "squatter")
    project.fleet.docker("h1", "run", "-d", "--name=taker", "-p", "80:80", image)
    done = expect_fails(project, ("local", "edge"))
    assert "port 80 is held by container taker" in found(done, "fail")["local", "edge"]["text"]
    project.fleet.docker("h1", "rm", "-f", "taker")


@pytest.mark.lab(hosts=1)
def test_a_full_disk_and_a_stopped_engine_are_told(project: Project) -> None:
    check(project, 0)
    for left in (300 * MIB, 0):
        project.fleet.faults.fill_disk("h1", leave_bytes=left)
        done = expect_fails(project, ("local", "disk"))
        assert "/var/lib/docker" in found(done, "fail")["local", "disk"]["remedy"]
        project.fleet.faults.free_disk("h1")

    project.fleet.faults.stop_engine("h1")
    lost = project.client.run("check", "--json").expect(6)
    assert set(found(lost, "ok", "warn", "fail")) == {("local", "reaching")}
    project.fleet.faults.start_engine("h1")
    expect_no_probes(project)


@pytest.mark.exhaustive
@pytest.mark.lab(hosts=3)
def test_edges_are_let_connect_to_every_host(project: Project) -> None:
    green = check(project, 0)
    assert not found(green, "warn", "fail"), green
    for edge in ("h1", "h2"):
        assert found(green, "ok")[edge, "connections"]["text"].endswith("h1, h2, h3")
    assert ("h3", "connections") not in found(green, "ok")
    assert found(green, "ok")["h3", "registry"]

    project.fleet.faults.cut("h3", peer="h1")
    done = expect_fails(project, ("h1", "connections"))
    assert "h3" in found(done, "fail")["h1", "connections"]["text"]
    assert found(done, "ok")["h2", "connections"]
    project.fleet.faults.mend_network("h3")

    project.fleet.faults.stop_engine("h3")
    done = project.client.run("check", "--json").expect(6)
    expect_no_probes(project, but="h3")
    assert set(found(done, "fail")) == {("h3", "reaching")}
    assert found(done, "ok")["h1", "connections"]["text"].endswith("h1, h2")


@pytest.mark.lab(hosts=3)
def test_what_the_file_says_of_hosts_is_tried(project: Project) -> None:
    hosts = project.fleet.laboratory.hosts
    written = (project.directory / "compose.yaml").read_text()

    change(project, f"address: {hosts[2].address}", "address: 10.254.254.254")
    done = expect_fails(project, ("h3", "address"))
    assert hosts[2].address in found(done, "fail")["h3", "address"]["text"]

    (project.directory / "compose.yaml").write_text(written)
    twin = hosts[1].ssh_url.replace("root@", "deploy@")
    assert twin != hosts[1].ssh_url
    change(project, f"url: {hosts[2].ssh_url}\n", f"url: {twin}\n")
    done = check(project, 4)
    assert {("h2", "identity"), ("h3", "identity")} <= set(found(done, "fail")), done

    (project.directory / "compose.yaml").write_text(written)
    change(project, hosts[1].ssh_url, hosts[1].ssh_url.replace("root@", "dial@"))
    project.fleet.faults.stop_registry()
    done = expect_fails(project, *((host.name, "registry") for host in hosts))
    assert set(found(done, "warn")) == {("h2", "reaching")}


@pytest.mark.lab(hosts=1)
def test_an_interrupted_check_leaves_no_probe(project: Project) -> None:
    check(project, 0)
    with project.client.running("check") as client:
        eventually(lambda: probes(project, "h1") or client.is_over, "a probe looks around")
        assert not client.is_over, client.wait()
        client.interrupt()
        client.wait().expect(130)
    expect_no_probes(project)
