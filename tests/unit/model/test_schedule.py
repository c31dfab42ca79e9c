"""The moments of a schedule, also on the days on which the clock is set."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from underway.model.schedule import Schedule, next_due

BERLIN = "Europe/Berlin"


def moments(schedule: Schedule, first: str, days: int) -> list[str]:
    """All moments in some days, in UTC."""
    after = datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(schedule.zone)).timestamp()
    end = after + timedelta(days=days).total_seconds()
    found = []
    while (after := next_due(schedule, after)) < end:
        found.append(datetime.fromtimestamp(after, UTC).strftime("%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("expression", "first", "expected"),
    [
        # 02:30 does not exist on the 29th: it is 03:00 summer time then.
        ("30 2 * * *", "2026-03-28T00:00", ["28 01:30", "29 01:00", "30 00:30"]),
        # 02:30 comes twice on the 25th: the first one counts.
        ("30 2 * * *", "2026-10-24T00:00", ["24 00:30", "25 00:30", "26 01:30"]),
        ("0 */12 * * *", "2026-10-24T01:00", ["24 10:00", "24 22:00", "25 11:00", "25 23:00"]),
    ],
)
def test_each_time_of_day_comes_once(expression: str, first: str, expected: list[str]) -> None:
    assert moments(Schedule(expression, BERLIN), first, 3)[: len(expected)] == expected


@pytest.mark.parametrize("minutes", range(0, 26 * 60, 15))
def test_from_every_moment_of_a_day_the_next_is_later_and_within_a_day(minutes: int) -> None:
    for day in ("2026-03-28T23:00", "2026-10-24T22:00"):
        after = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() + minutes * 60
        due = next_due(Schedule("30 2 * * *", BERLIN), after)
        assert after < due <= after + 25 * 3600


def test_a_zone_moves_the_moment() -> None:
    assert moments(Schedule("0 3 * * 1", "Asia/Tokyo"), "2026-12-01T00:00", 14) == [
        "06 18:00",
        "13 18:00",
    ]


@pytest.mark.parametrize("expression", ["0 3 31 2 *", "61 * * * *", "a b c d e"])
def test_what_never_comes_is_none(expression: str) -> None:
    with pytest.raises(ValueError, match="Bad"):
        next_due(Schedule(expression), 0)
