import base64
import io
from uuid import UUID, uuid4

import pytest
from libra.sealing import (
    CHUNK_BYTES,
    HEADER_BYTES,
    TAG_BYTES,
    DamagedFileError,
    Keyring,
    KeyringError,
    Sealer,
    parse_keyring,
    unseal,
)

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()
FILE_ID = UUID(int=7)
SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES


def seal(plain: bytes, *, step: int = 100_000, text: str = KEY) -> bytes:
    sealer = Sealer(parse_keyring(text), FILE_ID)
    pieces = [plain[at : at + step] for at in range(0, len(plain), step)]
    return sealer.header + b"".join(map(sealer.update, pieces)) + sealer.finish()


def open_sealed(sealed: bytes, *, keyring: Keyring | None = None, file_id: UUID = FILE_ID) -> bytes:
    return b"".join(unseal(io.BytesIO(sealed), keyring or parse_keyring(KEY), file_id))


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 5]
)
@pytest.mark.parametrize("step", [70_001, 10_000_000])
def test_what_was_sealed_opens_to_the_same_bytes(size: int, step: int) -> None:
    plain = bytes(index % 251 for index in range(size))
    assert open_sealed(seal(plain, step=step)) == plain


def test_sealed_bytes_hold_no_plain_text() -> None:
    assert b"confession" not in seal(b"confession " * 50_000)


@pytest.mark.parametrize("position", [0, 9, 20, 40, HEADER_BYTES + 5, SEALED_CHUNK, -1])
def test_a_flipped_bit_anywhere_is_refused(position: int) -> None:
    sealed = bytearray(seal(b"x" * (CHUNK_BYTES + 10)))
    sealed[position] ^= 1
    with pytest.raises(DamagedFileError):
        open_sealed(bytes(sealed))


@pytest.mark.parametrize("left", [0, 10, HEADER_BYTES, HEADER_BYTES + SEALED_CHUNK, -1])
def test_a_file_cut_off_is_refused(left: int) -> None:
    with pytest.raises(DamagedFileError):
        open_sealed(seal(b"x" * (2 * CHUNK_BYTES))[:left])


def test_swapped_chunks_are_refused() -> None:
    sealed = seal(b"a" * CHUNK_BYTES + b"b" * CHUNK_BYTES + b"c")
    at = [HEADER_BYTES + count * SEALED_CHUNK for count in range(3)]
    swapped = sealed[: at[0]] + sealed[at[1] : at[2]] + sealed[at[0] : at[1]] + sealed[at[2] :]
    assert len(swapped) == len(sealed)
    with pytest.raises(DamagedFileError):
        open_sealed(swapped)


def test_a_file_put_under_another_id_is_refused() -> None:
    with pytest.raises(DamagedFileError):
        open_sealed(seal(b"x"), file_id=uuid4())


def test_an_older_key_still_opens_after_a_new_one_is_put_first() -> None:
    rotated = parse_keyring(f"{OTHER_KEY}\n{KEY}")
    assert open_sealed(seal(b"old"), keyring=rotated) == b"old"
    assert open_sealed(seal(b"new", text=OTHER_KEY), keyring=rotated) == b"new"
    with pytest.raises(DamagedFileError):
        open_sealed(seal(b"x"), keyring=parse_keyring(OTHER_KEY))


@pytest.mark.parametrize("text", ["", "short", "c2hvcnQ=", "!" * 44])
def test_a_key_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(KeyringError):
        parse_keyring(text)


def test_a_keyring_does_not_show_its_keys() -> None:
    assert repr(bytes(range(32))) not in repr(parse_keyring(KEY))
