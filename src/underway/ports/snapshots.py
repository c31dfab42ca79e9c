"""Protocol of image snapshots: a container's file system taken from a host, and brought to one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from underway.model.names import HostName


@dataclass(frozen=True, slots=True)
class SnapshotWish:
    """What shall be taken: `config` is the image's own, `leave_out` absolute paths of files."""

    host: HostName
    container: str
    reference: str
    config: Mapping[str, Any]
    leave_out: frozenset[str]
    created_at: str


class ImageShelf(Protocol):
    """Takes containers' file systems as images, and carries images as files."""

    def take(self, wish: SnapshotWish) -> str:
        """Make the image on its host; its configuration's digest.

        The container is frozen only while its engine notes what differs from its image.
        """

    def save(self, host: HostName, reference: str, path: Path) -> None:
        """Write an image of a host into a file, whole or not at all."""

    def load(self, host: HostName, path: Path) -> str:
        """Bring an image from a file; its reference. RefusedError `snapshot-file` if it is none."""

    def digest(self, host: HostName, reference: str) -> str:
        """The digest of an image's configuration; "" where the host does not hold it."""

    def take_away(self, host: HostName, reference: str) -> None:
        """Take an image's name from a host, and the image with it unless a container needs it."""
