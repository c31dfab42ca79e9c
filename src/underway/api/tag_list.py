"""All tags of an app's built images: from the registry where there is one, else from the hosts."""

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from underway.api.past import names_of
from underway.api.session import Session, releases_of, tags_of
from underway.api.tagging import built_images
from underway.image.plan import ids_of
from underway.image.reference import is_same_repository, parse_reference
from underway.image.tags import moving_tags
from underway.model.image import ImageIdentity
from underway.model.names import NO_RELEASE, HostName, ReleaseNumber
from underway.model.release import Release
from underway.model.snapshot import HostState, Role, Snapshot
from underway.model.tagging import TagKind, TagStatus
from underway.ports.registry import Registry

_AT_ONCE: Final = 8
_OURS: Final = ("sha256-", "underway-")
"""Tags that name no image for people: of attestations, and of images kept on hosts."""


def list_tags(session: Session) -> tuple[TagStatus, ...]:
    """Every tag of every repository that a recorded release's built images are in, newest first."""
    snapshot = session.observe()
    book = _Book.of(snapshot)
    found: list[TagStatus] = []
    for repository in sorted({image.repository for image in book.images if image.pull_reference}):
        found.extend(_registered(session.workshop.registry(), repository, book))
    for repository in sorted({_name(image) for image in book.images if not image.pull_reference}):
        found.extend(_held(snapshot, repository, book))
    found.sort(key=lambda tag: (tag.repository, tag.tag))
    return tuple(sorted(found, key=lambda tag: tag.created_at, reverse=True))


@dataclass(frozen=True, slots=True)
class _Book:
    """What the records say of images: whose they are, what they are called, where they run."""

    images: Mapping[ImageIdentity, ReleaseNumber]
    running: Mapping[str, tuple[HostName, ...]]
    own: frozenset[str]
    given: frozenset[str]
    moving: frozenset[str]

    @classmethod
    def of(cls, snapshot: Snapshot) -> "_Book":
        known = [release for _, release in sorted(releases_of(snapshot).items())]
        images = {image: one.number for one in known for image in built_images(one)}
        return cls(
            images=images,
            running={image.config_digest: _hosts(snapshot, image) for image in images},
            own=frozenset(name for one in known for name in names_of(one, {})),
            given=frozenset(tags_of(snapshot)),
            moving=frozenset(name for one in known for name in _moving(one)),
        )

    def kind(self, tag: str) -> TagKind:
        if tag in self.moving:
            return TagKind.MOVING
        if tag in self.given:
            return TagKind.GIVEN
        return TagKind.OWN if tag in self.own else TagKind.FOREIGN

    def image(self, digest: str, config: str) -> ImageIdentity | None:
        """The image of a manifest's or a configuration's digest, of the newest release."""
        found = (
            image
            for image in self.images
            if (digest and digest == image.manifest_digest) or config == image.config_digest
        )
        return max(found, key=lambda image: self.images[image], default=None)

    def status(self, repository: str, tag: str, digest: str, config: str) -> TagStatus:
        image = self.image(digest, config)
        return TagStatus(
            repository,
            tag,
            self.kind(tag),
            digest or config,
            release=self.images[image] if image else NO_RELEASE,
            hosts=self.running.get(image.config_digest, ()) if image else (),
        )


def _moving(release: Release) -> tuple[str, ...]:
    return moving_tags(release.spec.moving_tags, release.spec.environment)


def _hosts(snapshot: Snapshot, image: ImageIdentity) -> tuple[HostName, ...]:
    """The hosts where a replica of the app runs an image."""
    return tuple(
        host.name
        for host in snapshot.reachable
        if (ids := ids_of(host, [image]))
        and any(
            one.app == snapshot.app
            and one.role == Role.REPLICA
            and one.image_id in ids
            and not one.has_ended
            for one in host.containers
        )
    )


def _registered(registry: Registry, repository: str, book: _Book) -> Iterable[TagStatus]:
    tags = [tag for tag in registry.tags(repository) if not tag.startswith(_OURS)]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        told = pool.map(lambda tag: _asked(registry, repository, tag, book), tags)
        return [tag for tag in told if tag is not None]


def _asked(registry: Registry, repository: str, tag: str, book: _Book) -> TagStatus | None:
    """What a registry tells of a tag; None for one that was taken away meanwhile."""
    manifest = registry.manifest(repository, tag)
    if manifest is None:
        return None
    body = _one_platform(registry, repository, json.loads(manifest.content))
    config = str((body.get("config") or {}).get("digest") or "")
    status = book.status(repository, tag, manifest.digest, config)
    parts = [body.get("config") or {}, *(body.get("layers") or ())]
    size = sum(int(part.get("size") or 0) for part in parts)
    made = json.loads(registry.blob(repository, config)).get("created") if config else ""
    return _complete(status, str(made or ""), size)


def _one_platform(
    registry: Registry, repository: str, body: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The manifest itself, or the first one of an index that is an image of some platform."""
    for entry in body.get("manifests") or ():
        if (entry.get("platform") or {}).get("os") == "unknown":
            continue  # an attestation of the builder's own
        child = registry.manifest(repository, str(entry["digest"]))
        if child is not None:
            return dict(json.loads(child.content))
    return body


def _complete(status: TagStatus, created_at: str, size_bytes: int) -> TagStatus:
    return TagStatus(
        status.repository,
        status.tag,
        status.kind,
        status.digest,
        created_at,
        size_bytes,
        status.release,
        status.hosts,
    )


def _held(snapshot: Snapshot, repository: str, book: _Book) -> Iterator[TagStatus]:
    """The tags that hosts have of a repository; hosts that hold the same say it once."""
    told: set[tuple[str, str]] = set()
    for host in snapshot.reachable:
        for state in host.images:
            for name in state.repo_tags:
                here, _, tag = name.rpartition(":")
                if not is_same_repository(here, repository) or tag.startswith(_OURS):
                    continue
                config = _config(host, state.id, book)
                if (tag, config) not in told:
                    told.add((tag, config))
                    status = book.status(repository, tag, "", config)
                    yield _complete(status, state.created_at, state.size_bytes)


def _config(host: HostState, identity: str, book: _Book) -> str:
    """The configuration's digest of what a host holds, as far as the records tell it."""
    for image in book.images:
        if identity in ids_of(host, [image]):
            return image.config_digest
    return identity


def _name(image: ImageIdentity) -> str:
    return parse_reference(image.reference).repository
