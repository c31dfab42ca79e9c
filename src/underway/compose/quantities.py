"""Durations and sizes as Compose writes them."""

import re
from typing import Final

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)")
_UNIT_S: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_SIZE: Final = re.compile(r"^(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?$", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def duration_s(text: str) -> float:
    """Seconds of a duration like `1m30s` or `500ms`; raises ValueError."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no duration")
    return round(sum(float(number) * _UNIT_S[unit] for number, unit in parts), 9)


def size_bytes(value: object) -> int:
    """Bytes of a size like `64m`, `1.5gb` or 1024; -1 stays; raises ValueError."""
    if isinstance(value, int):
        return value
    text = str(value).strip()
    if text == "-1":
        return -1
    match = _SIZE.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no size")
    return int(float(match[1]) * 1024 ** _POWERS[match[2].lower()])
