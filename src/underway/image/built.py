"""A built image that is not published yet: its names, and how it is tagged and pushed."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from underway.errors import EngineError
from underway.image.apply import mark_verified
from underway.image.reference import Reference
from underway.model.image import ImageIdentity, ImageState
from underway.model.names import ServiceName
from underway.ports import Engine


@dataclass(frozen=True, slots=True)
class Built:
    """An image that stands on the building engine, and the names it gets when it is published."""

    engine: Engine
    progress: Callable[[str], None]
    state: ImageState
    digest: str
    tags: tuple[str, ...]
    names: Mapping[ServiceName, Reference]

    def candidates(self) -> dict[ServiceName, ImageIdentity]:
        """The identity for each service as long as nothing is published."""
        found = {}
        for name, repository in self.names.items():
            image = ImageIdentity(repository.tagged(self.tags[0]), self.digest)
            mark_verified(self.engine, image, self.state)
            found[name] = image
        return found

    def publish(self) -> dict[ServiceName, ImageIdentity]:
        """Tag, and push where a registry is named; the identity for each service."""
        repositories = dict.fromkeys(self.names.values())
        found = {repository: self._publish(repository) for repository in repositories}
        return {name: found[repository] for name, repository in self.names.items()}

    def _publish(self, repository: Reference) -> ImageIdentity:
        manifest = ""
        for tag in self.tags:
            name = repository.tagged(tag)
            self.engine.tag(self.state.id, name)
            if repository.names_registry:
                self.progress(f"pushing {name}")
                pushed = self._push(name, self.state.id if self.state.id != self.digest else "")
                manifest = manifest or pushed
        image = ImageIdentity(
            reference=repository.tagged(self.tags[0]),
            config_digest=self.digest,
            manifest_digest=manifest,
            repository=repository.repository if manifest else "",
        )
        mark_verified(self.engine, image, self.state)
        return image

    def _push(self, name: str, manifest_id: str) -> str:
        """Push; engine 26's containerd store tells no digest, but its id is the manifest's."""
        try:
            return self.engine.push(name)
        except EngineError:
            with suppress(EngineError):
                if manifest_id and self.engine.resolve(name) == manifest_id:
                    return manifest_id
            raise
