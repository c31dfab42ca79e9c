"""Laboratories shared by all tests of one pytest process, one per engine, taken down at its end.

A laboratory grows to the largest number of hosts that a test asks for; a test sees as many as it
asked for. Names carry the process id, so that two runs do not meet, and a later run takes down
what a killed one left. `UNDERWAY_TEST_LABORATORY=NAME` uses laboratories of that name and leaves
them running, for whoever runs few tests many times.
"""

import atexit
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.faults import Faults
from lab.laboratory import Laboratory, down, laboratories

PREFIX = "pytest"
KEPT = os.environ.get("UNDERWAY_TEST_LABORATORY", "")
OWN_NETWORKS = {"bridge", "host", "none"}


@dataclass
class Laboratories:
    """The laboratories of this process, made when first asked for."""

    _made: dict[tuple[str, bool], Laboratory] = field(default_factory=dict)

    def __call__(
        self, hosts: int = 1, *, engine: str = "26", live_restore: bool = True
    ) -> Laboratory:
        """A laboratory of which exactly `hosts` hosts are seen; others may be running."""
        if not self._made:
            sweep()
            atexit.register(self.down)
        key = (engine, live_restore)
        running = self._made.get(key)
        largest = max(hosts, running.record.hosts if running else 0)
        family = KEPT or f"{PREFIX}-{os.getpid()}"
        name = f"{family}-{engine}{'' if live_restore else '-n'}"
        if running is None or running.record.hosts < largest:
            running = Laboratory.up(name, largest, engine=engine, live_restore=live_restore)
            self._made[key] = running
        return Laboratory(replace(running.record, hosts=hosts))

    def down(self) -> None:
        """Take them all down; the first error is raised after all were tried."""
        errors: list[Exception] = []
        while self._made:
            _, laboratory = self._made.popitem()
            try:
                if not KEPT:
                    down(laboratory.record.name)
            except Exception as error:  # noqa: BLE001
                errors.append(error)
        if errors:
            raise errors[0]


@dataclass(frozen=True)
class Fleet:
    """Healthy, empty hosts (images stay), and how `underway` reaches them."""

    laboratory: Laboratory

    @property
    def faults(self) -> Faults:
        return Faults(self.laboratory)

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.laboratory)

    def docker(self, host: str, *arguments: str, timeout_s: float = 60) -> str:
        return docker(self.laboratory, host, *arguments, timeout_s=timeout_s)

    def underway(
        self,
        *arguments: str,
        cwd: Path,
        extra: dict[str, str] | None = None,
        timeout_s: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end, whatever its exit code."""
        return subprocess.run(
            [sys.executable, "-m", "underway.cli.main", *arguments],
            cwd=cwd,
            env={**self.environment, **(extra or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


def environment(laboratory: Laboratory) -> dict[str, str]:
    """The environment in which `underway`, `docker` and `docker compose` use a laboratory."""
    tools = laboratory.describe()["tools"]
    venv = Path(sys.executable).parent
    return {
        **{name: text for name, text in os.environ.items() if not name.startswith("DOCKER_")},
        "PATH": f"{tools['path']}:{venv}:{os.environ.get('PATH', os.defpath)}",
        "DOCKER_CONFIG": tools["docker_config"],
        "UNDERWAY_SSH_CONFIG": laboratory.hosts[0].ssh_config,
        "UNDERWAY_TOOLS_BASE": laboratory.images["tools-base"],
        "XDG_STATE_HOME": str(_memory(laboratory)),
    }


def _memory(laboratory: Laboratory) -> Path:
    """Where clients remember the histories that they saw on a laboratory's hosts."""
    return laboratory.layout.data_dir / "clients"


def docker(laboratory: Laboratory, host: str, *arguments: str, timeout_s: float = 60) -> str:
    """Output of one docker command on a host, past any network fault."""
    tools = laboratory.describe()["tools"]
    socket = f"unix://{laboratory.host(host).socket}"
    done = subprocess.run(
        [f"{tools['path']}/docker", "-H", socket, *arguments],
        env=environment(laboratory),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)} on {host}: {done.stderr}"
    return done.stdout.strip()


def clear(laboratory: Laboratory) -> None:
    """Heal every fault, and remove containers, volumes and networks; images stay, for speed.

    No client remembers what was there.
    """
    Faults(laboratory).heal()
    shutil.rmtree(_memory(laboratory), ignore_errors=True)
    for host in laboratory.hosts:
        for kind, listing, removing in (
            ("container", ("ps", "-aq"), ("rm", "-f", "-v")),
            ("volume", ("volume", "ls", "-q"), ("volume", "rm", "-f")),
            ("network", ("network", "ls", "--format", "{{.Name}}"), ("network", "rm")),
        ):
            found = [
                name
                for name in docker(laboratory, host.name, *listing).split()
                if kind != "network" or name not in OWN_NETWORKS
            ]
            if found:
                docker(laboratory, host.name, *removing, *found)
    shared = laboratory.layout.shared_dir
    for entry in shared.iterdir() if shared.is_dir() else ():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def sweep() -> None:
    """Take down what pytest processes left that are gone."""
    for laboratory in laboratories():
        match = re.match(rf"{PREFIX}-(\d+)-", laboratory.record.name)
        if match and not Path(f"/proc/{match[1]}").exists():
            down(laboratory.record.name)
