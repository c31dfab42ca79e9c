"""Runs in containers: writes for ever what contradicts itself when it is torn, and checks copies.

    writers.py write|check twins|mapped|wal|journal DIRECTORY

Standard library only. `check` prints `sound` or what contradicts.

twins: two files, written piece after piece with a growing number. At any moment all pieces up to
    one bear a number and all after it the number before.
mapped: the same through a memory map, page after page: no time stamp moves.
wal, journal: SQLite; each transaction moves money between all accounts and counts itself.
"""

import mmap
import sqlite3
import struct
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

PIECE = 64 * 1024
PAGE = 4096
SIZE = 32 * 1024 * 1024
REST_S = 0.02
ACCOUNTS = 500
BALANCE = 100
NUMBER = struct.Struct("<Q")


def write_twins(directory: Path) -> None:
    """Both files anew, for ever."""
    with (directory / "a").open("wb") as first, (directory / "b").open("wb") as second:
        number = 0
        while True:
            number += 1
            for file in (first, second):
                file.seek(0)
                for _ in range(SIZE // PIECE):
                    file.write(NUMBER.pack(number) * (PIECE // NUMBER.size))
                file.flush()
            time.sleep(REST_S)


def check_twins(directory: Path) -> str:
    """All numbers of both files, in the order in which they are written."""
    numbers: list[int] = []
    for name in ("a", "b"):
        content = (directory / name).read_bytes()
        numbers += [number for (number,) in NUMBER.iter_unpack(content)]
    return ordered(numbers, 2 * SIZE // NUMBER.size)


def write_mapped(directory: Path) -> None:
    """Each page of one file anew, for ever."""
    path = directory / "pages"
    with path.open("wb") as made:
        made.truncate(SIZE)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), SIZE) as pages:
        number = 0
        while True:
            number += 1
            for page in range(SIZE // PAGE):
                NUMBER.pack_into(pages, page * PAGE, number)
            time.sleep(REST_S)


def check_mapped(directory: Path) -> str:
    """The number of each page, in order."""
    content = (directory / "pages").read_bytes()
    numbers = [NUMBER.unpack_from(content, page)[0] for page in range(0, len(content), PAGE)]
    return ordered(numbers, SIZE // PAGE)


def ordered(numbers: list[int], count: int) -> str:
    """Whether all bear a number up to some place and the one before from there on."""
    if len(numbers) != count:
        return f"{len(numbers)} numbers of {count}"
    if numbers[0] - numbers[-1] not in (0, 1):
        return f"begins with {numbers[0]}, ends with {numbers[-1]}"
    steps = sum(before != after for before, after in pairwise(numbers))
    return "sound" if steps == numbers[0] - numbers[-1] else f"{steps} changes of the number"


def write_database(directory: Path, mode: str) -> None:
    """Transactions for ever."""
    bank = sqlite3.connect(directory / "bank.db", timeout=60, isolation_level=None)
    bank.execute(f"pragma journal_mode={mode}")
    bank.execute("create table if not exists accounts(id integer primary key, n, text)")
    bank.execute("create table if not exists turns(id integer primary key)")
    rows = [(number, BALANCE, "x" * 1000) for number in range(ACCOUNTS)]
    bank.executemany("insert or ignore into accounts values (?, ?, ?)", rows)
    while True:
        bank.execute("begin immediate")
        bank.execute("update accounts set n = n + case when id % 2 then 1 else -1 end")
        bank.execute("insert into turns default values")
        bank.execute("commit")
        time.sleep(REST_S)


def check_database(directory: Path) -> str:
    """What SQLite says of the copy, and whether the accounts agree with the count of turns."""
    try:
        return "; ".join(contradictions(directory / "bank.db")) or "sound"
    except sqlite3.DatabaseError as error:
        return str(error)


def contradictions(path: Path) -> Iterator[str]:
    """Each thing that is wrong with a copy."""
    bank = sqlite3.connect(path, timeout=10, isolation_level=None)
    verdict = bank.execute("pragma integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        yield str(verdict)
    (turns,) = bank.execute("select count(*) from turns").fetchone()
    if not turns:
        yield "no turn was made"
    wrong = "select count(*) from accounts where n <> ? + case when id % 2 then ? else -? end"
    (count,) = bank.execute(wrong, (BALANCE, turns, turns)).fetchone()
    if count:
        yield f"{count} accounts disagree with {turns} turns"


def main() -> None:
    """Write for ever, or say what a copy is."""
    what, kind, directory = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    if what == "check":
        checks = {"twins": check_twins, "mapped": check_mapped}
        sys.stdout.write(checks.get(kind, check_database)(directory))
    elif kind == "twins":
        write_twins(directory)
    elif kind == "mapped":
        write_mapped(directory)
    else:
        write_database(directory, {"wal": "wal", "journal": "delete"}[kind])


if __name__ == "__main__":
    main()
