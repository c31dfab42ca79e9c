"""What planning and applying share: when two images are the same, and how they are kept.

The identity that counts on every host is the configuration's digest: it covers the layers and all
that a container gets from the image. Engines with the graph-driver store use it as the image id.
Engines with the containerd store use the digest of a manifest or of an index as the id; an image
with that id, or pulled by that digest, holds the same configuration, as each digest covers the
next. An index names one manifest per platform, so the same index digest gives the same content on
every host of one platform; the configuration's digest is verified where the engine tells it.
"""

from underway.image.reference import is_same_repository, parse_reference
from underway.model.image import ImageIdentity, ImageState

_KEEP_DIGITS = 12


def is_image(state: ImageState, image: ImageIdentity, *, is_by_manifest: bool = False) -> bool:
    """Whether what a host holds is this image, as far as ids and digests prove it.

    Where ids are manifest digests (`is_by_manifest`, or seen by the state itself: the engine tells
    no digests of some), the tag that `keep_reference` names counts too: it is given only after the
    configuration was read and verified.
    """
    if state.id == image.config_digest:
        return True
    if not (is_by_manifest or uses_manifest_ids(state)):
        return False
    if image.manifest_digest and image.manifest_digest in (state.id, *digests_of(state)):
        return True
    return keep_reference(image) in state.repo_tags


def uses_manifest_ids(state: ImageState) -> bool:
    """Whether the id is itself a manifest's digest, as with the containerd store."""
    return state.id in digests_of(state)


def digests_of(state: ImageState) -> tuple[str, ...]:
    """The manifest or index digests under which a host knows an image."""
    return tuple(entry.rpartition("@")[2] for entry in state.repo_digests)


def digest_in(state: ImageState, repository: str) -> str:
    """A digest under which `repository` knows the image, or ""."""
    return next(iter(digests_in(state, repository)), "")


def digests_in(state: ImageState, repository: str) -> tuple[str, ...]:
    """All digests under which `repository` knows the image: pushed twice, it may have two."""
    entries = (entry.rpartition("@") for entry in state.repo_digests)
    return tuple(digest for name, _, digest in entries if is_same_repository(name, repository))


def keep_reference(image: ImageIdentity) -> str:
    """A tag of this content alone, for a host where the image's own tag names another one."""
    return parse_reference(image.reference).tagged(keep_tag(image.config_digest))


def keep_tag(config_digest: str) -> str:
    """The tag of `keep_reference`: given to what was verified to have this configuration."""
    return f"underway-{config_digest.removeprefix('sha256:')[:_KEEP_DIGITS]}"
