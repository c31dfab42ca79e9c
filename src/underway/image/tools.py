"""The one image of ours that runs on hosts: taken from a registry, or built from this package."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from underway.errors import EngineError, UnreachableError
from underway.image.apply import config_digest_of, mark_verified
from underway.image.definition import with_labels
from underway.image.reference import parse_reference
from underway.image.yard import Yard
from underway.model.image import ImageIdentity, ImageState
from underway.model.names import LABEL_TOOLS, HostName
from underway.model.spec import BuildSpec
from underway.ports import Engine

_DIGITS: Final = 12
_HOSTS_AT_ONCE: Final = 16


def ensure_tools_image(yard: Yard, *, reference: str, directory: Path, base: str) -> ImageIdentity:
    """The tools image: found on the hosts, pulled, or built once and kept by content.

    `reference` with a registry is pulled; without one it is built from `directory` on `base` (""
    for the Dockerfile's own), unless a host holds one built from the same: each machine that builds
    makes another image of it, and a fleet keeps the one it has. Raises what the registry or the
    builder says.
    """
    wanted = parse_reference(reference)
    if wanted.names_registry:
        return _pulled(yard.engine, reference, yard.progress)
    digits = content_digest(directory, base)[:_DIGITS]
    name = wanted.tagged(f"{wanted.tag}-{digits}" if wanted.tag else digits)
    engine, state = _held(yard.hosts, name, digits) or (yard.engine, yard.engine.image(name))
    if state is None:
        yard.progress(f"building the tools image {name}")
        arguments = {"args": {"BASE": base}} if base else {}
        build = BuildSpec(str(directory), "Dockerfile", json.dumps(arguments))
        yard.builder.build(with_labels(build, {LABEL_TOOLS: digits}), (name,), yard.progress)
        state = _present(engine, name)
    image = ImageIdentity(name, config_digest_of(engine, state))
    mark_verified(engine, image, state)
    return image


def _held(
    hosts: Mapping[HostName, Engine], name: str, digits: str
) -> tuple[Engine, ImageState] | None:
    """The image with these digits that most hosts hold, and a host that does."""
    engines = [hosts[host] for host in sorted(hosts)]
    if not engines:
        return None
    with ThreadPoolExecutor(min(_HOSTS_AT_ONCE, len(engines))) as pool:
        named = list(pool.map(lambda engine: _images(engine, name, digits), engines))
        if len({tuple(image.id for image in held) for held in named}) > 1:
            named = list(pool.map(lambda engine: _images(engine, "", digits), engines))
    found = [(e, image) for e, held in zip(engines, named, strict=True) for image in held]
    counts = Counter(image.id for _, image in found)
    return min(found, key=lambda one: (-counts[one[1].id], one[1].id, one[0].host), default=None)


def _images(engine: Engine, name: str, digits: str) -> list[ImageState]:
    """The tools images of these digits on a host, or just the one called `name`."""
    try:
        held = [engine.image(name)] if name else engine.images()
    except (UnreachableError, EngineError):
        return []
    return [image for image in held if image and dict(image.labels).get(LABEL_TOOLS) == digits]


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
