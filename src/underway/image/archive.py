"""A docker-archive stream, read and thinned on the way: no file, no second copy.

`docker save` writes a tar with `manifest.json`, the configuration and one file per layer. An
engine that loads it does not open the file of a layer whose chain it already has, so those files
may be left out. Where an archive holds a layer twice, the second is a link to the first.
"""

import io
import json
import posixpath
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_CHUNK: Final = 1 << 20
_SMALL: Final = 1 << 20
_BLOCK: Final = tarfile.BLOCKSIZE
_END: Final = b"\0" * (2 * _BLOCK)


@dataclass(frozen=True, slots=True)
class ArchiveHead:
    """What an archive says of its one image.

    Attributes:
        config: path of the configuration in the archive.
        layers: paths of the layers, from the base up; a path may stand twice.
        links: path of a link, and the path it leads to.
        sizes: bytes of each layer's file.
        bones: an archive of all but the layers' files.
    """

    config: str
    layers: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    bones: bytes = b""

    @property
    def config_digest(self) -> str:
        """`sha256:...`, which archives of every store carry in the configuration's path."""
        return "sha256:" + posixpath.basename(self.config).removesuffix(".json")

    def files_from(self, layer: int) -> frozenset[str]:
        """The files that layers from number `layer` on need, links followed."""
        links = dict(self.links)
        wanted = set(self.layers[layer:])
        return frozenset(wanted | {links[path] for path in wanted if path in links})

    def size_bytes(self, layer: int) -> int:
        """How many bytes the layers from number `layer` on take."""
        sizes, files = dict(self.sizes), self.files_from(layer)
        return sum(size for path, size in sizes.items() if path in files)


def read_head(archive: Iterable[bytes]) -> ArchiveHead:
    """Read an archive through and keep what it says of itself; ValueError if it is none."""
    small: dict[str, bytes] = {}
    texts: dict[str, bytes] = {}
    links: dict[str, str] = {}
    sizes: dict[str, int] = {}
    with tarfile.open(fileobj=_Stream(archive), mode="r|", bufsize=_CHUNK) as tar:
        for member in tar:
            if member.issym():
                folder = posixpath.dirname(member.name)
                links[member.name] = posixpath.normpath(posixpath.join(folder, member.linkname))
            elif member.isfile():
                sizes[member.name] = member.size
            if member.size < _SMALL:
                pieces = tuple(_member(tar, member))
                small[member.name] = b"".join(pieces)
                texts[member.name] = b"".join(pieces[1:])[: member.size]
    manifest = json.loads(texts.get("manifest.json", b"[]"))
    if len(manifest) != 1:
        raise ValueError(f"an archive of {len(manifest)} images")
    layers = tuple(manifest[0]["Layers"])
    return ArchiveHead(
        config=str(manifest[0]["Config"]),
        layers=layers,
        links=tuple(sorted(links.items())),
        sizes=tuple((path, sizes[path]) for path in dict.fromkeys(layers) if path in sizes),
        bones=b"".join(
            content for name, content in small.items() if name not in layers or name in links
        )
        + _END,
    )


def without_layers(
    archive: Iterable[bytes], head: ArchiveHead, first: int, sent: Callable[[int], None]
) -> Iterator[bytes]:
    """The archive without the files that only layers below number `first` need.

    `sent` is told the bytes of each piece that is handed on.
    """
    dropped = frozenset(path for path, _ in head.sizes) - head.files_from(first)
    with tarfile.open(fileobj=_Stream(archive), mode="r|", bufsize=_CHUNK) as tar:
        for member in tar:
            if member.name not in dropped:
                for piece in _member(tar, member):
                    sent(len(piece))
                    yield piece
    yield _END


def _member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    """One member as it stands in a tar: header, content, padding."""
    yield member.tobuf(tarfile.PAX_FORMAT)
    content = tar.extractfile(member) if member.isfile() else None
    while content is not None and (piece := content.read(_CHUNK)):
        yield piece
    if content is not None and member.size % _BLOCK:
        yield b"\0" * (_BLOCK - member.size % _BLOCK)


def first_missing(head: ArchiveHead, message: str) -> int | None:
    """The first layer an engine lacks, from what it says when a layer's file is not there.

    None where the message names no layer of this archive.
    """
    for number, path in enumerate(head.layers):
        if path in message:
            return number
    return None


class _Stream(io.RawIOBase):
    """Pieces of bytes as a file that is read once."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        found = bytearray()
        while size < 0 or len(found) < size:
            if not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._rest = memoryview(piece)
                continue
            wanted = len(self._rest) if size < 0 else size - len(found)
            found += self._rest[:wanted]
            self._rest = self._rest[wanted:]
        return bytes(found)
