"""Asking a laboratory, its hosts and the machine what is true, for the tests of the laboratory."""

import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.engine import init_pid
from lab.engine_roots import toolbox
from lab.laboratory import Laboratory, down
from lab.processes import processes


@contextmanager
def temporary(name: str) -> Iterator[str]:
    try:
        yield name
    finally:
        down(name)


def docker(laboratory: Laboratory, host: str, *arguments: str, timeout_s: float = 60) -> str:
    tools = laboratory.describe()["tools"]
    done = subprocess.run(
        [f"{tools['path']}/docker", "-H", f"unix://{laboratory.host(host).socket}", *arguments],
        env={**os.environ, "DOCKER_CONFIG": tools["docker_config"]},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def ssh(laboratory: Laboratory, host: str, *command: str, timeout_s: float = 30) -> str:
    config = laboratory.hosts[0].ssh_config
    return subprocess.run(
        ["ssh", "-F", config, host, *command],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=True,
        stdin=subprocess.DEVNULL,
    ).stdout.strip()


def reaches(address: str, port: int, *, timeout_s: float = 1.0) -> bool:
    try:
        with socket.create_connection((address, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def eventually(holds: Callable[[], bool], *, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)


def http_answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310  # only ever http
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def serve(laboratory: Laboratory, host: str, name: str, port: int, *options: str) -> str:
    """Start a web server in a container and return its URL once it answers."""
    address = laboratory.host(host).address
    image = laboratory.images["python"]
    publish = f"{address}:{port}:8000"
    run = ["run", "-d", "--name", name, "-p", publish, *options, image]
    docker(laboratory, host, *run, "python", "-m", "http.server", "8000")
    url = f"http://{address}:{port}/"
    eventually(lambda: http_answers(url))
    return url


def traces(name: str, network: int) -> list[str]:
    """Everything on the machine that belongs to one laboratory."""
    link = re.compile(rf"uwlab-{network}(-\d+w?)?$")
    found = [f"process {p.pid} {p.role} {p.program}" for p in processes(name)]
    found += [
        f"link {path.name}" for path in Path("/sys/class/net").iterdir() if link.match(path.name)
    ]
    found += [f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob(f"**/uwlab-{network}-*")]
    for source in (Path("/proc/mounts"), Path("/proc/net/route")):
        found += [
            f"{source} {line}" for line in source.read_text().splitlines() if f"/{name}/" in line
        ]
    loops = subprocess.run(["losetup", "--list"], capture_output=True, text=True, check=True)
    found += [line for line in loops.stdout.splitlines() if f"/{name}/" in line]
    found += [str(root / name) for root in _roots() if (root / name).exists()]
    found += [table for table in _tables() if re.search(rf"uwlab_{network}(_\d+)?$", table)]
    return found


def _roots() -> list[Path]:
    return [Path("/run/uwlab"), Path("/var/lib/uwlab")]


def _tables() -> list[str]:
    listing = ["chroot", str(toolbox()), "nft", "list", "tables"]
    return subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines()


def daemons(name: str) -> set[int]:
    """The long-running processes of a laboratory, without what they start for a moment."""
    programs = {"unshare", "tini", "nsenter", "containerd", "dockerd", "docker-registry"}
    return {p.pid for p in processes(name) if p.program in programs}


def processes_in(namespaces: set[str]) -> list[str]:
    """Processes in the given network namespaces, whatever they are called."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "ns/net").readlink().as_posix() in namespaces:
                    found.append(entry.name)
            except OSError:
                continue
    return found


def logs(laboratory: Laboratory, container: str) -> str:
    tools = laboratory.describe()["tools"]
    socket_ = f"unix://{laboratory.host('h1').socket}"
    command = [f"{tools['path']}/docker", "-H", socket_, "logs", container]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def host_reaches(laboratory: Laboratory, host: str, address: str) -> bool:
    init = init_pid(laboratory.host(host))
    command = ["nsenter", f"--net=/proc/{init}/ns/net", "timeout", "1", "bash", "-c"]
    probe = [*command, f"exec 3<>/dev/tcp/{address}/22"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def connect_time_s(address: str) -> float:
    times = []
    for _ in range(3):
        began = time.monotonic()
        assert reaches(address, 22, timeout_s=5)
        times.append(time.monotonic() - began)
    return min(times)
