"""Signing records with the team's key. Pure.

A signature is HMAC-SHA-256 (RFC 2104) over the app's name and the record's bytes. As a record names
the hash of the one before it, a signature vouches for everything that stands before.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from underway.model.names import AppName
from underway.model.sensitive import Sensitive

_PURPOSE: Final = b"underway record 1"
"""Keeps a signature from meaning anything else that the same key may be used for."""


@dataclass(frozen=True, slots=True)
class TeamKey:
    """The key of one app's team."""

    app: AppName
    secret: Sensitive

    def signature_of(self, record: bytes) -> str:
        """The signature of a record's bytes, in hexadecimal digits."""
        message = b"\0".join((_PURPOSE, self.app.encode(), record))
        return hmac.new(self.secret.reveal(), message, hashlib.sha256).hexdigest()

    def has_signed(self, record: bytes, signature: str) -> bool:
        """Whether the signature is this key's, compared in constant time."""
        return hmac.compare_digest(self.signature_of(record).encode(), signature.encode())


_ATTESTING: Final = b"underway attestation 1"
_NAMING: Final = b"underway key id 1"
_KEY_ID_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class AttestationKey:
    """The team's key as it signs attestations: for any app, as images go from one to another.

    Implements `ports.signing.Signer`.
    """

    secret: Sensitive

    @property
    def key_id(self) -> str:
        """Names the key: the first digits of what only it could make of a known text."""
        return self._code(_NAMING, b"").hex()[:_KEY_ID_DIGITS]

    def sign(self, message: bytes) -> bytes:
        """The signature of a message."""
        return self._code(_ATTESTING, message)

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature is this key's, compared in constant time."""
        return hmac.compare_digest(self.sign(message), signature)

    def _code(self, purpose: bytes, message: bytes) -> bytes:
        text = b"\0".join((purpose, message))
        return hmac.new(self.secret.reveal(), text, hashlib.sha256).digest()
