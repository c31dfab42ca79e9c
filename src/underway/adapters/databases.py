"""SQLite databases among plain files, copied and checked by `backup-sqlite` in a sidecar."""

import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from underway.adapters.sidecar import JobResult, Sidecar
from underway.errors import EngineError, IntegrityError, StepFailedError, UnderwayError
from underway.ports.backup import BytesProgress

STAGE: Final = "/scratch/sqlite"
"""Where copies stand below the path that they have in the sidecar."""
_UNSOUND: Final = 74


def staged_databases(
    sidecar: Sidecar, directories: Sequence[str], progress: BytesProgress | None = None
) -> tuple[tuple[str, int], ...]:
    """Copy what databases there are; their paths, percent-encoded, and sizes in bytes.

    Raises StepFailedError `backup-sqlite-failed`.
    """
    result, found = _run(sidecar, "take", directories, progress)
    if result.exit_code == _UNSOUND:
        path, why = _refused(result)
        raise StepFailedError(
            "backup-sqlite-failed",
            f"{sidecar.host}: the SQLite database {path} cannot be copied",
            cause=why,
            hint="mend it (sqlite3 FILE .recover), or declare `consistency: pause` for its volume: "
            "its files are copied as they are then, while every writer stands still",
        )
    if result.exit_code:
        raise _failed(sidecar, result)
    return tuple(sorted(found))


def check_databases(sidecar: Sidecar, directory: str) -> None:
    """Have SQLite check all databases below a directory; IntegrityError `backup-damaged`."""
    result, _ = _run(sidecar, "check", (directory,), None)
    if result.exit_code == _UNSOUND:
        path, why = _refused(result)
        raise IntegrityError(
            "backup-damaged",
            f"{sidecar.host}: the restored database {path} is damaged",
            cause=why,
            hint="the data that serves was not touched; take another point",
        )
    if result.exit_code:
        raise _failed(sidecar, result)


def _run(
    sidecar: Sidecar, what: str, directories: Sequence[str], progress: BytesProgress | None
) -> tuple[JobResult, list[tuple[str, int]]]:
    found: list[tuple[str, int]] = []

    def take(line: bytes) -> None:
        if line.startswith(b"{"):
            said = json.loads(line)
            found.append((str(said["path"]), int(said["bytes"])))
        if progress is not None:
            size = float(sum(size for _, size in found))
            progress(size, 0, "")

    script = " ".join(("backup-sqlite", what, *directories))
    return sidecar.run(f"UNDERWAY_SQLITE={STAGE} {script}", take), found


def _refused(result: JobResult) -> tuple[str, str]:
    path, _, why = result.errors[-1].partition(": ")
    return unquote(path.removeprefix("/volumes/"), errors="backslashreplace"), why.strip()


def _failed(sidecar: Sidecar, result: JobResult) -> UnderwayError:
    text = "\n".join(result.errors)
    if "No space left" in text or "database or disk is full" in text:
        return EngineError(
            "no-space",
            f"{sidecar.host}: no space left for copies of SQLite databases",
            hint="free space where the engine keeps its volumes: each copy stands there a moment",
        )
    return StepFailedError(
        "backup-store-failed",
        f"{sidecar.host}: the search for SQLite databases ended with {result.exit_code}",
        hint="nothing false is listed; run it again when the cause is gone",
        detail=result.errors[-5:],
    )
