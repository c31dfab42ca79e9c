"""A docker-archive thinned on the way."""

import io
import json
import tarfile
from collections.abc import Iterator

import pytest

from underway.image.archive import first_missing, read_head, without_layers

BIG = b"b" * 2_000_000
SMALL = b"s" * 1000


def _archive() -> Iterator[bytes]:
    """An archive as 20.10 writes it: layers first, a second use of a layer as a link."""
    manifest = [{"Config": "c0ffee.json", "Layers": ["1/layer.tar", "2/layer.tar", "3/layer.tar"]}]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in (("1/layer.tar", SMALL), ("1/json", b"{}"), ("2/layer.tar", BIG)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("3/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../1/layer.tar"
        tar.addfile(link)
        for name, text in (("c0ffee.json", "{}"), ("manifest.json", json.dumps(manifest))):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    whole = buffer.getvalue()
    for start in range(0, len(whole), 70_001):
        yield whole[start : start + 70_001]


def _names(pieces: Iterator[bytes]) -> dict[str, int]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
        return {member.name: member.size for member in tar}


def test_the_head_tells_configuration_layers_and_sizes() -> None:
    head = read_head(_archive())
    assert head.config_digest == "sha256:c0ffee"
    assert head.layers == ("1/layer.tar", "2/layer.tar", "3/layer.tar")
    assert head.size_bytes(0) == 2_001_000
    assert head.size_bytes(2) == 1000
    assert _names(iter([head.bones])) == {
        "1/json": 2,
        "3/layer.tar": 0,
        "c0ffee.json": 2,
        "manifest.json": len(json.dumps([{"Config": "c0ffee.json", "Layers": list(head.layers)}])),
    }


@pytest.mark.parametrize(
    ("first", "kept"),
    [
        (0, {"1/layer.tar", "2/layer.tar", "3/layer.tar"}),
        (1, {"1/layer.tar", "2/layer.tar", "3/layer.tar"}),
        (2, {"1/layer.tar", "3/layer.tar"}),
        (3, {"3/layer.tar"}),
    ],
)
def test_what_a_link_leads_to_stays_with_it(first: int, kept: set[str]) -> None:
    head = read_head(_archive())
    sent: list[int] = []
    names = _names(without_layers(_archive(), head, first, sent.append))
    assert {name for name in names if name.endswith("layer.tar")} == kept
    assert {"1/json", "c0ffee.json", "manifest.json"} <= set(names)
    assert sum(sent) == sum((size + 511) // 512 * 512 + 512 for size in names.values())


def test_contents_pass_unchanged() -> None:
    head = read_head(_archive())
    data = b"".join(without_layers(_archive(), head, 0, lambda _: None))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        big = tar.extractfile("2/layer.tar")
        assert big is not None
        assert big.read() == BIG


def test_the_engine_names_the_first_layer_it_lacks() -> None:
    head = read_head(_archive())
    message = "open /var/lib/docker/tmp/docker-import-12/2/layer.tar: no such file or directory"
    assert first_missing(head, message) == 1
    assert first_missing(head, "disk full") is None


def test_an_archive_of_no_image_is_refused() -> None:
    buffer = io.BytesIO()
    tarfile.open(fileobj=buffer, mode="w").close()
    with pytest.raises(ValueError, match="0 images"):
        read_head([buffer.getvalue()])
