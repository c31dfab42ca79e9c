"""How amounts are written for people: durations, ages, sizes, counts. Pure."""

from datetime import UTC, datetime
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400
_TENTH_LIMIT_S: Final = 10
_KILO: Final = 1024


def duration_text(seconds: float) -> str:
    """`4.2s`, `42s`, `3m 05s`, `2h 10m`, `3d 4h`."""
    if seconds < _TENTH_LIMIT_S:
        return f"{max(seconds, 0):.1f}s"
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE:02d}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE:02d}m"
    return f"{whole // _DAY}d {whole % _DAY // _HOUR}h"


def age_text(since: str, now: float) -> str:
    """How long ago the RFC 3339 time `since` was; "" where it is none."""
    moment = moment_of(since)
    if moment is None:
        return ""
    seconds = max(now - moment, 0)
    return duration_text(seconds) if seconds >= _TENTH_LIMIT_S else f"{int(seconds)}s"


def moment_of(text: str) -> float | None:
    """Seconds since the epoch of an RFC 3339 time, or None (engines say year 1 for never)."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.year <= 1:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def time_text(text: str) -> str:
    """An RFC 3339 time as `2026-03-01 14:05:09` in UTC; what is none stays as it is."""
    moment = moment_of(text)
    if moment is None:
        return text
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


def size_text(size_bytes: float) -> str:
    """`812 B`, `4.2 KiB`, `1.3 GiB`."""
    if size_bytes < _KILO:
        return f"{int(size_bytes)} B"
    value = size_bytes
    for unit in ("KiB", "MiB", "GiB"):
        value /= _KILO
        if value < _KILO:
            return f"{value:.1f} {unit}"
    return f"{value / _KILO:.1f} TiB"


def count_text(number: int, noun: str) -> str:
    """`1 step`, `3 steps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def digest_text(digest: str) -> str:
    """The first twelve digits of a digest."""
    return digest.removeprefix("sha256:")[:12]
