"""Bodies to send: different for every identifier, cheap to make, hashed while they are sent."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PIECE_BYTES = 65536


class Blob:
    """`size_bytes` of content that follows from its identifier; `sha256` is whole once sent."""

    def __init__(self, identifier: str, size_bytes: int, *, form_field: str = "") -> None:
        self.identifier = identifier
        self.size_bytes = size_bytes
        self._sha = hashlib.sha256()
        self.boundary = f"load-{identifier}" if form_field else ""
        self._prefix = self._suffix = b""
        if form_field:
            head = f'Content-Disposition: form-data; name="{form_field}"; filename="{identifier}"'
            kind = "Content-Type: application/octet-stream"
            self._prefix = f"--{self.boundary}\r\n{head}\r\n{kind}\r\n\r\n".encode()
            self._suffix = f"\r\n--{self.boundary}--\r\n".encode()

    @property
    def length_bytes(self) -> int:
        """Bytes on the wire, a form's wrapping included."""
        return len(self._prefix) + self.size_bytes + len(self._suffix)

    @property
    def sha256(self) -> str:
        """SHA-256 of the content sent so far."""
        return self._sha.hexdigest()

    async def pieces(self, bytes_per_s: float = 0.0) -> AsyncIterator[bytes]:
        """Yield the body, paced from the first piece on where a rate is given."""
        block = random.Random(self.identifier).randbytes(PIECE_BYTES)  # noqa: S311 (filler)
        started_at, sent = time.monotonic(), 0
        if self._prefix:
            yield self._prefix
        while sent < self.size_bytes:
            size = min(PIECE_BYTES, self.size_bytes - sent)
            piece = (sent.to_bytes(8) + block[8:])[:size]
            self._sha.update(piece)
            sent += size
            yield piece
            if bytes_per_s:
                await asyncio.sleep(started_at + sent / bytes_per_s - time.monotonic())
        if self._suffix:
            yield self._suffix
