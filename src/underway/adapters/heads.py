"""`ports.heads.Heads`: one small file per app and engine in this user's state directory.

The place follows the XDG base directory specification: `$XDG_STATE_HOME/underway/heads`, by default
below `~/.local/state`. Files are readable by their owner alone and replaced by renaming.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from underway.adapters.decoding import decoded
from underway.model.names import AppName

_VERSION: Final = 1


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    app: str
    engine: str
    head: str


def heads_directory(environ: Mapping[str, str]) -> Path | None:
    """Where heads are kept; None where the environment names no place. Relative ones are invalid.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    state = Path(environ.get("XDG_STATE_HOME", ""))
    home = Path(environ.get("HOME", ""))
    if not state.is_absolute():
        if not home.is_absolute():
            return None
        state = home / ".local" / "state"
    return state / "underway" / "heads"


class StateHeads:
    """Heads as files. `note` is told, once, why something cannot be remembered or recalled."""

    def __init__(self, directory: Path | None, note: Callable[[str], None]) -> None:
        """Keep heads below `directory`; None remembers nothing."""
        self._directory = directory
        self._note = note
        self._has_noted = False
        self._kept: dict[tuple[AppName, str], str] = {}

    def recall(self, app: AppName) -> Mapping[str, str]:
        """The heads of an app's ledgers, by engine id; files that cannot be read are left out."""
        if self._directory is None:
            self._complain("neither XDG_STATE_HOME nor HOME names a directory")
            return {}
        found: dict[str, str] = {}
        try:
            paths = sorted((self._directory / app).glob("*.json"))
        except OSError as error:
            self._complain(_why(error))
            return {}
        for path in paths:
            try:
                held = decoded(path.read_bytes(), _Head)
            except FileNotFoundError:
                continue  # another client forgot it meanwhile
            except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
                self._complain(f"{path}: {_why(error)}")
                continue
            if held.version == _VERSION and held.app == app:
                found[held.engine] = held.head
        return found

    def remember(self, app: AppName, engine: str, head: str) -> None:
        """Keep the head of the app's ledger on an engine."""
        if self._directory is None or self._kept.get((app, engine)) == head:
            return
        content = msgspec.json.encode(_Head(_VERSION, app, engine, head)) + b"\n"
        try:
            _replace(self._path(self._directory, app, engine), content)
        except OSError as error:
            self._complain(_why(error))
        else:
            self._kept[app, engine] = head

    def forget(self, app: AppName, engine: str) -> None:
        """The app was taken off the engine."""
        self._kept.pop((app, engine), None)
        if self._directory is None:
            return
        try:
            self._path(self._directory, app, engine).unlink(missing_ok=True)
        except OSError as error:
            self._complain(_why(error))

    def _path(self, directory: Path, app: AppName, engine: str) -> Path:
        """An engine chooses its own id: it must not choose a path."""
        return directory / app / f"{hashlib.sha256(engine.encode()).hexdigest()[:32]}.json"

    def _complain(self, why: str) -> None:
        if not self._has_noted:
            self._has_noted = True
            self._note(f"this machine cannot remember the app's history: {why}")


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
