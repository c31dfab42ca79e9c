"""Sensitive values stand in the vault and in the containers that need them, and nowhere else."""

import base64
import json
import secrets
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from lab.engine import init_pid, inside
from tests.e2e.project import Project, Wish

ALLOWED: Final = (
    # The vault, and the files that a replica reads as /run/secrets.
    "/var/lib/docker/volumes/underway-vault-beacon/",
    "/var/lib/docker/volumes/underway-files-beacon-",
    # The engine's own account of a container's environment, and the runtime's while it runs.
    "/var/lib/docker/containers/",
    "/run/containerd/",
    "/var/lib/containerd/io.containerd.metadata",
)
ENGINES_OWN: Final = ("config.v2.json", "config.json", "meta.db")
SAMPLE_EVERY_S: Final = 0.05
EDGES_PORT: Final = 80
LOOKING: Final = tuple(
    tuple(line.split())
    for line in ("plan", "status", "history", "releases", "config", "show", "diff", "diff 1 2")
)
"""Commands that change nothing, and tell much."""


@dataclass
class Canaries:
    """A value by each way into a container, found again wherever it went."""

    interpolated: str = field(default_factory=lambda: f"canary-{secrets.token_hex(12)}")
    from_file: str = field(default_factory=lambda: f"canary-{secrets.token_hex(12)}")
    secret: str = field(default_factory=lambda: f"canary-{secrets.token_hex(12)}")

    @property
    def all(self) -> tuple[str, ...]:
        """Every value as it is, and as a part of something in Base64."""
        values = (self.interpolated, self.from_file, self.secret)
        return tuple(form for value in values for form in (value, *in_base64(value)))

    def wish(self, version: str, fail: str = "") -> Wish:
        return Wish(
            version,
            "blue-green",
            fail=fail,
            environment={"BEACON_CANARY": "${CANARY}"},
            web={"env_file": ["./values.env"], "secrets": ["token", "canary"]},
            secrets={"canary": {"file": "./canary"}},
            proxy={"deploy_timeout": "5s"},
        )

    def put_into(self, project: Project) -> None:
        project.extra["CANARY"] = self.interpolated
        (project.directory / "values.env").write_text(f"BEACON_FROM_FILE={self.from_file}\n")
        (project.directory / "canary").write_text(self.secret)

    def in_text(self, text: str) -> list[str]:
        return [value for value in self.all if value in text]


def in_base64(value: str) -> list[str]:
    """What of a value stands in Base64 wherever in the encoded bytes it begins."""
    whole = [base64.b64encode(b"-" * shift + value.encode()).decode() for shift in (0, 1, 2)]
    return [text[4:-4] for text in whole]


@contextmanager
def arguments_of_everything() -> Iterator[set[bytes]]:
    """The arguments of every process of the machine and its hosts, sampled while it lasts."""
    seen: set[bytes] = set()
    is_over = threading.Event()

    def sample() -> None:
        while not is_over.wait(SAMPLE_EVERY_S):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(file.read_bytes())
                except OSError:
                    continue

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield seen
    finally:
        is_over.set()
        thread.join()


