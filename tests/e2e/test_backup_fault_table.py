"""The table of what goes wrong while data is backed up or brought back.

After each cell: the application serves, nothing is paused, quiet or stopped, no false point is
listed, the last good one comes back bit for bit, the exit code is right, and the next run
succeeds. Each cell that held is a line of the table (`scripts/fault_table.py` makes a page of it).
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.archivist import SIDECAR, Archivist, deployed, table
from tests.e2e.client import Done
from tests.laboratories import Fleet

pytestmark = [pytest.mark.exhaustive, pytest.mark.lab(hosts=1), pytest.mark.timeout(3600)]
KILLED: Final = -9
KILL_SIDECAR: Final = f"docker kill {SIDECAR}"
LONG_JOBS: Final = ("save_tree hot", "save_tree frozen", "save_tree quiesced", "save_stream")
DATED: Final = (sys.executable, str(Path(__file__).with_name("dated_client.py")))


@pytest.fixture
def archivist(fleet: Fleet, tmp_path: Path) -> Iterator[Archivist]:
    made = deployed(fleet, tmp_path)
    yield made
    made.run("remove", "--yes", "--with-data")


def effects_of(archivist: Archivist, *command: str) -> list[str]:
    """What a command does when nothing happens."""
    done, effects = archivist.faulty("before", 0, "kill", *command)
    done.expect(0)
    return effects


def backup_effects(archivist: Archivist) -> list[str]:
    archivist.change()
    effects = effects_of(archivist, "backup", "create")
    (new,) = {one["id"] for one in archivist.points()} - set(archivist.good)
    archivist.good[new] = archivist.content
    return effects


def settled(archivist: Archivist, fault: str, moment: str, done: Done, *codes: int) -> None:
    """One cell of a backup: it made no point, and all is well; then the next one succeeds."""
    done.expect(*codes)
    archivist.expect_good()
    archivist.expect_next()
    told = done.err.strip().splitlines()
    first = next((line for line in told if line.startswith(("error", "underway:"))), "")
    table().add(fault, moment, done.code, first[:120])


def test_the_client_is_killed_at_each_step_of_a_backup(archivist: Archivist) -> None:
    """Killed right before the seal there is no point; right after it, there is."""
    effects = backup_effects(archivist)
    for number, effect in enumerate(effects, 1):
        for side in ("before", "after"):
            archivist.change()
            done, _ = archivist.faulty(side, number, "kill", "backup", "create")
            if (effect, side) == ("seal", "after"):
                (new,) = {one["id"] for one in archivist.points()} - set(archivist.good)
                archivist.good[new] = archivist.content
            settled(archivist, "client killed", f"backup, {side} {effect}", done, KILLED)


@pytest.mark.parametrize(
    ("fault", "commands"),
    [
        ("sidecar killed", (KILL_SIDECAR,)),
        ("engine killed", ("engine kill h1", "engine start h1")),
    ],
)
def test_what_copies_is_killed_in_the_midst_of_each_job(
    archivist: Archivist, fault: str, commands: tuple[str, ...]
) -> None:
    effects = backup_effects(archivist)
    what = " && ".join(
        one if one.startswith("docker") else archivist.fault_command(*one.split())
        for one in commands
    )
    for number, effect in enumerate(effects, 1):
        if effect in LONG_JOBS:
            archivist.change()
            done, _ = archivist.faulty("during", number, what, "backup", "create")
            known = {one["id"] for one in archivist.points()}
            if fault == "engine killed" and len(known) > len(archivist.good):
                done.expect(0)  # the sidecar outlived it, and its client found it again
                (new,) = known - set(archivist.good)
                archivist.good[new] = archivist.content
                settled(archivist, fault, f"backup, during {effect}", done, 0)
            else:
                settled(archivist, fault, f"backup, during {effect}", done, 6, 10)


def test_commands_in_the_service_fail(archivist: Archivist) -> None:
    """A dump that ends early, hangs, or says nothing is no backup; nor is one of a loud service."""
    cases = (
        ("store", "fail", "dump ends with 1 after 90 %"),
        ("store", "hang", "dump hangs"),
        ("store", "empty", "dump prints nothing"),
        ("calm", "hush-fail", "quiesce's `before` fails"),
        ("calm", "hush-hang", "quiesce's `before` hangs"),
        ("calm", "loud-fail", "quiesce's `after` fails"),
    )
    for service, mode, fault in cases:
        archivist.change()
        archivist.mode(service, mode)
        done = archivist.run("backup", "create")
        settled(archivist, fault, "backup", done, 10)


def test_containers_go_or_come_in_mid_backup(archivist: Archivist) -> None:
    effects = backup_effects(archivist)
    moments = (("store", "save_stream"), ("web", "save_tree hot"), ("web", "save_tree frozen"))
    for service, effect in moments:
        archivist.change()
        number = effects.index(effect) + 1
        what = f"docker rm -f {archivist.replica(service)}"
        done, _ = archivist.faulty("during", number, what, "backup", "create")
        archivist.run("repair", "--yes").expect(0)
        known = {one["id"] for one in archivist.points()}
        if len(known) > len(archivist.good):  # it was whole although its writer had gone
            (new,) = known - set(archivist.good)
            archivist.good[new] = archivist.content
        settled(archivist, f"container of {service} removed", f"during {effect}", done, 0, 10)


def test_disks_and_clocks(archivist: Archivist) -> None:
    for minutes in (-60, 60):
        archivist.change()
        arguments = (str(60 * minutes), "backup", "create")
        with archivist.client.running(*arguments, program=DATED) as client:
            done = client.wait().expect(0)
        (new,) = {one["id"] for one in archivist.points()} - set(archivist.good)
        archivist.good[new] = archivist.content
        settled(archivist, f"clock {minutes:+d} minutes", "backup", done, 0)
    archivist.change()
    archivist.faults.fill_disk("h1", leave_bytes=5_000_000)
    done = archivist.run("backup", "create")
    archivist.faults.free_disk("h1")
    settled(archivist, "host's disk full", "backup", done, 0, 10)


def test_repositories_that_are_not_what_they_were(archivist: Archivist) -> None:
    shared = archivist.fleet.laboratory.layout.shared_dir
    repository = shared / "backups"
    archivist.change()
    with moved(repository):
        done = archivist.run("backup", "create")
    settled(archivist, "repository is gone", "backup", done, 4)
    archivist.environment["BACKUP_WORD"] = "wrong"
    done = archivist.run("backup", "create")
    archivist.environment["BACKUP_WORD"] = "correct horse"
    settled(archivist, "wrong password", "backup", done, 4)
    for fault, harm in HARMS.items():
        archivist.change()
        archivist.create()
        pack = largest(repository / "data")
        content = pack.read_bytes()
        pack.chmod(0o600)
        harm(pack)
        done = archivist.run("backup", "verify", "--read-data").expect(7)
        assert "backup-damaged" in done.err
        pack.write_bytes(content)
        settled(archivist, fault, "verify --read-data", done, 7)


def test_two_at_once_and_beside_other_runs(archivist: Archivist) -> None:
    """Whoever comes second is refused with the holder's name, and works once the first is over."""
    effects = backup_effects(archivist)
    number = effects.index("save_tree hot") + 1
    said = archivist.root / "second.txt"
    others = {
        "backup create": ("backup create", 5),
        "deploy": ("--yes deploy", 5),
        "restore": ("--yes backup restore", 5),
        "prune": ("backup prune", 5),
        "verify": ("backup verify", 0),
    }
    for name, (command, code) in others.items():
        archivist.change()
        second = f"{sys.executable} -m underway.cli.main {command} >{said} 2>&1; echo $? >>{said}"
        done, _ = archivist.faulty("during", number, second, "backup", "create")
        done.expect(0)
        (new,) = {one["id"] for one in archivist.points()} - set(archivist.good)
        archivist.good[new] = archivist.content
        told = said.read_text()
        assert told.split()[-1] in (str(code), "0"), told
        settled(archivist, f"{name} at once", "during a backup", done, 0)


