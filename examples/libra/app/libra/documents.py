"""JSON as Libra writes it, in answers and on sockets alike: ids as texts, times in ISO 8601."""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID


def encode(document: Mapping[str, object]) -> str:
    """Return compact JSON; raises TypeError for what has no JSON form."""
    return json.dumps(document, default=_as_text, ensure_ascii=False, separators=(",", ":"))


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")