def files_with(project: Project, host: str, values: tuple[str, ...]) -> list[str]:
    """Files of a whole host that hold one of `values`, what is not a real file apart."""
    skipped = ("proc", "sys", "dev", "merged", "shared")
    patterns = [argument for value in values for argument in ("-e", value)]
    found = subprocess.run(
        [*within(project, host), "grep", "-rlaF", *patterns, "/",
         *(f"--exclude-dir={name}" for name in skipped)],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    return found.stdout.splitlines()


def texts_in(bundle: Path) -> Iterator[tuple[str, str]]:
    """The files of a .tar.gz."""
    with tarfile.open(bundle) as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content is not None
            yield member.name, content.read().decode("utf-8", "replace")


def within(project: Project, host: str) -> list[str]:
    """The prefix of a command inside a host."""
    laboratory = project.fleet.laboratory
    pid = init_pid(laboratory.host(host))
    assert pid is not None
    return inside(pid)


@pytest.mark.lab(hosts=3)
def test_values_are_found_nowhere_but_where_they_are_needed(project: Project) -> None:
    canaries = Canaries()
    canaries.put_into(project)
    with arguments_of_everything() as seen:
        told = [
            project.deploy(canaries.wish("v1"), "-v").expect(0),
            project.deploy(canaries.wish("v2"), "--json").expect(0),
            project.deploy(canaries.wish("v3", fail="crash-at-start"), "-v").expect(10),
            project.client.run("rollback", "-v").expect(0),
        ]
    for command in LOOKING:
        told += [project.client.run(*command, *how) for how in ((), ("--json",), ("-v",))]
    for done in told:
        assert not canaries.in_text(str(done)), f"{done.arguments} tells {done}"
    project.client.run("report", "-o", "report.tar.gz").expect(0)
    reported = dict(texts_in(project.directory / "report.tar.gz"))
    assert any(name.endswith(".log") and text for name, text in reported.items())
    assert not [name for name, text in reported.items() if canaries.in_text(text)]
    assert any(b"/app/beacon.py" in line for line in seen), "the sample sees what runs on hosts"
    assert any(b"underway.cli.main" in line for line in seen)
    assert not [line for line in seen for value in canaries.all if value.encode() in line]
    for one in project.sight.replicas():
        assert one.environment["BEACON_CANARY"] == canaries.interpolated, "the values did arrive"
        assert one.environment["BEACON_FROM_FILE"] == canaries.from_file
    for host in project.fleet.laboratory.hosts:
        expect_no_trace(project, host.name, canaries)


def expect_no_trace(project: Project, host: str, canaries: Canaries) -> None:
    """Neither in labels and image layers as the engine tells them, nor in any file."""
    docker = project.fleet.docker
    for kind, listing in (
        ("volume", ("volume", "ls", "-q")),
        ("network", ("network", "ls", "-q")),
        ("image", ("images", "-q")),
    ):
        names = sorted(set(docker(host, *listing).split()))
        assert not canaries.in_text(docker(host, kind, "inspect", *names)), f"{kind}s of {host}"
    for image in sorted(set(docker(host, "images", "-q").split())):
        history = docker(host, "history", "--no-trunc", image)
        assert not canaries.in_text(history), f"{image} on {host}: {history}"
    for one in project.sight.containers():
        assert not canaries.in_text(json.dumps(one.labels)), one.name
    found = files_with(project, host, canaries.all)
    vault = [name for name in found if name.startswith(ALLOWED[0])]
    assert vault, f"the vault of {host} holds the values, and the search finds them: {found}"
    strange = [name for name in found if not is_allowed(name)]
    assert not strange, f"{host}: {strange}"


def is_allowed(name: str) -> bool:
    if name.startswith(ALLOWED[:2]):
        return True
    return name.startswith(ALLOWED[2:]) and name.endswith(ENGINES_OWN)


@pytest.mark.lab(hosts=3)
def test_nothing_listens_everywhere_but_the_edges_port(project: Project) -> None:
    before = {host.name: listeners(project, host.name) for host in project.fleet.laboratory.hosts}
    project.deploy(Wish("v1", replicas=3, worker={"expose": ["9000"]})).expect(0)
    for host in project.fleet.laboratory.hosts:
        new = listeners(project, host.name) - before[host.name]
        private = {one for one in new if one[0] == host.address}
        assert private, f"a replica is reached on {host.name}'s private address"
        edges = {port for _, port in new - private}
        assert edges <= {EDGES_PORT}, f"{host.name} listens on {new - private}"
        assert (host.name in project.edges) == (EDGES_PORT in edges)


def listeners(project: Project, host: str) -> set[tuple[str, int]]:
    """Addresses and ports on which a host listens."""
    pid = within(project, host)[1].partition("=")[2]
    listing = ["nsenter", f"--target={pid}", "--net", "ss", "-ltnH"]
    told = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    found = set()
    for line in told.splitlines():
        address, _, port = line.split()[3].rpartition(":")
        found.add((address, int(port)))
    return found
