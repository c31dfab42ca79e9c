"""An application whose data is backed up, and what must hold after anything that goes wrong."""

import hashlib
import http.client
import json
import os
import sys
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import yaml

from lab.faults import Faults
from tests.e2e.client import Client, Done, eventually
from tests.e2e.test_backup import expect_nothing_left
from tests.laboratories import Fleet

APP: Final = "archive"
HOST: Final = "archive.test"
SIDECAR: Final = f"underway-backup-{APP}"
FAULTY: Final = (sys.executable, str(Path(__file__).with_name("faulty_client.py")))
BULK: Final = 80_000_000
STATE: Final = 8_000_000
SETTLES_S: Final = 60.0
VOLUMES: Final = ("files", "kept", "still")
MODE: Final = "/tmp/mode"  # noqa: S108 - a path inside a container
DUMP: Final = (
    f"case $(cat {MODE} 2>/dev/null) in"
    f" fail) head -c {STATE * 9 // 10} /kept/state; exit 1;;"
    " hang) sleep 600;; empty) ;; *) cat /kept/state;; esac"
)
QUIET: Final = (
    f"case $(cat {MODE} 2>/dev/null) in hush-fail) exit 3;; hush-hang) sleep 600;; esac;"
    " touch /tmp/quiet"
)
LOUD: Final = f"rm -f /tmp/quiet; case $(cat {MODE} 2>/dev/null) in loud-fail) exit 3;; esac"


