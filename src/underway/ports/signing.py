"""Protocol of whoever signs for the team."""

from typing import Protocol


class Signer(Protocol):
    """Signs statements with the team's key, and tells its own signatures from others."""

    @property
    def key_id(self) -> str:
        """Names the key, and tells nothing of it."""

    def sign(self, message: bytes) -> bytes:
        """The signature of a message."""

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature is this key's."""
