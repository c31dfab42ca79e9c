"""The images of a fake engine, by id and by name."""

from dataclasses import replace

from tests.fakes.containers import digest
from underway.model.image import ImageState


class ImageShelf:
    """Images of one host; a name belongs to one image at a time."""

    def __init__(self) -> None:
        """An empty shelf."""
        self._images: dict[str, ImageState] = {}

    def add(
        self,
        references: tuple[str, ...],
        exposed: tuple[int, ...],
        identity: str = "",
        labels: tuple[tuple[str, str], ...] = (),
    ) -> ImageState:
        """Put an image there; without an `identity` its id follows from its first name."""
        image = ImageState(
            id=identity or digest(references[0]),
            repo_tags=tuple(sorted(name for name in references if "@" not in name)),
            repo_digests=tuple(sorted(name for name in references if "@" in name)),
            labels=labels,
            size_bytes=1,
            created_at="2026-01-01T00:00:00Z",
            exposed_ports=exposed,
            architecture="amd64",
        )
        self._images[image.id] = image
        return image

    def all(self) -> tuple[ImageState, ...]:
        """All images, sorted by id."""
        return tuple(self._images[key] for key in sorted(self._images))

    def find(self, reference: str) -> ImageState | None:
        """The image of an id, tag or digest, or None."""
        for image in self._images.values():
            if reference in {image.id, *image.repo_tags, *image.repo_digests}:
                return image
        return None

    def name(self, identity: str, tag: str) -> None:
        """Give an image a tag, taking it from any other."""
        for other in self._images:
            self.unname(other, tag)
        image = self._images[identity]
        tags = tuple(sorted({*image.repo_tags, tag}))
        self._images[identity] = replace(image, repo_tags=tags)

    def unname(self, identity: str, tag: str) -> None:
        """Take a tag from an image."""
        image = self._images[identity]
        tags = tuple(name for name in image.repo_tags if name != tag)
        self._images[identity] = replace(image, repo_tags=tags)

    def drop(self, identity: str) -> None:
        """Take an image away."""
        del self._images[identity]