@dataclass
class Archivist:
    """The application on its host, whoever works with it, and the points that must come back."""

    fleet: Fleet
    root: Path
    environment: dict[str, str]
    good: dict[str, str] = field(default_factory=dict)
    """By restore point, what the data was."""
    numbers: count = field(default_factory=count)  # type: ignore[type-arg]
    content: str = ""

    @property
    def client(self) -> Client:
        return Client(self.root / APP, self.root / "home", self.environment)

    @property
    def faults(self) -> Faults:
        return Faults(self.fleet.laboratory)

    def docker(self, *arguments: str) -> str:
        return self.fleet.docker("h1", *arguments, timeout_s=120)

    def run(self, *arguments: str) -> Done:
        return self.client.run(*arguments)

    def faulty(self, side: str, number: int, what: str, *command: str) -> tuple[Done, list[str]]:
        """A command at one effect of which something happens; the effects that it came to."""
        journal = self.root / f"journal-{next(self.numbers)}"
        arguments = (str(journal), side, str(number), what, "--", *command)
        with self.client.running(*arguments, program=FAULTY) as client:
            done = client.wait()
        return done, journal.read_text().splitlines() if journal.exists() else []

    def fault_command(self, *words: str) -> str:
        """A fault of the laboratory as a command for the shell."""
        name = self.fleet.laboratory.record.name
        return f"cd {Path.cwd()} && {sys.executable} -m lab fault --name {name} {' '.join(words)}"

    def replica(self, service: str) -> str:
        wanted = (f"label=underway.service={service}", "label=underway.role=replica")
        filters = [word for one in wanted for word in ("--filter", one)]
        return self.docker("ps", "-q", *filters).split()[0]

    def inside(self, service: str, script: str) -> str:
        return self.docker("exec", self.replica(service), "sh", "-c", script)

    def mode(self, service: str, how: str) -> None:
        """How the service's own commands behave from now on."""
        self.inside(service, f"echo {how} >{MODE}")

    def change(self) -> None:
        """New data in all volumes, none of which the store knows."""
        self.inside("web", f"head -c {BULK} /dev/urandom >/files/bulk; date +%N >/files/index.html")
        self.inside("store", f"head -c {STATE} /dev/urandom >/kept/state")
        self.inside("calm", f"head -c {STATE} /dev/urandom >/still/state")
        self.content = self.sums(self.bindings())

    def bindings(self) -> dict[str, str]:
        """What stands behind each volume now."""
        found = {}
        for service, volume in zip(("web", "store", "calm"), VOLUMES, strict=True):
            said = self.docker("inspect", "-f", "{{json .Mounts}}", self.replica(service))
            (found[volume],) = (m["Name"] for m in json.loads(said) if m["Type"] == "volume")
        return found

    def sums(self, volumes: dict[str, str]) -> str:
        """A sum over names, owners, modes and contents of all volumes, by other tools than ours."""
        mounted = [w for name, real in volumes.items() for w in ("-v", f"{real}:/v/{name}:ro")]
        script = (
            "cd /v && find . -printf '%p %U %m %y\\n' | sort"
            " && find . -type f | sort | xargs sha256sum"
        )
        image = self.fleet.laboratory.images["debian"]
        said = self.docker("run", "--rm", *mounted, image, "sh", "-c", script)
        return hashlib.sha256(said.encode()).hexdigest()

    def create(self, *options: str) -> str:
        """A backup that must succeed; its point."""
        self.run("backup", "create", *options).expect(0)
        (new,) = {one["id"] for one in self.points()} - set(self.good)
        self.good[new] = self.content
        return str(new)

    def points(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (
            self.run("backup", "list", "--json").expect(0).document()["points"]
        )
        return found

    def expect_good(self) -> None:
        """The application serves, all runs, no point is false, the last good one comes back."""
        self.expect_serving()
        assert {one["id"] for one in self.points()} == set(self.good)
        self.expect_restorable(list(self.good)[-1])

    def expect_restorable(self, point: str) -> None:
        """A point comes back bit for bit, beside what serves."""
        self.run("--yes", "backup", "restore", point, "--as", "copy").expect(0)
        copies = {volume: f"copy_{volume}" for volume in VOLUMES}
        assert self.sums(copies) == self.good[point], f"{point} came back as something else"
        self.docker("volume", "rm", *copies.values())

    def expect_serving(self) -> None:
        """Within a while, requests are answered and nothing stands still."""
        eventually(self._is_well, "the application serves and nothing is paused", SETTLES_S)

    def _is_well(self) -> bool:
        running = self.docker("ps", "-q", "--filter", "label=underway.role=replica").split()
        paused = self.docker("ps", "-q", "--filter", "status=paused").split()
        if len(running) != len(VOLUMES) or paused or "no" in self._quiet():
            return False
        connection = http.client.HTTPConnection(self.fleet.laboratory.hosts[0].address, 80, 10)
        try:
            connection.request("GET", "/index.html", headers={"Host": HOST})
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    def _quiet(self) -> str:
        """`no` where the quiesced service was left quiet."""
        return self.inside("calm", "test -e /tmp/quiet && echo no || echo yes")

    def expect_next(self) -> None:
        """The next backup succeeds, and leaves nothing behind."""
        for service in ("store", "calm"):
            self.mode(service, "well")
        self.create("--wait", "60s")
        expect_nothing_left(self.fleet)


@dataclass(frozen=True)
class Table:
    """What was tried and how it ended: a line of the file for each cell."""

    path: Path

    def add(self, fault: str, moment: str, code: int, told: str) -> None:
        """Note one cell that held."""
        line = "\t".join((fault, moment, str(code), told))
        with self.path.open("a") as file:
            file.write(f"{line}\n")


def table() -> Table:
    """Where cells are noted: UNDERWAY_FAULT_TABLE, or the directory of artifacts."""
    path = Path(os.environ.get("UNDERWAY_FAULT_TABLE", "artifacts/backup-faults.tsv"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return Table(path)


def deployed(fleet: Fleet, root: Path, repository: str = "/srv/shared/backups") -> Archivist:
    """The application, a repository, and one good point."""
    directory = root / APP
    directory.mkdir()
    said = compose(fleet.laboratory.images["python"], repository)
    (directory / "compose.yaml").write_text(yaml.safe_dump(said, sort_keys=False))
    environment = {
        **fleet.environment,
        "DOCKER_HOST": fleet.laboratory.hosts[0].url,
        "BACKUP_WORD": "correct horse",
    }
    made = Archivist(fleet, root, environment)
    made.run("deploy").expect(0)
    made.run("backup", "init").expect(0)
    made.change()
    made.create()
    made.expect_good()
    return made


def compose(python: str, repository: str) -> dict[str, object]:
    """A web server whose files are paused, a store that is dumped, and one that can be quiet."""

    def volume(**how: object) -> dict[str, object]:
        return {"x-underway": {"backup": how}}

    def script(text: str) -> list[str]:
        return ["sh", "-c", text.replace("$", "$$")]

    prompt = {"init": True, "deploy": {"update_config": {"monitor": "1s"}}}
    server = ["sh", "-c", "touch /files/index.html; exec python3 -m http.server 8080 -d /files"]
    idle = {"image": python, "command": ["sleep", "infinity"], **prompt}
    return {
        "name": APP,
        "services": {
            "web": {
                "image": python,
                "command": server,
                "volumes": ["files:/files"],
                "x-underway": {"proxy": {"host": HOST, "port": 8080, "health": "/"}},
                **prompt,
            },
            "store": {**idle, "volumes": ["kept:/kept"]},
            "calm": {**idle, "volumes": ["still:/still"]},
        },
        "volumes": {
            "files": volume(consistency="pause"),
            "kept": volume(
                consistency="dump",
                timeout="10s",
                dump=script(DUMP),
                restore=script("cat >/kept/state"),
            ),
            "still": volume(
                consistency="quiesce", timeout="10s", before=script(QUIET), after=script(LOUD)
            ),
        },
        "x-underway": {
            "backup": {"repository": repository, "password": {"variable": "BACKUP_WORD"}}
        },
    }
