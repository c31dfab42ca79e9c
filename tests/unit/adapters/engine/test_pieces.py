"""Frames, archives, references and the translation of answers."""

import io
import struct
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from underway.adapters.engine.archives import archive_of
from underway.adapters.engine.border import refusal, registry_refusal, silence
from underway.adapters.engine.images import split_reference
from underway.adapters.engine.streams import Frame, FrameParser
from underway.errors import EngineError, UnreachableError
from underway.model.names import HostName, SensitiveName
from underway.model.sensitive import Sensitive
from underway.model.spec import FileSpec

HOST = HostName("app1")


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=50)), max_size=10),
    st.integers(1, 17),
)
def test_frames_come_out_whole_however_the_bytes_are_cut(
    frames: list[tuple[int, bytes]], size: int
) -> None:
    data = b"".join(struct.pack(">BxxxL", s, len(p)) + p for s, p in frames)
    parser = FrameParser()
    seen: list[Frame] = []
    for place in range(0, len(data), size):
        seen.extend(parser.feed(data[place : place + size]))
    assert [(frame.stream, frame.payload) for frame in seen] == frames


def test_files_keep_owner_mode_and_bytes_and_name_no_directories() -> None:
    name = SensitiveName("secret/key")
    file = FileSpec(name, "/etc/app/key", uid=7, gid=8, mode=0o440)
    data = archive_of([file], {name: Sensitive(b"\x00\xff")})
    assert data == archive_of([file], {name: Sensitive(b"\x00\xff")})
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        (entry,) = tar.getmembers()
        content = tar.extractfile(entry)
        assert content
        assert content.read() == b"\x00\xff"
    assert (entry.name, entry.uid, entry.gid, entry.mode) == ("etc/app/key", 7, 8, 0o440)


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("postgres", ("postgres", "latest")),
        ("postgres:17", ("postgres", "17")),
        ("registry:5000/libra", ("registry:5000/libra", "latest")),
        ("registry:5000/libra:1", ("registry:5000/libra", "1")),
        ("registry:5000/libra@sha256:ab", ("registry:5000/libra", "sha256:ab")),
        ("libra:1@sha256:ab", ("libra", "sha256:ab")),
    ],
)
def test_references_split_into_repository_and_tag(reference: str, parts: tuple[str, str]) -> None:
    assert split_reference(reference) == parts


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("write /var/lib/docker/tmp/x: no space left on device", "no-space"),
        ("Bind for 10.0.0.1:80 failed: port is already allocated", "port-taken"),
        ("listen tcp4 0.0.0.0:80: bind: address already in use", "port-taken"),
        ("Address already in use", "address-taken"),
        ("Pool overlaps with other one on this address space", "subnet-taken"),
        ("No such image: libra:1", "image-missing"),
        ("No such container: web", "container-missing"),
        ("Container abc is not running", "container-not-running"),
        ("remove data: volume is in use - [abc]", "still-in-use"),
        ("something new", "engine-refused"),
    ],
)
def test_the_engines_words_become_codes(message: str, code: str) -> None:
    error = refusal(HOST, "try it", 500, message)
    assert error.code == code
    assert error.status == 500
    assert "app1" in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("message", "kind", "code"),
    [
        (
            'Get "http://r:5000/v2/": dial tcp: connection refused',
            UnreachableError,
            "registry-unreachable",
        ),
        ("dial tcp: lookup r: no such host", UnreachableError, "registry-unreachable"),
        ("x509: certificate signed by unknown authority", UnreachableError, "registry-unreachable"),
        ("manifest for r/x:1 not found: manifest unknown", EngineError, "image-missing"),
        ("pull access denied for x, repository does not exist", EngineError, "registry-denied"),
        ("unauthorized: authentication required", EngineError, "registry-denied"),
        ("no space left on device", EngineError, "no-space"),
    ],
)
def test_a_registrys_words_are_told_apart(message: str, kind: type[Exception], code: str) -> None:
    error = registry_refusal(HOST, "pull x", 500, message)
    assert isinstance(error, kind)
    assert error.code == code


def test_silence_tells_lateness_from_absence() -> None:
    assert "in time" in silence(HOST, "list", TimeoutError("timed out")).message
    assert "does not answer" in silence(HOST, "list", ConnectionRefusedError("refused")).message