def test_the_client_is_killed_at_each_step_of_a_restore(archivist: Archivist) -> None:
    """Before the services move, nothing changed; the next restore ends it either way."""
    effects = effects_of(archivist, "--yes", "backup", "restore")
    seen: set[str] = set()
    for number, effect in enumerate(effects, 1):
        if effect in seen:
            continue
        seen.add(effect)
        archivist.change()
        done, _ = archivist.faulty("after", number, "kill", "--yes", "backup", "restore")
        done.expect(KILLED)
        archivist.expect_serving()
        time.sleep(2)
        archivist.run("--yes", "backup", "restore", "--wait", "60s").expect(0)
        archivist.expect_serving()
        newest = list(archivist.good)[-1]
        assert archivist.sums(archivist.bindings()) == archivist.good[newest]
        archivist.content = archivist.good[newest]
        settled(archivist, "client killed", f"restore, after {effect}", done, KILLED)


def flip(pack: Path) -> None:
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.write_bytes(content)


def truncate(pack: Path) -> None:
    pack.write_bytes(pack.read_bytes()[:-1000])


HARMS: Final[dict[str, Callable[[Path], None]]] = {
    "a bit of a pack flipped": flip,
    "a pack truncated": truncate,
    "a pack deleted": Path.unlink,
}


def largest(directory: Path) -> Path:
    return max((p for p in directory.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)


@contextmanager
def moved(directory: Path) -> Iterator[None]:
    """While the block runs, a directory is somewhere else."""
    elsewhere = directory.with_name(f"{directory.name}-away")
    directory.rename(elsewhere)
    try:
        yield
    finally:
        elsewhere.rename(directory)
