"""Encryption at rest: a file becomes a header and sealed chunks, none of which can be moved.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) over AES-256-GCM: each file
has its own key (HKDF-SHA256 over the master key, a random salt and the file's id), each chunk a
counter and a flag that tells the last one. A chunk left out, swapped, cut off or taken from
another file does not open. Memory stays at one chunk, whatever the size of the file.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"LIBRA\x00\x00\x01"
CHUNK_BYTES = 256 * 1024
KEY_BYTES = 32
KEY_ID_BYTES = 8
SALT_BYTES = 16
TAG_BYTES = 16
HEADER_BYTES = len(MAGIC) + KEY_ID_BYTES + SALT_BYTES


class KeyringError(Exception):
    """The text given as keys cannot be used."""


class DamagedFileError(Exception):
    """A sealed file was changed, cut off, or sealed for another id or with an unknown key."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Master keys by their id; `current` seals, all open."""

    current: bytes = field(repr=False)
    keys: dict[bytes, bytes] = field(repr=False)


def parse_keyring(text: str) -> Keyring:
    """Read base64 keys of 32 bytes, separated by white space; the first one seals."""
    keys = []
    for word in text.split():
        try:
            key = base64.b64decode(word, altchars=b"-_" if {"-", "_"} & set(word) else None)
        except (binascii.Error, ValueError) as error:
            raise KeyringError("a key is not base64") from error
        if len(key) != KEY_BYTES:
            raise KeyringError(f"a key has {len(key)} bytes instead of {KEY_BYTES}")
        keys.append(key)
    if not keys:
        raise KeyringError(
            "no key is set; make one with: head -c 32 /dev/urandom | base64",
        )
    return Keyring(current=keys[0], keys={key_id(key): key for key in keys})


def key_id(key: bytes) -> bytes:
    """Name a key without telling it."""
    return hashlib.sha256(b"libra key id\x00" + key).digest()[:KEY_ID_BYTES]


class Sealer:
    """Seals one file, fed piece by piece: `header`, then `update` repeatedly, then `finish`."""

    def __init__(self, keyring: Keyring, file_id: UUID) -> None:
        salt = secrets.token_bytes(SALT_BYTES)
        self.header = MAGIC + key_id(keyring.current) + salt
        self._cipher = _cipher(keyring.current, salt, file_id)
        self._buffer = bytearray()
        self._count = 0

    def update(self, data: bytes) -> bytes:
        """Take plain bytes, return the sealed chunks that are complete."""
        self._buffer += data
        sealed = bytearray()
        while len(self._buffer) > CHUNK_BYTES:
            sealed += self._seal(bytes(self._buffer[:CHUNK_BYTES]), is_last=False)
            del self._buffer[:CHUNK_BYTES]
        return bytes(sealed)

    def finish(self) -> bytes:
        """Return the last sealed chunk, which may hold no plain bytes at all."""
        return self._seal(bytes(self._buffer), is_last=True)

    def _seal(self, chunk: bytes, *, is_last: bool) -> bytes:
        nonce = _nonce(self._count, is_last=is_last)
        self._count += 1
        return self._cipher.encrypt(nonce, chunk, self.header)


def unseal(source: BinaryIO, keyring: Keyring, file_id: UUID) -> Iterator[bytes]:
    """Yield the plain chunks of a sealed file; raises DamagedFileError before a wrong byte."""
    header = source.read(HEADER_BYTES)
    if len(header) != HEADER_BYTES or not header.startswith(MAGIC):
        raise DamagedFileError("the header is not Libra's")
    key = keyring.keys.get(header[len(MAGIC) : len(MAGIC) + KEY_ID_BYTES])
    if key is None:
        raise DamagedFileError("sealed with a key that is not in LIBRA_KEY")
    cipher = _cipher(key, header[-SALT_BYTES:], file_id)
    sealed, count, is_last = source.read(CHUNK_BYTES + TAG_BYTES), 0, False
    while not is_last:
        following = source.read(CHUNK_BYTES + TAG_BYTES)
        is_last = not following
        try:
            yield cipher.decrypt(_nonce(count, is_last=is_last), sealed, header)
        except InvalidTag as error:
            raise DamagedFileError(f"chunk {count} does not open") from error
        sealed, count = following, count + 1


def _cipher(key: bytes, salt: bytes, file_id: UUID) -> AESGCM:
    derivation = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=file_id.bytes)
    return AESGCM(derivation.derive(key))


def _nonce(count: int, *, is_last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([is_last])
