"""`backup-sqlite` takes sound copies while applications write, from what it cannot write to."""

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.contract.edge.place import SCRIPTS

pytestmark = pytest.mark.skipif(
    not shutil.which("sqlite3"), reason="the tools image has sqlite3, this machine has not"
)
MODES = {"log.db": "wal", "in here/odd*[x]\n.sqlite": "delete"}
ENOUGH = 100
BEGUN = """
import os, sqlite3, sys
one = sqlite3.connect(sys.argv[1])
one.executescript(sys.argv[2] + "; create table t(x)")
one.executemany("insert into t values (randomblob(1000))", [()] * 500)
one.commit()
if sys.argv[3]:
    one.execute("pragma cache_size=5")
    one.execute(sys.argv[3])
os._exit(1)
"""


def taken(root: Path, stage: Path, what: str = "take") -> subprocess.CompletedProcess[str]:
    """The script over a directory that is mounted for reading only."""
    script = f"mount --bind '{root}' '{root}' && mount -o remount,ro,bind '{root}' && exec "
    settings = {"UNDERWAY_SQLITE": str(stage), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"{script}{SCRIPTS / 'backup-sqlite'} {what} '{root}'"],
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_copies_are_sound_while_databases_are_written(tmp_path: Path) -> None:
    root, stage = tmp_path / "volume", tmp_path / "stage"
    (root / "in here").mkdir(parents=True)
    with written(root) as counts:
        acknowledged = dict(counts)
        done = taken(root, stage)
    assert done.returncode == 0, done.stderr
    told = {json.loads(line)["path"] for line in done.stdout.splitlines()}
    assert told == {quote(str(root / name), safe="/") for name in MODES}
    for name, mode in MODES.items():
        with closing(sqlite3.connect(f"{stage}{root / name}")) as copy:
            (rows,) = copy.execute("select count(*) from rows").fetchone()
            assert copy.execute("select n from total").fetchone() == (rows,)
            assert rows >= acknowledged[name], "what was acknowledged before is in it"
            assert copy.execute("pragma journal_mode").fetchone() == (mode,)
        assert (Path(f"{stage}{root / name}").stat().st_mode & 0o777) == 0o640


@contextmanager
def written(root: Path) -> Iterator[dict[str, int]]:
    """Databases in both journal modes, each written by a thread; the number of transactions."""
    counts = dict.fromkeys(MODES, 0)
    stop = threading.Event()

    def write(name: str, mode: str) -> None:
        with closing(sqlite3.connect(root / name, timeout=60, isolation_level=None)) as one:
            one.execute(f"pragma journal_mode={mode}")
            one.executescript(
                "create table rows(x); create table total(n); insert into total values (0)"
            )
            (root / name).chmod(0o640)
            while not stop.is_set():
                one.executescript(
                    "begin immediate; insert into rows values (randomblob(400));"
                    "update total set n = n + 1; commit"
                )
                counts[name] += 1

    threads = [threading.Thread(target=write, args=pair) for pair in MODES.items()]
    for thread in threads:
        thread.start()
    try:
        while min(counts.values()) < ENOUGH:
            assert all(thread.is_alive() for thread in threads)
        yield counts
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("pragma journal_mode=wal", ""),
        ("pragma journal_mode=delete", "update t set x = randomblob(1001)"),
    ],
    ids=["a log that nobody holds", "a transaction that nobody ends"],
)
def test_what_a_killed_application_left_is_copied_as_it_would_find_it(
    tmp_path: Path, before: str, after: str
) -> None:
    root, stage = tmp_path / "volume", tmp_path / "stage"
    root.mkdir()
    argv = [sys.executable, "-c", BEGUN, str(root / "left.db"), before, after]
    subprocess.run(argv, check=False)
    assert len(list(root.iterdir())) > 1, "it left more than the database"
    done = taken(root, stage)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(f"{stage}{root}/left.db")) as copy:
        assert copy.execute("select count(*), sum(length(x)) from t").fetchone() == (500, 500_000)


def test_a_damaged_database_is_named_and_nothing_passes_for_a_copy(tmp_path: Path) -> None:
    root, stage = tmp_path / "volume", tmp_path / "stage"
    root.mkdir()
    with closing(sqlite3.connect(root / "sound.db")) as one:
        one.executescript("create table t(x); insert into t values (hex(randomblob(9000)))")
    content = bytearray((root / "sound.db").read_bytes())
    content[4096:8192] = b"\xee" * 4096
    (root / "bad.db").write_bytes(content)
    for what in ("take", "check"):
        done = taken(root, stage, what)
        assert done.returncode == 74, done.stdout + done.stderr
        assert done.stderr.startswith(f"{root}/bad.db: ")
