"""What runs told, kept on the machine that ran them: one file of JSON lines per run.

Files stand in this user's state directory, readable by their owner alone; the oldest go. Nothing
depends on them: a bug report tells more where they are there.
"""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from underway.adapters.heads import heads_directory
from underway.model.event import Event, RunFinished, RunStarted
from underway.model.names import AppName
from underway.model.release import RunRecord
from underway.ports import EventSink

_KEPT: Final = 50
_SLACK_S: Final = 2.0
"""A record tells whole seconds, and is written a moment after the run began."""


class RunJournal:
    """A sink that keeps what it hands on, from the moment a run says that it began."""

    def __init__(
        self, directory: Path | None, sink: EventSink, encode: Callable[[Event], bytes]
    ) -> None:
        """Keep runs below `directory` (None keeps nothing), and hand every event to `sink`."""
        self._directory = directory
        self._sink = sink
        self._encode = encode
        self._file: BinaryIO | None = None

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self._sink(event)
        with suppress(OSError):
            if isinstance(event.body, RunStarted) and self._file is None and self._directory:
                self._file = _opened(self._directory / event.body.app, event.run)
            if self._file is not None:
                self._file.write(self._encode(event) + b"\n")
                self._file.flush()
                if isinstance(event.body, RunFinished):
                    self._file.close()
                    self._file = None


def journal_directory(environ: Mapping[str, str]) -> Path | None:
    """Where runs are kept; None where the environment names no place."""
    heads = heads_directory(environ)
    return heads.parent / "runs" if heads else None


def kept_lines(directory: Path | None, app: AppName, run: RunRecord, started_s: float) -> list[str]:
    """What is kept of a run that this machine's user began at `started_s`; [] of another's."""
    if directory is None:
        return []
    with suppress(OSError):
        for path in sorted((directory / app).glob("*.jsonl"), reverse=True):
            lines = path.read_text("utf-8", "replace").splitlines()
            if lines and _is_of(run, started_s, lines):
                return lines
    return []


def _is_of(run: RunRecord, started_s: float, lines: list[str]) -> bool:
    try:
        first, last = json.loads(lines[0]), json.loads(lines[-1])
        is_within = first["time"] - _SLACK_S <= started_s <= last["time"] + _SLACK_S
        told = (first["actor"], first["body"]["command"])
    except (ValueError, KeyError, TypeError):
        return False
    return is_within and told == (run.actor, run.command)


def _opened(directory: Path, run: str) -> BinaryIO:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = sorted(directory.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
    for old in kept[: -_KEPT + 1]:
        old.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.fdopen(os.open(directory / f"{run}.jsonl", flags, 0o600), "ab")
