"""Sensitive values: a type that never shows what it holds, and their keyed digests."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from underway.model.names import SensitiveName


class Sensitive:
    """Bytes that must not be seen: `repr` and `str` are redacted, `reveal()` gives them."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        """Wrap `value`."""
        self._value = value

    def reveal(self) -> bytes:
        """The value itself: only for the engine connection and the vault."""
        return self._value

    def __repr__(self) -> str:
        """Never the value."""
        return "Sensitive(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Equal by value, in constant time."""
        return isinstance(other, Sensitive) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        """Equal values hash alike within the process."""
        return hash(self._value)


SensitiveValues = Mapping[SensitiveName, Sensitive]


@dataclass(frozen=True, slots=True, order=True)
class SensitiveDigest:
    """HMAC-SHA256 (RFC 2104) of a sensitive value under the app's key: tells change, not value."""

    name: SensitiveName
    digest: str


def digests_of(values: SensitiveValues, key: bytes) -> tuple[SensitiveDigest, ...]:
    """The keyed digest of each value, sorted by name."""
    return tuple(
        SensitiveDigest(name, hmac.new(key, values[name].reveal(), hashlib.sha256).hexdigest())
        for name in sorted(values)
    )
