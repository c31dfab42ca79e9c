"""Protocol of an image registry, asked by this machine itself: names, manifests, and blobs.

A repository is written as in an image reference, its registry in front.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or an index as it stands in a registry: its bytes are what its digest is of."""

    digest: str
    media_type: str
    content: bytes


class Registry(Protocol):
    """Registries by the names of their repositories.

    Methods raise UnreachableError (`registry-unreachable`) where one does not answer, EngineError
    (`registry-denied`, `registry-refused`) where it refuses.
    """

    def manifest(self, repository: str, name: str) -> Manifest | None:
        """What stands under a tag or a digest, or None."""

    def put(self, repository: str, name: str, manifest: Manifest) -> None:
        """Write a manifest under a tag or its digest; its blobs must be there."""

    def tags(self, repository: str) -> tuple[str, ...]:
        """All tags, sorted; () for a repository that is not there."""

    def untag(self, repository: str, tag: str) -> None:
        """Take a tag away and leave the image; one that is missing is fine.

        Raises RefusedError (`tag-not-removable`) where the registry takes no tag away.
        """

    def blob(self, repository: str, digest: str) -> bytes:
        """A small blob, such as an image's configuration."""

    def upload(self, repository: str, content: bytes) -> str:
        """Write a small blob; its digest."""

    def bring(self, source: str, target: str, digest: str) -> None:
        """Make a blob of one repository part of another: mounted, else copied."""

    def attach(self, repository: str, subject: str, artifact: bytes) -> None:
        """Write an artifact whose manifest names the image of digest `subject` as its subject."""

    def attached(self, repository: str, subject: str, kind: str) -> tuple[Manifest, ...]:
        """The artifacts of a kind that stand beside the image of digest `subject`."""
