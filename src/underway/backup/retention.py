"""Which restore points stay: pure, over complete points only.

Invariant: what is forgotten is never among the newest `floor` sound points nor the newest proven
one, and every rule keeps the newest point of each of the last periods that have one: when backups
stopped for a year, the rules still keep what there is, and age alone removes nothing. A point whose
verification failed counts for no rule, so that it never takes the place of one that restores; it
goes only where `floor` others stay.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from underway.model.backup import BackupPolicy, KeepRule
from underway.model.names import VolumeName
from underway.model.restore_point import PointId, PointSummary

SHRUNK = 0.5
"""A point with less than this share of the one before it is doubtful."""


@dataclass(frozen=True, slots=True)
class Retention:
    """What stays and what goes. `reasons` tell for each kept point which rules keep it.

    `held` says why nothing goes this time, or "".
    """

    keep: tuple[PointId, ...]
    forget: tuple[PointId, ...]
    reasons: tuple[tuple[PointId, tuple[str, ...]], ...]
    held: str = ""


def rules_of(policy: BackupPolicy) -> tuple[tuple[VolumeName | None, KeepRule], ...]:
    """The app's own rule, and those of volumes, which count the points that hold the volume."""
    own = [(volume.volume, volume.keep) for volume in policy.volumes if volume.keep]
    return ((None, policy.keep), *own)


def plan_retention(
    points: Sequence[PointSummary],
    rules: Sequence[tuple[VolumeName | None, KeepRule]],
    *,
    releases: Collection[int] = (),
    is_forced: bool = False,
) -> Retention:
    """Which of the complete `points` stay: those that any of the rules keeps.

    The newest sound point of each of `releases` stays, too: going back to one of them past a
    migration needs the data that it wrote.

    Where one of the newest shrank by half, nothing goes unless `is_forced`: what is wrong with it
    may be right in the one that would be forgotten. That ends when `floor` points are newer than
    the fall.
    """
    newest = sorted(points, key=lambda point: (point.moment, point.point), reverse=True)
    reasons: dict[PointId, list[str]] = {point.point: [] for point in newest}
    for volume, rule in rules:
        held_by = [point for point in newest if volume is None or volume in point.volumes]
        for name, chosen in _kept(held_by, rule).items():
            for point in chosen:
                reasons[point.point].append(f"{volume}: {name}" if volume else name)
    for point in _last_of(newest, releases):
        reasons[point.point].append(f"release {point.release}")
    keep = tuple(point.point for point in newest if reasons[point.point])
    forget = tuple(point.point for point in newest if not reasons[point.point])
    told = tuple((point, tuple(reasons[point])) for point in keep)
    floor = max((rule.floor for _, rule in rules), default=0)
    held = "" if is_forced or not forget else _doubt(newest[: floor + 1])
    if held:
        return Retention(tuple(reasons), (), told, held)
    return Retention(keep, forget, told)


def _kept(held_by: Sequence[PointSummary], rule: KeepRule) -> dict[str, list[PointSummary]]:
    """What each rule keeps, by the rule's name."""
    newest = [point for point in held_by if not point.has_failed]
    kept = {
        "floor": newest[: rule.floor],
        "last": newest[: rule.last],
        "hourly": _firsts(newest, rule.hourly, lambda at: at.strftime("%Y-%m-%d %H")),
        "daily": _firsts(newest, rule.daily, lambda at: at.strftime("%Y-%m-%d")),
        "weekly": _firsts(newest, rule.weekly, lambda at: at.strftime("%G-%V")),
        "monthly": _firsts(newest, rule.monthly, lambda at: at.strftime("%Y-%m")),
        "yearly": _firsts(newest, rule.yearly, lambda at: at.strftime("%Y")),
        "proven": [point for point in newest if point.is_proven][:1],
    }
    if rule.within_s and newest:
        since = _moment(newest[0]) - timedelta(seconds=rule.within_s)
        kept["within"] = [point for point in newest if _moment(point) >= since]
    if len(newest) < rule.floor:
        kept["too few sound"] = [point for point in held_by if point.has_failed]
    return kept


def _last_of(newest: Sequence[PointSummary], releases: Collection[int]) -> list[PointSummary]:
    """The newest sound point of each of these releases."""
    found: dict[int, PointSummary] = {}
    for point in newest:
        if point.release in releases and not point.has_failed:
            found.setdefault(point.release, point)
    return list(found.values())


def _firsts(
    newest: Sequence[PointSummary], count: int, period: Callable[[datetime], str]
) -> list[PointSummary]:
    """The newest point of each of the last `count` periods that have one."""
    found: dict[str, PointSummary] = {}
    for point in newest:
        found.setdefault(period(_moment(point)), point)
    return list(found.values())[:count]


def _moment(point: PointSummary) -> datetime:
    return datetime.fromisoformat(point.moment).astimezone(UTC)


def _doubt(newest: Sequence[PointSummary]) -> str:
    """Why one of these is doubtful beside the one before it, or ""."""
    for last, before in pairwise(newest):
        if set(last.volumes) != set(before.volumes):
            continue
        for name, now, then in (
            ("size", last.bytes, before.bytes),
            ("number of files", last.entries, before.entries),
        ):
            if now < then * SHRUNK:
                return f"the {name} of {last.point} is less than half of {before.point}'s"
    return ""
