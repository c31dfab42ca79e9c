"""The sealed files under one directory: `files/ab/<id>`, drafts in `incoming/<id>`.

A draft becomes a file by fsync, rename, fsync of the folder, and only then does its row in the
database make it visible. A process that dies in between leaves at most a draft or a file without
a row, never a row without a file. All calls block; the web side runs them in threads.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from libra.sealing import Keyring, Sealer, unseal


class MissingFileError(Exception):
    """No file of this id stands in the directory."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What is known about a file once it stands on the disk."""

    size_bytes: int
    sha256: bytes


class Draft:
    """One upload on its way: `write` repeatedly, then `keep`, or `discard`."""

    def __init__(self, path: Path, final: Path, sealer: Sealer) -> None:
        self._path = path
        self._final = final
        self._sealer = sealer
        self._digest = hashlib.sha256()
        self._size_bytes = 0
        self._file = path.open("xb")
        self._file.write(sealer.header)

    def write(self, data: bytes) -> None:
        """Seal plain bytes into the draft."""
        self._digest.update(data)
        self._size_bytes += len(data)
        self._file.write(self._sealer.update(data))

    def keep(self) -> StoredFile:
        """Make the draft a file that survives a power cut."""
        self._file.write(self._sealer.finish())
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if not self._final.parent.is_dir():
            self._final.parent.mkdir(exist_ok=True)
            _sync_folder(self._final.parent.parent)
        self._path.rename(self._final)
        _sync_folder(self._final.parent)
        return StoredFile(size_bytes=self._size_bytes, sha256=self._digest.digest())

    def discard(self) -> None:
        """Leave nothing behind, whether kept or not."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._final.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class FileStore:
    """The directory that holds every sealed file."""

    root: Path
    keyring: Keyring

    def prepare(self) -> None:
        """Make the two folders; the root itself must exist, or a missing mount would pass."""
        for folder in (self._files, self._incoming):
            folder.mkdir(exist_ok=True)

    def probe(self) -> None:
        """Write, read back and remove a few bytes; raises OSError."""
        self.prepare()
        path = self._incoming / f"probe-{uuid4().hex}"
        try:
            path.write_bytes(b"writable")
            if path.read_bytes() != b"writable":
                raise OSError(f"{path} does not hold what was written")
        finally:
            path.unlink(missing_ok=True)

    def draft(self, file_id: UUID) -> Draft:
        """Begin to store a file; raises OSError."""
        self.prepare()
        return Draft(self._draft_path(file_id), self.path(file_id), Sealer(self.keyring, file_id))

    def read(self, file_id: UUID) -> Iterator[bytes]:
        """Yield a file's plain bytes; raises MissingFileError, DamagedFileError, OSError."""
        try:
            source = self.path(file_id).open("rb")
        except FileNotFoundError as error:
            raise MissingFileError(str(file_id)) from error
        with source:
            yield from unseal(source, self.keyring, file_id)

    def path(self, file_id: UUID) -> Path:
        """Say where a file stands."""
        return self._files / file_id.hex[:2] / file_id.hex

    def stored_ids(self, *, min_age_s: float) -> Iterator[UUID]:
        """Yield the ids of files and drafts not touched for `min_age_s` seconds."""
        limit = time.time() - min_age_s
        paths = [*self._files.glob("??/" + "?" * 32), *self._incoming.glob("?" * 32)]
        for path in sorted(paths):
            file_id = UUID(hex=path.name)
            is_ours = path in {self.path(file_id), self._draft_path(file_id)}
            if is_ours and path.stat().st_mtime <= limit:
                yield file_id

    def remove(self, file_id: UUID) -> None:
        """Remove a file or draft that no row names."""
        self.path(file_id).unlink(missing_ok=True)
        self._draft_path(file_id).unlink(missing_ok=True)

    def _draft_path(self, file_id: UUID) -> Path:
        return self._incoming / file_id.hex

    @property
    def _files(self) -> Path:
        return self.root / "files"

    @property
    def _incoming(self) -> Path:
        return self.root / "incoming"


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
