"""`every` as a schedule: `03:00`, `03:00 Europe/Berlin`, a cron expression with or without zone."""

import re
from typing import Final
from zoneinfo import ZoneInfo

from underway.compose.notebook import refuse
from underway.model.schedule import Schedule, next_due

_TIME: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_FIELDS: Final = 5


def schedule_of(text: str, place: str) -> Schedule:
    """The schedule that `every` says; ConfigurationError `schedule-invalid` with its place."""
    words = text.split()
    time = _TIME.fullmatch(words[0]) if words else None
    count = 1 if time else _FIELDS
    if not count <= len(words) <= count + 1:
        _refuse(text, "it has neither a time such as 03:00 nor the five fields of cron", place)
    expression = f"{int(time[2])} {int(time[1])} * * *" if time else " ".join(words[:count])
    zone = words[count] if len(words) > count else "UTC"
    schedule = Schedule(expression, zone, " ".join(words))
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        _refuse(text, f"`{zone}` is no time zone that this machine knows", place)
    try:
        next_due(schedule, 0.0)
    except ValueError as error:
        _refuse(text, str(error), place)
    return schedule


def _refuse(text: str, cause: str, place: str) -> None:
    refuse(
        "schedule-invalid",
        f"`{text}` is no schedule",
        cause=cause,
        place=place,
        hint='Write a time (`"03:00"`) or a cron expression (`"0 3 * * 1"`), and a zone after it'
        " where it is not UTC (`03:00 Europe/Berlin`).",
    )
