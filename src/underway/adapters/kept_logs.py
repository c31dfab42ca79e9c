"""`image.testing.means.LogKeeper`: a directory of this run of tests, readable by its user only.

It stands where programs keep their state (`XDG_STATE_HOME`), and the oldest runs of an app go when
there are many.
"""

import os
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from underway.model.names import AppName
from underway.ports.output import LogLine

_RUNS_KEPT: Final = 20
_PRIVATE: Final = 0o700
_PRIVATE_FILE: Final = 0o600


class DirectoryLogs:
    """`SUITE/SERVICE.log` below a directory; a line that cannot be written is not kept."""

    def __init__(self, directory: Path) -> None:
        """Write below `directory`, which exists."""
        self._directory = directory
        self._guard = threading.Lock()

    @classmethod
    def fresh(cls, app: AppName, run: str, environ: Mapping[str, str]) -> "DirectoryLogs":
        """The directory of a run, made; older runs of the app beyond the newest go."""
        home = environ.get("HOME") or str(Path.home())
        state = environ.get("XDG_STATE_HOME") or f"{home}/.local/state"
        of_app = Path(state) / "underway" / "tests" / app
        directory = of_app / run
        directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        with suppress(OSError):
            runs = sorted(of_app.iterdir(), key=lambda path: path.stat().st_mtime)
            for old in runs[:-_RUNS_KEPT]:
                shutil.rmtree(old, ignore_errors=True)
        return cls(directory)

    @property
    def directory(self) -> str:
        """Where everything stands."""
        return str(self._directory)

    def line(self, suite: str, service: str, line: LogLine) -> None:
        """Append one line to its container's file."""
        stream = "stderr" if line.is_stderr else "stdout"
        self._append(suite, f"{service}.log", f"{line.time} {stream} {line.text}\n", is_whole=False)

    def document(self, suite: str, name: str, text: str) -> None:
        """Write a whole file."""
        self._append(suite, name, text, is_whole=True)

    def _append(self, suite: str, name: str, text: str, *, is_whole: bool) -> None:
        with self._guard, suppress(OSError):
            place = self._directory / suite
            place.mkdir(mode=_PRIVATE, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if is_whole else os.O_APPEND)
            with os.fdopen(os.open(place / name, flags, _PRIVATE_FILE), "wb") as file:
                file.write(text.encode("utf-8", "replace"))
