"""The laboratory against the machine it runs on: what it promises, and that it leaves nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.engine import engine_answers, init_pid
from lab.errors import LabError
from lab.faults import Faults
from lab.laboratory import Laboratory, down
from lab.processes import processes
from lab.registry import registry_answers
from tests.engine.laboratory_probe import (
    daemons,
    docker,
    eventually,
    logs,
    processes_in,
    serve,
    ssh,
    temporary,
    traces,
)

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="the laboratory needs root"),
]

ROOT = Path(__file__).parents[2]
NAME = f"test-{os.getpid()}"


@pytest.fixture(scope="module")
def laboratory() -> Iterator[Laboratory]:
    try:
        yield Laboratory.up(NAME, hosts=2)
    finally:
        down(NAME)


def test_up_again_changes_nothing(laboratory: Laboratory) -> None:
    before = daemons(NAME)
    # Per host unshare with its init and three nsenter with a daemon each (sshd hides its mark).
    assert len(before) == 2 * 7 + 1
    again = Laboratory.up(NAME, hosts=2)
    assert again == laboratory
    assert daemons(NAME) == before
    assert all(engine_answers(host) for host in again.host_layouts)


def test_up_with_another_engine_is_refused(laboratory: Laboratory) -> None:
    with pytest.raises(LabError, match="runs engine 26"):
        Laboratory.up(NAME, hosts=laboratory.record.hosts, engine="20")


def test_the_description_names_what_programs_need(laboratory: Laboratory) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "lab", "list", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    documents = {document["name"]: document for document in json.loads(listed.stdout)}
    document = documents[NAME]
    assert document == laboratory.describe()
    assert [host["name"] for host in document["hosts"]] == ["h1", "h2"]
    for program in ("compose", "buildx"):
        assert docker(laboratory, "h1", program, "version")
    assert registry_answers(document["registry"]["address"])


def test_two_laboratories_and_two_engines_live_side_by_side(laboratory: Laboratory) -> None:
    with temporary(f"{NAME}-b") as name:
        other = Laboratory.up(name, hosts=1, engine="20")
        assert docker(other, "h1", "version", "-f", "{{.Server.Version}}").startswith("20.10")
        assert docker(laboratory, "h1", "version", "-f", "{{.Server.Version}}").startswith("26.1")
        assert other.layout.subnet != laboratory.layout.subnet
        image = other.images["haproxy-2.6"]
        assert "version 2.6" in docker(other, "h1", "run", "--rm", image, "haproxy", "-v")
    assert all(engine_answers(host) for host in laboratory.host_layouts)


def test_down_leaves_nothing_of_a_used_laboratory() -> None:
    with temporary(f"{NAME}-c") as name:
        laboratory = Laboratory.up(name, hosts=2)
        network = laboratory.record.network
        serve(laboratory, "h1", "web", 8080, "--restart", "always")
        faults = Faults(laboratory)
        faults.delay("h2", 5)
        faults.fill_disk("h2", leave_bytes=1 << 28)
        faults.pause_engine("h2")
        faults.pause_registry()
        inits = [init_pid(host) for host in laboratory.host_layouts]
        namespaces = {Path(f"/proc/{pid}/ns/net").readlink().as_posix() for pid in inits}
        kinds = {line.split()[0] for line in traces(name, network)}
        assert {"process", "link", "cgroup", "table"} <= kinds
        assert len(processes_in(namespaces)) > 6
        down(name)
        assert traces(name, network) == []
        assert processes_in(namespaces) == []
        down(name)  # nothing to take down is fine


@pytest.mark.parametrize(
    "moment", ["laboratory.json", "ssh", "h1/boot.log", "h2/containerd.log", "h1/run/docker.sock"]
)
def test_down_leaves_nothing_after_a_killed_up(moment: str) -> None:
    with temporary(f"{NAME}-d") as name:
        state = Path("/run/uwlab") / name
        up = [sys.executable, "-m", "lab", "up", "--hosts", "2", "--name", name]
        with subprocess.Popen(up, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            eventually((state / moment).exists, timeout_s=60)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        network = json.loads((state / "laboratory.json").read_text())["network"]
        assert traces(name, network) != []
        down(name)
        assert traces(name, network) == []


def test_up_completes_what_a_killed_up_began() -> None:
    with temporary(f"{NAME}-e") as name:
        up = [sys.executable, "-m", "lab", "up", "--hosts", "1", "--name", name]
        with subprocess.Popen(up, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            eventually((Path("/run/uwlab") / name / "h1/boot.log").exists, timeout_s=60)
            process.send_signal(signal.SIGKILL)
        laboratory = Laboratory.up(name, hosts=2)
        assert all(engine_answers(host) for host in laboratory.host_layouts)
        assert docker(laboratory, "h1", "run", "--rm", laboratory.images["debian"], "echo", "yes")


def test_fewer_hosts_take_the_surplus_down() -> None:
    with temporary(f"{NAME}-f") as name:
        Laboratory.up(name, hosts=2)
        smaller = Laboratory.up(name, hosts=1)
        assert [host.name for host in smaller.hosts] == ["h1"]
        assert Laboratory.get(name) == smaller
        assert not [p for p in processes(name) if p.role.startswith("h2.")]


def test_hosts_reach_each_other_and_published_ports(laboratory: Laboratory) -> None:
    url = serve(laboratory, "h2", "reached", 8081)
    program = f"import urllib.request; print(urllib.request.urlopen('{url}').status)"
    image = laboratory.images["python"]
    assert docker(laboratory, "h1", "run", "--rm", image, "python", "-c", program) == "200"
    assert ssh(laboratory, "h1", "hostname") == "h1"


def test_images_travel_through_the_registry(laboratory: Laboratory) -> None:
    reference = f"{laboratory.registry}/tests/travel:1"
    docker(laboratory, "h1", "pull", "-q", laboratory.images["debian"])
    docker(laboratory, "h1", "tag", laboratory.images["debian"], reference)
    docker(laboratory, "h1", "push", "-q", reference)
    docker(laboratory, "h2", "pull", "-q", reference)
    identity = ["image", "inspect", "-f", "{{.Id}}", reference]
    assert docker(laboratory, "h1", *identity) == docker(laboratory, "h2", *identity)


def test_the_shared_directory_is_one(laboratory: Laboratory) -> None:
    image = laboratory.images["debian"]
    bind = ["run", "--rm", "-v", "/srv/shared:/s", image, "sh", "-c"]
    docker(laboratory, "h1", *bind, "echo together > /s/file")
    assert docker(laboratory, "h2", *bind, "cat /s/file") == "together"


def test_ssh_forwards_the_engines_socket(laboratory: Laboratory, tmp_path: Path) -> None:
    local = tmp_path / "s"
    host = laboratory.hosts[1]
    forward = ["-o", "ExitOnForwardFailure=yes", "-L", f"{local}:/var/run/docker.sock"]
    tunnel = ["ssh", "-nNT", "-F", host.ssh_config, *forward, host.ssh_url.removeprefix("ssh://")]
    with subprocess.Popen(tunnel) as process:
        try:
            eventually(local.exists)
            assert _answers_ping(local)
            docker_program = f"{laboratory.describe()['tools']['path']}/docker"
            info = [docker_program, "-H", f"unix://{local}", "info", "-f", "{{.Name}}"]
            done = subprocess.run(info, capture_output=True, text=True, check=True)
            assert done.stdout.strip() == host.name
        finally:
            process.terminate()


def test_dial_stdio_reaches_the_engine_as_an_unprivileged_user(laboratory: Laboratory) -> None:
    host = laboratory.hosts[0]
    command = ["ssh", "-F", host.ssh_config, f"deploy@{host.address}"]
    done = subprocess.run(
        [*command, "docker", "system", "dial-stdio"],
        input="GET /_ping HTTP/1.0\r\n\r\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.startswith("HTTP/1.0 200")


def _answers_ping(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        try:
            client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return client.recv(8) == b"HTTP/1.0"
        except (BrokenPipeError, ConnectionResetError):
            return False


def test_the_user_dial_may_not_forward_but_may_dial(laboratory: Laboratory, tmp_path: Path) -> None:
    host = laboratory.hosts[0]
    local = tmp_path / "s"
    forward = ["-L", f"{local}:/var/run/docker.sock"]
    tunnel = ["ssh", "-nNT", "-F", host.ssh_config, *forward, f"dial@{host.address}"]
    with subprocess.Popen(tunnel, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(local.exists)
            assert not _answers_ping(local)
        finally:
            # OpenSSH 9.2 forgets a SIGTERM that comes while it handles the refused channel.
            process.kill()
    assert ssh(laboratory, f"dial@{host.address}", "docker", "version", "-f", "{{.Server.Os}}")


def test_a_dropping_firewall_lets_the_bridge_pass() -> None:
    """In a network namespace of its own, with Docker's FORWARD policy set."""
    program = """
import subprocess, sys
from lab.engine_roots import toolbox
from lab.layout import LabLayout
from lab.network import close_firewalls, open_firewalls
lab = LabLayout("firewall", 249)
tools = ["chroot", str(toolbox())]
def rules():
    listing = [*tools, "nft", "list", "ruleset"]
    return subprocess.run(listing, capture_output=True, text=True, check=True).stdout
open_firewalls(lab)
assert rules() == "", "a machine without firewall gets no table"
for program in ("iptables-nft", "iptables-legacy"):
    subprocess.run([*tools, program, "-P", "FORWARD", "DROP"], check=True)
before = rules()
open_firewalls(lab)
open_firewalls(lab)
assert rules().count("uwlab-249") == 2, rules()
legacy = [*tools, "iptables-legacy", "-S", "FORWARD"]
def legacy_rules():
    return subprocess.run(legacy, capture_output=True, text=True, check=True).stdout
assert legacy_rules().count("uwlab-249") == 2, legacy_rules()
close_firewalls(lab)
assert "uwlab" not in rules() + legacy_rules()
"""
    command = ["unshare", "--net", sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_postgres_keeps_the_official_images_contract(laboratory: Laboratory) -> None:
    image = laboratory.images["postgres"]
    password = "tall ship's #1"  # noqa: S105
    settings = ["-e", f"POSTGRES_PASSWORD={password}", "-e", "POSTGRES_USER=libra"]
    volume = ["-e", "POSTGRES_DB=books", "-v", "pg:/var/lib/postgresql/data"]
    publish = f"{laboratory.host('h1').address}:5432:5432"
    docker(laboratory, "h1", "run", "-d", "--name", "pg", "-p", publish, *settings, *volume, image)
    address = laboratory.host("h1").address
    query = ["run", "--rm", "-e", f"PGPASSWORD={password}", image, "psql", "-h", address]
    ready = ["exec", "pg", "pg_isready", "-h", address]

    def is_ready() -> bool:
        try:
            return "accepting" in docker(laboratory, "h1", *ready)
        except AssertionError:
            return False

    eventually(is_ready)
    docker(laboratory, "h2", *query, "-U", "libra", "books", "-c", "create table t (n int)")
    began = time.monotonic()
    docker(laboratory, "h1", "stop", "-t", "30", "pg")
    assert time.monotonic() - began < 10
    assert "database system is shut down" in logs(laboratory, "pg")
    docker(laboratory, "h1", "start", "pg")
    eventually(is_ready)
    rows = docker(
        laboratory, "h2", *query, "-U", "libra", "books", "-Atc", "select count(*) from t"
    )
    assert rows == "0"
    assert docker(laboratory, "h1", "exec", "pg", "stat", "-c", "%U", "/proc/1") == "postgres"
