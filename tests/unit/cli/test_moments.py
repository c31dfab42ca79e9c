"""A moment is what a person means by it."""

from datetime import datetime

import pytest

from underway.cli.moments import spoken_moment

NOW = datetime(2026, 3, 1, 12, 30, 15)  # noqa: DTZ001 - local, as people say it


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("yesterday 18:00", "2026-02-28T18:00:00"),
        ("Yesterday 7:05", "2026-02-28T07:05:00"),
        ("yesterday", "2026-02-28T12:30:15"),
        ("today 18:00", "2026-03-01T18:00:00"),
        ("9:00", "2026-03-01T09:00:00"),
        ("18:00", "2026-02-28T18:00:00"),
        ("2026-01-31 08:00", "2026-01-31T08:00:00"),
        ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00+00:00"),
        ("2026-01-31", "2026-01-31T00:00:00"),
    ],
)
def test_what_people_say(text: str, moment: str):
    assert spoken_moment(text, NOW) == datetime.fromisoformat(moment)


@pytest.mark.parametrize("text", ["", "soon", "25:00", "yesterday noon", "today18", "1:2", "10m"])
def test_what_is_no_moment(text: str):
    assert spoken_moment(text, NOW) is None
