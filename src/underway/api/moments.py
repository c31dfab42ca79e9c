"""Moments as records hold them."""

import datetime as dt


def rfc3339(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC."""
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def age_s(since: str, now: float) -> float:
    """Seconds between the RFC 3339 time `since` and `now`; 0 where a clock was set back."""
    return max(0.0, now - dt.datetime.fromisoformat(since).timestamp())
