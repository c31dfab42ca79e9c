"""A file system as it is exported, made into an image's archive: one layer, one configuration.

The layer is spooled to a file of this machine: its size and digest stand ahead of it.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Final, cast

_CHUNK: Final = 1 << 20
_END: Final = b"\0" * (2 * tarfile.BLOCKSIZE)


class _Source:
    """Chunks as a file that is read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def read(self, size: int) -> bytes:
        """At most `size` bytes; b"" at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


class _Sink:
    """A file that is hashed while it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sum = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write, and count."""
        self.sum.update(data)
        return self._file.write(data)


def spool_layer(chunks: Iterable[bytes], leave_out: frozenset[str], file: IO[bytes]) -> str:
    """Copy an exported file system without some files; the layer's digest."""
    sink = _Sink(file)
    with (
        tarfile.open(
            fileobj=cast("IO[bytes]", _Source(chunks)), mode="r|", bufsize=_CHUNK
        ) as source,
        tarfile.open(
            fileobj=cast("IO[bytes]", sink), mode="w|", format=tarfile.PAX_FORMAT
        ) as target,
    ):
        for member in source:
            if "/" + member.name.strip("./") in leave_out:
                continue
            content = source.extractfile(member) if member.isreg() else None
            target.addfile(member, content)
    return f"sha256:{sink.sum.hexdigest()}"


def image_config(
    config: Mapping[str, Any], *, architecture: str, created_at: str, layer: str
) -> bytes:
    """An image's configuration (OCI image specification, 1.0)."""
    said = {
        "architecture": architecture,
        "os": "linux",
        "created": created_at,
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [layer]},
        "history": [{"created": created_at, "created_by": "underway image snapshot"}],
    }
    return json.dumps(said, sort_keys=True).encode()


def image_archive(config: bytes, reference: str, layer: IO[bytes]) -> Iterator[bytes]:
    """The docker-archive of an image with one layer."""
    digest = hashlib.sha256(config).hexdigest()
    layer.seek(0, io.SEEK_END)
    size = layer.tell()
    layer.seek(0)
    entry = {"Config": f"{digest}.json", "RepoTags": [reference], "Layers": ["layer.tar"]}
    yield from _member("manifest.json", json.dumps([entry]).encode())
    yield from _member(f"{digest}.json", config)
    yield _header("layer.tar", size)
    while chunk := layer.read(_CHUNK):
        yield chunk
    yield b"\0" * (-size % tarfile.BLOCKSIZE)
    yield _END


def archived_reference(file: IO[bytes]) -> str:
    """The first name of the image that an archive holds; "" where it is no archive of one."""
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            manifest = tar.extractfile("manifest.json")
            said = json.loads(manifest.read()) if manifest else []
        return str(said[0]["RepoTags"][0])
    except (tarfile.TarError, KeyError, IndexError, TypeError, ValueError):
        return ""
    finally:
        file.seek(0)


def _member(name: str, data: bytes) -> Iterator[bytes]:
    yield _header(name, len(data))
    yield data + b"\0" * (-len(data) % tarfile.BLOCKSIZE)


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.PAX_FORMAT)
