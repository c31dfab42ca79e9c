"""The schedule of backups as JSON documents."""

from typing import Literal

import msgspec

from underway.report.backup_parts import PointPart, ProofPart


class DutyPart(msgspec.Struct, frozen=True):
    """What the schedule asks for: a volume's backup, or with `volume` "" the verification.

    `every` is as written, `last` the RFC 3339 moment of the last good one or "", `due` that of the
    first moment after it. `standing` is one of on-time, due, overdue, unverified, failed.
    """

    volume: str
    every: str
    last: str
    due: str
    standing: str


class ScheduleDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="backup-schedule"):
    """`underway backup status --json`; `exit_code` is the command's."""

    app: str
    exit_code: int
    duties: tuple[DutyPart, ...]
    newest: PointPart | None
    version: Literal[1] = 1


class TimerDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="timer"):
    """`underway backup timer --json`: `text` is the units or the line, for systemd or cron."""

    timer: str
    text: str
    version: Literal[1] = 1


class ScheduledRunDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="backup-run"):
    """`underway backup run --json`: what was due and is done; null and empty where it was not."""

    app: str
    point: PointPart | None
    forgotten: tuple[str, ...]
    held: str
    proof: ProofPart | None
    version: Literal[1] = 1
