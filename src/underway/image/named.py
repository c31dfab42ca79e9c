"""Images that are named and not built: a reference resolved to a digest once, then kept."""

from collections.abc import Callable
from typing import Final

from underway.errors import EngineError, RefusedError, UnderwayError, UnreachableError
from underway.image.apply import config_digest_of, mark_verified
from underway.image.reference import Reference, parse_reference
from underway.image.steps import digest_in
from underway.model.image import ImageIdentity, ImageState
from underway.model.spec import ServiceSpec
from underway.ports import Engine

_NO_ANSWER: Final = frozenset({"registry-unreachable", "image-missing", "registry-denied"})


def named_image(
    service: ServiceSpec,
    kept: ImageIdentity | None,
    *,
    engine: Engine,
    workshop: Engine,
    progress: Callable[[str], None],
) -> ImageIdentity:
    """The identity behind a service's `image:`; `kept` where there is one.

    The registry is asked by `engine`, the service's first host, so that the platform is right.
    Where none answers, an image that this host or the `workshop` engine holds is taken, and said.
    The manifest digest is the one the tag points to: an index where the image has one, which
    gives the same content on every host of one platform. Raises what the registry said.
    """
    if kept is not None:
        return kept
    reference = parse_reference(service.image, place=service.place)
    if not reference.tag and not reference.digest:
        progress(
            f"{service.name}: `{service.image}` names no tag; what it is today is kept until"
            f" `--pull {service.name}`"
        )
    holder, state = _held(service.image, engine, workshop)
    if state is not None and not state.repo_digests:
        return _identity(holder, reference, state, "")  # built by hand, never in a registry
    try:
        return _asked(engine, reference, progress)
    except (EngineError, UnreachableError) as error:
        if state is None and error.code == "image-missing":
            raise _unknown(service, error) from error
        if state is None or error.code not in _NO_ANSWER:
            raise
        progress(f"{service.name}: {error.message}; the image on {holder.host} is taken")
        return _identity(holder, reference, state, digest_in(state, reference.repository))


def _unknown(service: ServiceSpec, error: UnderwayError) -> RefusedError:
    return RefusedError(
        "image-unknown",
        f"service `{service.name}` names image `{service.image}`, which is not there",
        cause=error.message,
        hint="Build and push it, or correct `image:`.",
        place=service.place,
    )


def image_that_runs(service: ServiceSpec, engine: Engine, image_id: str) -> ImageIdentity | None:
    """The identity of an image that a container runs, by the service's name for it."""
    state = engine.image(image_id)
    if state is None:
        return None
    reference = parse_reference(service.image, place=service.place)
    return _identity(engine, reference, state, digest_in(state, reference.repository))


def _held(name: str, *engines: Engine) -> tuple[Engine, ImageState | None]:
    """The first engine that holds an image of this name."""
    for engine in engines:
        state = engine.image(name)
        if state is not None:
            return engine, state
    return engines[0], None


def _asked(engine: Engine, reference: Reference, progress: Callable[[str], None]) -> ImageIdentity:
    """What the registry says, pulled once to learn the configuration's digest."""
    digest = reference.digest or engine.resolve(_tagged(reference))
    pulled = f"{reference.repository}@{digest}"
    if engine.image(pulled) is None:
        progress(f"pulling {pulled}")
        engine.pull(pulled)
    state = engine.image(pulled)
    if state is None:
        raise EngineError("image-missing", f"{engine.host}: {pulled} is gone after its pull")
    return _identity(engine, reference, state, digest)


def _tagged(reference: Reference) -> str:
    return reference.tagged(reference.tag or "latest")


def _identity(
    engine: Engine, reference: Reference, state: ImageState, digest: str
) -> ImageIdentity:
    """The identity; an image pinned by digest alone is named after its digits."""
    tag = reference.tag or (reference.digest.removeprefix("sha256:")[:12] or "latest")
    image = ImageIdentity(
        reference=reference.tagged(tag),
        config_digest=config_digest_of(engine, state),
        manifest_digest=digest,
        repository=reference.repository if digest else "",
    )
    mark_verified(engine, image, state)
    return image
