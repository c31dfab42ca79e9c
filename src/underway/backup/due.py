"""What a schedule asks of backups now: which are due, which are late. Pure.

Invariant: something is due once, however many of its moments were missed. A point whose
verification failed is no backup: the next one is due as if it had never been made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from underway.model.backup import BackupPolicy
from underway.model.names import VolumeName
from underway.model.restore_point import PointSummary
from underway.model.schedule import Schedule, next_due

LATE_S: Final = 2 * 3600.0
"""How long after its moment something that was not done is overdue."""


class Standing(StrEnum):
    """How something scheduled stands; the last three are alarms."""

    ON_TIME = "on-time"
    DUE = "due"
    OVERDUE = "overdue"
    UNVERIFIED = "unverified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing that a schedule asks for: a volume's backup, or with "" the verification.

    `last` is the RFC 3339 moment of the last good one, "" for none; `due_at` the first moment
    after it, in seconds since the epoch.
    """

    volume: VolumeName
    schedule: Schedule
    last: str
    due_at: float
    standing: Standing
    is_due: bool

    @property
    def is_alarming(self) -> bool:
        """Whether somebody must look."""
        return self.standing not in {Standing.ON_TIME, Standing.DUE}


def is_scheduled(policy: BackupPolicy) -> bool:
    """Whether the file says when anything is to be done."""
    return any((policy.every, policy.verify, *(volume.every for volume in policy.volumes)))


def duties_of(
    policy: BackupPolicy,
    volumes: Sequence[VolumeName],
    points: Sequence[PointSummary],
    now: float,
) -> tuple[Duty, ...]:
    """What is asked for: the backup of each of `volumes`, then the verification."""
    found = []
    for name in sorted(volumes):
        said = policy.volume(name)
        schedule = (said.every if said else None) or policy.every
        if schedule:
            found.append(_backup(name, schedule, points, now))
    if policy.verify and points:
        found.append(_verification(policy.verify, points, now))
    return tuple(found)


def _backup(
    name: VolumeName, schedule: Schedule, points: Sequence[PointSummary], now: float
) -> Duty:
    good = [p.moment for p in points if name in p.volumes and not p.has_failed]
    last = max(good, default="")
    if not last:
        return Duty(name, schedule, "", now, Standing.OVERDUE, is_due=True)
    due_at = next_due(schedule, _seconds(last))
    standing = _standing(due_at, now)
    return Duty(name, schedule, last, due_at, standing, is_due=due_at <= now)


def _verification(schedule: Schedule, points: Sequence[PointSummary], now: float) -> Duty:
    tried = sorted((p.proof for p in points if p.proof), key=lambda proof: proof.moment)
    since = tried[-1].moment if tried else min(point.moment for point in points)
    due_at = next_due(schedule, _seconds(since))
    standing = _standing(due_at, now)
    if standing is Standing.OVERDUE:
        standing = Standing.UNVERIFIED
    if tried and not tried[-1].has_passed:
        standing = Standing.FAILED
    last = max((proof.moment for proof in tried if proof.has_passed), default="")
    return Duty(VolumeName(""), schedule, last, due_at, standing, is_due=due_at <= now)


def _standing(due_at: float, now: float) -> Standing:
    if due_at + LATE_S < now:
        return Standing.OVERDUE
    return Standing.DUE if due_at <= now else Standing.ON_TIME


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
