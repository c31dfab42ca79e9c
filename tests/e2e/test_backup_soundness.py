"""Data that is written without pause comes back sound, every time; a hot `tar` of it does not.

Five writers, each with the consistency that its users would declare: two files that belong
together and a memory map (`pause`), SQLite with either kind of journal (plain files: it needs no
word), and PostgreSQL under pgbench (`dump`). One app, so that one restore point holds them all.
"""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.e2e.client import Client, eventually
from tests.laboratories import Fleet

APP: Final = "writers"
RUNS: Final = 20
TARS: Final = 6
"""How many hot tars stand beside them: each is unsound far more often than not."""
KINDS: Final = {"twins": "pause", "mapped": "pause", "wal": "files", "journal": "files"}
SCRIPT: Final = (Path(__file__).parent / "writers.py").read_text()
WORD: Final = "of a test"
LOAD: Final = "pgbench -U bank -q -i -s 2 bank && nohup pgbench -U bank -c 4 -T 7200 bank"
SUMS: Final = (
    "create extension if not exists amcheck;"
    "select bt_index_check(indexrelid, true) from pg_index join pg_class on oid = indexrelid"
    " where relname like 'pgbench%';"
    "select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history)"
    " and (select sum(bbalance) from pgbench_branches) = (select sum(delta) from pgbench_history)"
    " and (select sum(tbalance) from pgbench_tellers) = (select sum(delta) from pgbench_history)"
    " and (select count(*) from pgbench_history) > 0"
)
COPY: Final = "tar cf - -C /from . | tar xf - -C /to; rm -f /to/postmaster.pid"


@dataclass(frozen=True)
class Writers:
    """The app on its host, and what is asked about copies of its data."""

    fleet: Fleet
    client: Client

    def docker(self, *arguments: str) -> str:
        return self.fleet.docker("h1", *arguments, timeout_s=300)

    def image(self, name: str) -> str:
        return self.fleet.laboratory.images[name]

    def verdict(self, kind: str, volume: str) -> str:
        """What a copy is: `sound` or what is wrong with it."""
        if kind == "bank":
            return self._bank(volume)
        mounted = ("run", "--rm", "-v", f"{volume}:/data", self.image("python"))
        return self.docker(*mounted, "python3", "-c", SCRIPT, "check", kind, "/data").strip()

    def _bank(self, volume: str) -> str:
        """Start a server on the copy; it must open, and agree with itself and its indexes."""
        data = f"{volume}:/var/lib/postgresql/data"
        word = ("-e", f"POSTGRES_PASSWORD={WORD}")
        name = self.docker("run", "-d", "-v", data, *word, self.image("postgres")).strip()
        ready = "pg_isready -q -h 127.0.0.1 -U bank && echo ready"
        script = f'{ready} || echo waiting; psql -At -U bank bank -c "{SUMS}" 2>&1 | tail -1'
        try:
            said = [""]

            def is_told() -> bool:
                running = self.docker("inspect", "-f", "{{.State.Running}}", name).strip()
                if running != "true":
                    said[0] = "the server ended: " + self.docker("logs", "--tail", "3", name)
                    return True
                said[0] = self.docker("exec", name, "sh", "-c", script).strip()
                return said[0].startswith("ready")

            eventually(is_told, "the copied database opens", 120)
        finally:
            self.docker("rm", "-f", name)
        told = said[0].removeprefix("ready").strip()
        return "sound" if told == "t" else told

    def physical(self, volume: str) -> str:
        """What stands behind a volume of the app: each has the service of its name."""
        wanted = ("label=underway.role=replica", f"label=underway.service={volume}")
        filters = [word for one in wanted for word in ("--filter", one)]
        (name,) = self.docker("ps", "-q", *filters).split()
        form = "{{range .Mounts}}{{if .Name}}{{.Name}}{{end}}{{end}}"
        return self.docker("inspect", "-f", form, name).strip()

    def tar(self, volume: str) -> str:
        """A hot tar of a volume, unpacked into a new one; its name."""
        name = f"tar_{volume}"
        mounted = ("-v", f"{self.physical(volume)}:/from:ro", "-v", f"{name}:/to")
        command = (self.image("debian"), "sh", "-c", COPY)
        self.docker("run", "--rm", *mounted, *command)
        return name


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.lab(hosts=1)
def test_every_restore_is_sound_while_hot_tars_are_not(fleet: Fleet, tmp_path: Path) -> None:
    writers = deployed(fleet, tmp_path)
    kinds = (*KINDS, "bank")
    unsound: Counter[str] = Counter()
    torn: Counter[str] = Counter()
    for run in range(RUNS):
        writers.client.run("backup", "create", "-q").expect(0)
        writers.client.run("--yes", "backup", "restore", "--as", "copy").expect(0)
        for kind in kinds:
            said = writers.verdict(kind, f"copy_{kind}")
            if said != "sound":
                sys.stdout.write(f"run {run}: {kind} was restored unsound: {said}\n")
                unsound[kind] += 1
        writers.docker("volume", "rm", *(f"copy_{kind}" for kind in kinds))
        if run < TARS:
            for kind in kinds:
                volume = writers.tar(kind)
                torn[kind] += writers.verdict(kind, volume) != "sound"
                writers.docker("volume", "rm", volume)
    sys.stdout.write(f"restores that were unsound, of {RUNS}: {dict(unsound)}\n")
    sys.stdout.write(f"hot tars that were unsound, of {TARS}: {dict(torn)}\n")
    assert not unsound
    assert all(torn[kind] for kind in kinds), "a writer that no hot tar tears proves nothing"
    writers.client.run("remove", "--yes", "--with-data").expect(0)


