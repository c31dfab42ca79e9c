"""Promote: the images of a release for another environment, and nothing is built.

From one repository to another go the very bytes of the manifest, so that its digest stays; the
blobs are mounted where both are in one registry, and copied otherwise. Without a registry the image
goes from engine to engine, and is told by its configuration's digest.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from underway.errors import EngineError, RefusedError
from underway.image.apply import find_image, image_gone, pull_image, send_from_any
from underway.image.built import Built
from underway.image.exposed import with_ports
from underway.image.named import named_image
from underway.image.reference import Reference, is_same_repository
from underway.image.shipment import Shipment, kept_image, repository_of
from underway.image.yard import Yard, first_host
from underway.model.image import ImageIdentity
from underway.model.names import ServiceName
from underway.model.release import Release, ServiceImage
from underway.model.spec import AppSpec, ServiceSpec
from underway.ports import Engine
from underway.ports.registry import Registry


@dataclass(frozen=True, slots=True)
class Promotion:
    """What goes where: the images of `origin`, to what `spec` says of another environment.

    `previous` is what runs there; `sources` are engines that may hold the images. Without
    `is_moved` nothing is copied or pushed: enough for a plan.
    """

    spec: AppSpec
    origin: Release
    previous: Release | None = None
    sources: Sequence[Engine] = ()
    is_moved: bool = True


def promote(wish: Promotion, yard: Yard, registry: Registry) -> Shipment:
    """The images, brought where the environment has them from; its specification with ports.

    What the environment builds is the origin's image; what it only names keeps the digest that
    runs there, else is the origin's where both files name the same. Raises RefusedError
    (`promote-image-missing`, `tag-taken`, `image-gone`), and what registries and engines say.
    """
    ferry = _Ferry(wish, yard, registry)
    images = {service.name: ferry.image(service) for service in wish.spec.services}
    spec = with_ports(_with_known_ports(wish), yard, images)
    origin = wish.origin
    return Shipment(
        spec=spec,
        images=tuple(ServiceImage(name, images[name]) for name in sorted(images)),
        tag=origin.tag,
        commit=origin.commit,
        tags=origin.tags,
        version=origin.version,
    )


class _Ferry:
    """Brings images over, each one once per repository."""

    def __init__(self, wish: Promotion, yard: Yard, registry: Registry) -> None:
        self._wish = wish
        self._yard = yard
        self._registry = registry
        self._tags = wish.origin.tags or (wish.origin.tag,)
        self._done: dict[tuple[ImageIdentity, Reference], ImageIdentity] = {}

    def image(self, service: ServiceSpec) -> ImageIdentity:
        """The identity of a service's image in its new environment."""
        if service.build is None:
            return self._named(service)
        image = self._origin(service.name)
        if image is None:
            raise RefusedError(
                "promote-image-missing",
                f"release {self._wish.origin.number} has no image of `{service.name}`",
                cause="promoting builds nothing, and the environment builds this service",
                hint="Ship a release that has the service, and promote that one.",
            )
        key = (image, repository_of(self._wish.spec, service))
        if key not in self._done:
            self._done[key] = self._carried(*key)
        return self._done[key]

    def _named(self, service: ServiceSpec) -> ImageIdentity:
        kept = kept_image(self._wish.previous, service)
        if kept is None:
            known = {one.name: one for one in self._wish.origin.spec.services}
            there = known.get(service.name)
            if there is not None and there.build is None and there.image == service.image:
                kept = self._origin(service.name)
        return named_image(
            service,
            kept,
            engine=first_host(service, self._yard),
            workshop=self._yard.engine,
            progress=self._yard.progress,
        )

    def _origin(self, name: ServiceName) -> ImageIdentity | None:
        return next((e.image for e in self._wish.origin.images if e.service == name), None)

    def _carried(self, image: ImageIdentity, target: Reference) -> ImageIdentity:
        reference = target.tagged(self._tags[0])
        if image.pull_reference and target.names_registry:
            if not is_same_repository(image.repository, target.repository):
                self._copy(image, target)
            return replace(image, reference=reference, repository=target.repository)
        found = ImageIdentity(reference, image.config_digest)
        if not self._wish.is_moved:
            return found
        self._fetch(image)
        return self._pushed(image, target) if target.names_registry else found

    def _copy(self, image: ImageIdentity, target: Reference) -> None:
        """Put the same manifest into another repository, under the same tags."""
        for tag in self._tags:
            there = self._registry.manifest(target.repository, tag)
            self._require_same(target.tagged(tag), there.digest if there else "", image)
        if self._wish.is_moved:
            self._yard.progress(f"promoting {image.pull_reference} to {target.repository}")
            copy_image(self._registry, image, target.repository, self._tags)

    def _require_same(self, reference: str, there: str, image: ImageIdentity) -> None:
        if there and there != image.manifest_digest:
            raise RefusedError(
                "tag-taken",
                f"{reference} names another image already, and a tag is never moved",
                cause=f"the registry has {there}, this release is {image.manifest_digest}",
                hint="Find out who pushed it; promote a release with another tag.",
            )

    def _fetch(self, image: ImageIdentity) -> None:
        """Have the building engine hold the image, from which it is pushed or sent on."""
        engine = self._yard.engine
        if find_image(engine, image) is not None:
            return
        if image.pull_reference:
            pull_image(engine, image)
        else:
            self._yard.progress(f"bringing {image.reference} to {engine.host}")
            send_from_any(self._wish.sources, engine, image)

    def _pushed(self, image: ImageIdentity, target: Reference) -> ImageIdentity:
        """Push what had no registry before; a tag that is there must name what is pushed."""
        engine = self._yard.engine
        state = find_image(engine, image)
        if state is None:
            raise image_gone(image, f"{engine.host} does not hold it")
        taken = self._registry.manifest(target.repository, self._tags[0])
        if taken is not None:
            config = json.loads(taken.content).get("config") or {}
            if config.get("digest") != image.config_digest:
                self._require_same(target.tagged(self._tags[0]), taken.digest, image)
        name = ServiceName(target.path)
        names = {name: target}
        built = Built(engine, self._yard.progress, state, image.config_digest, self._tags, names)
        return built.publish()[name]


