"""Moving one image onto one host, and proving that it arrived: pull from a registry, or send.

Both are idempotent, verify the configuration's digest before the image gets its name, and leave
an image under a tag, so that a pruning of nameless images leaves it alone.
"""

from collections.abc import Iterable

from underway.errors import EngineError, IntegrityError, RefusedError, UnreachableError
from underway.image.archive import ArchiveHead, first_missing, read_head, without_layers
from underway.image.steps import is_image, keep_reference
from underway.model.image import ImageIdentity, ImageState
from underway.ports import Engine, Progress


def pull_image(engine: Engine, image: ImageIdentity, progress: Progress | None = None) -> None:
    """Pull by digest, verify, and name it.

    Raises IntegrityError (`image-mismatch`), RefusedError (`image-gone`) where the registry no
    longer has it, UnreachableError where it does not answer.
    """
    found = find_image(engine, image)
    is_named = not image.pull_reference or engine.image(image.pull_reference) is not None
    if found is None or not is_named:
        if not image.pull_reference:
            raise image_gone(image, "no registry holds it")
        try:
            engine.pull(image.pull_reference, progress)
        except EngineError as error:
            if error.code == "image-missing":
                raise image_gone(image, error.message) from error
            raise
        found = engine.image(image.pull_reference)
        _verify(engine, found, image)
    _name(engine, image, found)


def send_image(
    source: Engine, target: Engine, image: ImageIdentity, progress: Progress | None = None
) -> None:
    """Send over the engine connections the layers that `target` lacks, verify, and name it.

    Raises IntegrityError (`image-mismatch`), RefusedError (`image-gone`) where `source` no longer
    has it.
    """
    found = find_image(target, image)
    if found is None:
        held = find_image(source, image)
        if held is None:
            raise image_gone(image, f"{source.host} does not hold it")
        # The containerd store keeps what it loads only under the name in the archive.
        name = image.reference if _is_by_manifest(target) else held.id
        _transfer(source, target, name, progress)
        found = target.image(image.config_digest) or target.image(image.reference)
        _verify(target, found, image)
    _name(target, image, found)


def send_from_any(
    sources: Iterable[Engine],
    target: Engine,
    image: ImageIdentity,
    progress: Progress | None = None,
) -> None:
    """Send from the first engine that answers and holds the image; see `send_image`.

    Raises what the first of them said where none could, RefusedError (`image-gone`) where none
    holds it.
    """
    refused: UnreachableError | EngineError | None = None
    for source in sources:
        try:
            if find_image(source, image) is None:
                continue
            send_image(source, target, image, progress)
        except (UnreachableError, EngineError) as error:
            refused = refused or error
        else:
            return
    raise refused or image_gone(image, "no engine that answers holds it")


def find_image(engine: Engine, image: ImageIdentity) -> ImageState | None:
    """The image as `engine` holds it, or None."""
    for name in (image.config_digest, image.pull_reference, image.reference, keep_reference(image)):
        state = engine.image(name) if name else None
        if state is not None and _is(engine, state, image):
            return state
    return None


def config_digest_of(engine: Engine, state: ImageState) -> str:
    """The configuration's digest of an image that `engine` holds.

    An engine with the containerd store tells it only within the image's archive, which is read
    through.
    """
    if not _is_by_manifest(engine):
        return state.id
    return read_head(engine.save(state.id)).config_digest


def mark_verified(engine: Engine, image: ImageIdentity, state: ImageState) -> None:
    """Let an engine whose ids are manifest digests know again whose configuration was read."""
    if not _is(engine, state, image):
        engine.tag(state.id, keep_reference(image))


def image_gone(image: ImageIdentity, cause: str) -> RefusedError:
    """The error for an image that is nowhere to be had any more."""
    return RefusedError(
        "image-gone",
        f"the image {image.reference} cannot be brought to the host",
        cause=cause,
        hint="Deploy the commit again, which builds and ships it; with a registry in `image:` "
        "older releases stay available.",
    )


def _is(engine: Engine, state: ImageState, image: ImageIdentity) -> bool:
    """`is_image`, the engine asked for its store only where that decides."""
    if is_image(state, image):
        return True
    return is_image(state, image, is_by_manifest=True) and _is_by_manifest(engine)


def _is_by_manifest(engine: Engine) -> bool:
    return engine.facts().uses_containerd_store


def _transfer(source: Engine, target: Engine, name: str, progress: Progress | None) -> None:
    """Send the archive from the first layer that `target` lacks on."""
    if _is_by_manifest(target):
        target.load(source.save(name), progress)
        return
    head = read_head(source.save(name))
    first = _ask_missing(target, head)
    if first == len(head.layers):
        return
    total, sent = head.size_bytes(first), 0

    def count(size: int) -> None:
        nonlocal sent
        sent = min(sent + size, total)
        if progress is not None:
            progress(sent, total, "sending the image")

    try:
        target.load(without_layers(source.save(name), head, first, count))
    except EngineError:
        if first == 0:
            raise
        # A store that reads layers which it has: the whole archive suits every one.
        target.load(source.save(name), progress)


def _ask_missing(target: Engine, head: ArchiveHead) -> int:
    """The number of the first layer that `target` lacks: it is offered none, and names one."""
    try:
        target.load([head.bones])
    except EngineError as error:
        return first_missing(head, error.message) or 0
    return len(head.layers)


def _verify(engine: Engine, found: ImageState | None, image: ImageIdentity) -> None:
    """Raise IntegrityError (`image-mismatch`) unless `found` is the image."""
    if found is not None:
        if _is(engine, found, image):
            return
        digest = config_digest_of(engine, found)
        if digest == image.config_digest:
            mark_verified(engine, image, found)
            return
    else:
        digest = "nothing"
    raise IntegrityError(
        "image-mismatch",
        f"{engine.host}: {image.reference} is not the image that was shipped",
        cause=f"expected {image.config_digest}, the host has {digest}",
        hint="Check who writes to the registry, and the platforms of the hosts; then deploy again.",
    )


def _name(engine: Engine, image: ImageIdentity, found: ImageState | None) -> None:
    """Give the image its own tag where that is free, else one of this content alone."""
    name = found.id if found is not None else image.config_digest
    holder = engine.image(image.reference)
    if holder is not None and holder.id == name:
        return
    engine.tag(name, image.reference if holder is None else keep_reference(image))