def deployed(fleet: Fleet, tmp_path: Path) -> Writers:
    """The app, all writing, and a repository."""
    directory = tmp_path / APP
    directory.mkdir()
    said = compose(fleet.laboratory.images["python"], fleet.laboratory.images["postgres"])
    (directory / "compose.yaml").write_text(yaml.safe_dump(said, sort_keys=False))
    environment = {
        **fleet.environment,
        "DOCKER_HOST": fleet.laboratory.hosts[0].url,
        "BACKUP_WORD": "correct horse",
    }
    writers = Writers(fleet, Client(directory, tmp_path / "home", environment))
    writers.client.run("deploy").expect(0)
    writers.client.run("backup", "init").expect(0)
    found = writers.docker("ps", "-q", "--filter", "label=underway.service=bank").split()
    ready = "pg_isready -q -h 127.0.0.1 -U bank && echo ready || true"
    inside = ("exec", found[0], "sh", "-c")
    eventually(lambda: "ready" in writers.docker(*inside, ready), "the bank opens", 120)
    writers.docker("exec", "-d", found[0], "sh", "-c", LOAD)
    count = "psql -At -U bank bank -c 'select count(*) > 0 from pgbench_history' 2>&1 || true"
    eventually(lambda: writers.docker(*inside, count).strip() == "t", "the bank works", 120)
    return writers


def compose(python: str, postgres: str) -> dict[str, object]:
    """A writer of each kind beside its volume."""
    prompt = {"init": True, "deploy": {"update_config": {"monitor": "1s"}}}
    services: dict[str, object] = {
        kind: {
            "image": python,
            "command": ["python3", "-c", SCRIPT, "write", kind, "/data"],
            "volumes": [f"{kind}:/data"],
            **prompt,
        }
        for kind in KINDS
    }
    services["bank"] = {
        "image": postgres,
        "environment": {"POSTGRES_USER": "bank", "POSTGRES_PASSWORD": WORD},
        "volumes": ["bank:/var/lib/postgresql/data"],
        **prompt,
    }
    declared = {**KINDS, "bank": "dump"}
    volumes = {
        kind: {"x-underway": {"backup": {"consistency": how}}} for kind, how in declared.items()
    }
    policy = {"repository": "/srv/shared/backups", "password": {"variable": "BACKUP_WORD"}}
    return {
        "name": APP,
        "services": services,
        "volumes": volumes,
        "x-underway": {"backup": policy},
    }
