"""Runs in a container: fills /volume, or changes a part of what is there. Standard library only.

    fill.py fill | files | pages

`fill` makes 2 GiB: 30,000 small files, six large ones, and a database file, half of which shrinks
to next to nothing. `files` rewrites 1 % of the small files and 1 % of a large one. `pages` writes
1 % of the database's pages, anywhere in it.
"""

import os
import random
import sys
from pathlib import Path

VOLUME = Path("/volume")
MIB = 1024 * 1024
SMALL, SMALL_BYTES, PER_DIRECTORY = 30_000, 20_480, 300
LARGE, LARGE_MIB = 6, 180
DATABASE_MIB = 380
PAGE = 8192
DENSITY = 0.55


def content(size: int) -> bytes:
    """Bytes of which a little more than half cannot be made smaller."""
    dense = int(size * DENSITY)
    line = b"the quick brown fox jumps over the lazy dog %d\n" % random.getrandbits(64)
    return os.urandom(dense) + (line * (size // len(line) + 1))[: size - dense]


def small(number: int) -> Path:
    """Where a small file is."""
    return VOLUME / f"small/{number // PER_DIRECTORY}/{number}.bin"


def fill() -> None:
    """Everything, new."""
    for number in range(SMALL):
        path = small(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(SMALL_BYTES))
    for number in range(LARGE):
        write(VOLUME / f"large-{number}", LARGE_MIB)
    write(VOLUME / "database", DATABASE_MIB)


def write(path: Path, mib: int) -> None:
    """One large file."""
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(content(MIB))


def files() -> None:
    """1 % of the files, whole, and of a large file one stretch."""
    for number in random.sample(range(SMALL), SMALL // 100):
        small(number).write_bytes(content(SMALL_BYTES))
    stretch = LARGE * LARGE_MIB // 100
    with (VOLUME / "large-0").open("r+b") as file:
        file.seek(random.randrange(LARGE_MIB - stretch) * MIB)  # noqa: S311 - a benchmark
        file.write(content(stretch * MIB))


def pages() -> None:
    """1 % of the database's pages."""
    count = DATABASE_MIB * MIB // PAGE
    with (VOLUME / "database").open("r+b") as file:
        for number in random.sample(range(count), count // 100):
            file.seek(number * PAGE)
            file.write(content(PAGE))


{"fill": fill, "files": files, "pages": pages}[sys.argv[1]]()
os.sync()
