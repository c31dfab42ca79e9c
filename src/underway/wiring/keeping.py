"""What this machine keeps of runs, and bundles of it."""

import io
import os
import tarfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from underway.adapters.run_journal import RunJournal, journal_directory, kept_lines
from underway.model.names import AppName
from underway.model.release import RunRecord
from underway.ports import EventSink
from underway.report.amounts import moment_of
from underway.report.json_lines import encode_event
from underway.wiring.options import SessionOptions


def journalled(options: SessionOptions, sink: EventSink) -> RunJournal:
    """A sink that keeps what runs tell on its way to `sink`."""
    return RunJournal(journal_directory(options.environ), sink, encode_event)


def kept_events(options: SessionOptions, app: AppName) -> Callable[[RunRecord], Sequence[str]]:
    """Finds the events of a run that this machine kept, as JSON lines."""

    def find(run: RunRecord) -> Sequence[str]:
        started_s = moment_of(run.started_at) or 0.0
        return kept_lines(journal_directory(options.environ), app, run, started_s)

    return find


def write_bundle(path: Path, name: str, files: Iterable[tuple[str, str]]) -> None:
    """Write a .tar.gz of files below a directory `name`, for its owner's eyes; raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with (
        os.fdopen(os.open(path, flags, 0o600), "wb") as file,
        tarfile.open(fileobj=file, mode="w:gz") as archive,
    ):
        for entry, text in files:
            data = text.encode("utf-8", "replace")
            member = tarfile.TarInfo(f"{name}/{entry}")
            member.size, member.mode = len(data), 0o600
            archive.addfile(member, io.BytesIO(data))