def copy_image(
    registry: Registry, image: ImageIdentity, target: str, tags: Sequence[str] = ()
) -> None:
    """Put an image into another repository, byte for byte; RefusedError (`image-gone`)."""
    digest = image.manifest_digest
    _copy_manifest(registry, image, digest, target)
    found = registry.manifest(target, digest)
    if found is None:
        raise EngineError("registry-refused", f"{target} lost {digest} right after it came")
    for tag in tags:
        registry.put(target, tag, found)


def _copy_manifest(registry: Registry, image: ImageIdentity, digest: str, target: str) -> None:
    found = registry.manifest(image.repository, digest)
    if found is None:
        raise image_gone(image, f"{image.repository} no longer has {digest}")
    body = json.loads(found.content)
    for child in body.get("manifests") or ():
        _copy_manifest(registry, image, str(child["digest"]), target)
    for part in (body.get("config"), *(body.get("layers") or ())):
        if part and not part.get("urls"):  # what has addresses of its own is in no registry
            registry.bring(image.repository, target, str(part["digest"]))
    registry.put(target, digest, found)


def _with_known_ports(wish: Promotion) -> AppSpec:
    """The specification, each unsaid port of a proxied service as the origin's image told it."""
    known = {
        service.name: service.proxy.port
        for service in wish.origin.spec.services
        if service.proxy is not None
    }
    services = tuple(
        replace(service, proxy=replace(service.proxy, port=known.get(service.name, 0)))
        if service.proxy is not None and not service.proxy.port
        else service
        for service in wish.spec.services
    )
    return replace(wish.spec, services=services)
