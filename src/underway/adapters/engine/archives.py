"""Tar archives of the files that travel with a container or into a volume. Pure."""

import io
import tarfile
from collections.abc import Sequence
from typing import Final

from underway.adapters.engine.body import revealed
from underway.model.sensitive import SensitiveValues
from underway.model.spec import FileSpec

_MTIME: Final = 0
"""Equal files give equal archives."""


def archive_of(files: Sequence[FileSpec], values: SensitiveValues) -> bytes:
    """A tar archive to be unpacked at `/`, or at a volume's root.

    Parent directories are not named: the engine makes missing ones and leaves the mode of those
    that exist. Raises IntegrityError for a value that is missing.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file in files:
            content = revealed(values, file.content)
            entry = tarfile.TarInfo(file.target.lstrip("/"))
            entry.size, entry.mode, entry.mtime = len(content), file.mode, _MTIME
            entry.uid, entry.gid = file.uid, file.gid
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
