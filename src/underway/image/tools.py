"""The one image of ours that runs on hosts: taken from a registry, or built from this package."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from underway.errors import EngineError, UnreachableError
from underway.image.apply import config_digest_of, mark_verified
from underway.image.definition import with_labels
from underway.image.reference import parse_reference
from underway.model.image import ImageIdentity, ImageState
from underway.model.names import LABEL_TOOLS
from underway.model.spec import BuildSpec
from underway.ports import Builder, Engine

_DIGITS: Final = 12


def ensure_tools_image(
    builder: Builder,
    engine: Engine,
    *,
    reference: str,
    directory: Path,
    base: str,
    progress: Callable[[str], None],
) -> ImageIdentity:
    """The tools image, present on `engine`: found, pulled, or built once and kept by content.

    `reference` with a registry is pulled; without one it is built from `directory` on `base` (""
    for the Dockerfile's own). Raises what the registry or the builder says.
    """
    wanted = parse_reference(reference)
    if wanted.names_registry:
        return _pulled(engine, reference, progress)
    digits = content_digest(directory, base)[:_DIGITS]
    name = wanted.tagged(f"{wanted.tag}-{digits}" if wanted.tag else digits)
    state = engine.image(name)
    if state is None:
        progress(f"building the tools image {name}")
        arguments = {"args": {"BASE": base}} if base else {}
        build = BuildSpec(str(directory), "Dockerfile", json.dumps(arguments))
        builder.build(with_labels(build, {LABEL_TOOLS: digits}), (name,), progress)
        state = _present(engine, name)
    image = ImageIdentity(name, config_digest_of(engine, state))
    mark_verified(engine, image, state)
    return image


def content_digest(directory: Path, base: str) -> str:
    """Hex SHA-256 over names, modes and bytes of all files below `directory`, and `base`."""
    digest = hashlib.sha256(base.encode())
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        runs = bool(path.stat().st_mode & 0o100)
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"\n{path.relative_to(directory).as_posix()} {runs} {content}".encode())
    return digest.hexdigest()


def _pulled(engine: Engine, reference: str, progress: Callable[[str], None]) -> ImageIdentity:
    """The image by the digest its registry tells; the one here where no registry answers."""
    wanted = parse_reference(reference)
    try:
        digest = wanted.digest or engine.resolve(reference)
    except UnreachableError as error:
        state = engine.image(reference)
        if state is None or error.code != "registry-unreachable":
            raise
        progress(f"{error.message}; the tools image on {engine.host} is taken")
        return ImageIdentity(reference, config_digest_of(engine, state))
    pulled = f"{wanted.repository}@{digest}"
    if engine.image(pulled) is None:
        progress(f"pulling {pulled}")
        engine.pull(pulled)
    config = config_digest_of(engine, _present(engine, pulled))
    name = wanted.tagged(wanted.tag or digest.removeprefix("sha256:")[:_DIGITS])
    return ImageIdentity(name, config, digest, wanted.repository)


def _present(engine: Engine, name: str) -> ImageState:
    state = engine.image(name)
    if state is None:
        raise EngineError("image-missing", f"{engine.host}: {name} is gone right after it came")
    return state
