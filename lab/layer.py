"""Image layers from directory trees: the same content gives the same bytes."""

import gzip
import hashlib
import json
import os
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, cast

from lab.layout import cache_root
from lab.lock import exclusive

_EPOCH = 1_735_689_600  # 2025-01-01: the time of everything that the build itself wrote
_LEVEL = 4
FORMAT = "2"  # counts changes of how a layer is packed
_EMPTIED = ("proc", "sys", "dev", "run", "tmp", "var/tmp", "var/log", "var/cache/apt")
_ALSO_EMPTIED = ("var/lib/apt/lists", "var/cache/debconf")
_LEFT_OUT = frozenset(
    ("etc/resolv.conf", "etc/hostname", "etc/hosts", "etc/machine-id", "var/cache/ldconfig")
)
_OPAQUE = "trusted.overlay.opaque"


@dataclass(frozen=True, slots=True)
class Layer:
    """A compressed layer: digest of the file, digest of the tar inside, size in bytes."""

    digest: str
    diff_id: str
    size_bytes: int
    file: str


def layer_of(tree: Path, *, key: str, built_since: float) -> Layer:
    """Return the layer that holds a tree, packed at first use and cached under `key`.

    What is younger than `built_since` (seconds since the epoch) was written by the build itself,
    and gets a fixed time.
    """
    directory = cache_root() / "blobs"
    stem = f"{key}-{FORMAT}"
    description = directory / f"{stem}.json"
    with exclusive(f"blob-{stem}"):
        if not description.exists():
            directory.mkdir(parents=True, exist_ok=True)
            layer = _pack(tree, directory / f"{stem}.tar.gz", built_since=built_since)
            partial = description.with_suffix(".partial")
            partial.write_text(json.dumps(asdict(layer)))
            partial.rename(description)
    return Layer(**json.loads(description.read_text()))


class _Hashing:
    """A writable stream that passes bytes on and hashes them."""

    def __init__(self, target: IO[bytes]) -> None:
        self.target = target
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        return self.target.write(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self.sha256.hexdigest()}"


def _pack(tree: Path, file: Path, *, built_since: float) -> Layer:
    with file.open("wb") as raw:
        outer = _Hashing(raw)
        with gzip.GzipFile("", "wb", _LEVEL, cast("IO[bytes]", outer), mtime=0) as packed:
            inner = _Hashing(cast("IO[bytes]", packed))
            stream = cast("IO[bytes]", inner)
            with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
                for path in _walk(tree):
                    _add(archive, tree, path, built_since=built_since)
    return Layer(outer.digest, inner.digest, file.stat().st_size, str(file))


def _walk(tree: Path) -> Iterator[Path]:
    """Yield everything that belongs into the layer, parents first, sorted."""
    for directory, subdirectories, files in os.walk(tree):
        here = Path(directory)
        inside = here.relative_to(tree).as_posix()
        if inside in (*_EMPTIED, *_ALSO_EMPTIED):
            subdirectories.clear()
            continue
        subdirectories.sort()
        names = sorted([*subdirectories, *files])
        for name in names:
            path = here / name
            if path.relative_to(tree).as_posix() not in _LEFT_OUT:
                yield path
        subdirectories[:] = [
            name
            for name in subdirectories
            if (here / name).relative_to(tree).as_posix() not in _LEFT_OUT
        ]


def _add(archive: tarfile.TarFile, tree: Path, path: Path, *, built_since: float) -> None:
    """Add one entry; overlayfs marks of deletion become those of image layers."""
    status = path.lstat()
    name = path.relative_to(tree).as_posix()
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
        archive.addfile(_blank(str(Path(name).with_name(f".wh.{path.name}"))))
        return
    if stat.S_ISSOCK(status.st_mode):
        return
    entry = archive.gettarinfo(str(path), arcname=name)
    entry.uname = entry.gname = ""
    entry.mtime = _EPOCH if status.st_mtime >= built_since else int(status.st_mtime)
    if entry.isreg():
        with path.open("rb") as content:
            archive.addfile(entry, content)
    else:
        archive.addfile(entry)
    if entry.isdir() and _OPAQUE in os.listxattr(path, follow_symlinks=False):
        archive.addfile(_blank(f"{name}/.wh..wh..opq"))


def _blank(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.mtime = _EPOCH
    return entry
