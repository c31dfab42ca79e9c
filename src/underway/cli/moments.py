"""Moments as people say them. Pure."""

import re
from datetime import datetime, timedelta
from typing import Final

_SPOKEN: Final = re.compile(
    r"(?:(?P<day>today|yesterday)\b *)?(?:(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}))?", re.ASCII
)


def spoken_moment(text: str, now: datetime) -> datetime | None:
    """`yesterday 18:00`, `today 9:00`, `18:00`, `yesterday`, or an ISO time; None for others.

    `now` is local and without a zone, and so is what is said without one. A time of day alone is
    the last one that has passed, `yesterday` alone this time of the day before.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    match = _SPOKEN.fullmatch(text.strip().lower())
    if match is None or not match.group(0):
        return None
    moment = now - timedelta(days=1) if match["day"] == "yesterday" else now
    if match["hour"] is None:
        return moment
    try:
        moment = moment.replace(
            hour=int(match["hour"]), minute=int(match["minute"]), second=0, microsecond=0
        )
    except ValueError:
        return None
    has_passed = match["day"] is not None or moment <= now
    return moment if has_passed else moment - timedelta(days=1)
