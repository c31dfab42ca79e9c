"""Tags of releases: given and taken after shipping, moved to what serves, and listed.

An immutable tag names one image for ever: one that names another is refused, with both digests. In
a registry a tag is given by the same manifest bytes, so that no digest changes; where there is no
registry, the images on the hosts get the name.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from underway.api.moments import rfc3339
from underway.api.past import names_of
from underway.api.session import Session, releases_of, require_release, tags_of
from underway.errors import EngineError, IntegrityError, RefusedError, UnreachableError
from underway.errors.suggestion import name_hint
from underway.image.apply import find_image, image_gone
from underway.image.reference import parse_reference
from underway.image.tags import moving_tags, require_tag
from underway.model.event import Level
from underway.model.image import ImageIdentity
from underway.model.names import ReleaseNumber
from underway.model.release import Release
from underway.model.snapshot import Snapshot
from underway.model.tagging import ReleaseTag
from underway.ports import Engine
from underway.ports.registry import Manifest, Registry

_DIGITS: Final = 19
"""Of a digest, in a note: its kind and twelve digits."""


def add_tag(session: Session, number: ReleaseNumber, tag: str) -> Release:
    """Give a recorded release another tag, which deploys it from now on; the same again is fine.

    Raises RefusedError (`tag-refused`, `tag-taken`, `release-unknown`, `image-gone`).
    """
    require_tag(tag)
    snapshot = session.observe()
    known = releases_of(snapshot)
    release = require_release(session.app, known, number)
    given = tags_of(snapshot)
    _require_free(release, tag, [(one, names_of(one, given)) for one in known.values()])
    for image in built_images(release):
        _name_image(session, image, tag)
    moment = rfc3339(session.clock.now())
    _record(session, snapshot, ReleaseTag(tag, number, moment, session.voice.actor))
    return release


def remove_tag(session: Session, tag: str) -> Release:
    """Take a tag away that was given to a release; the release and its image stay.

    Raises RefusedError (`tag-not-given`, `tag-not-removable`).
    """
    snapshot = session.observe()
    known = releases_of(snapshot)
    given = tags_of(snapshot)
    if tag not in given or given[tag] not in known:
        is_own = any(tag in (one.tag, *one.tags) for one in known.values())
        raise RefusedError(
            "tag-not-given",
            f"`{tag}` was not given to a release of {session.app} by `tag add`",
            cause="it was made when the release was shipped, and keeps its image" if is_own else "",
            hint=name_hint(tag, given) if given else "`underway tag list` shows all tags.",
        )
    release = known[given[tag]]
    for image in built_images(release):
        if image.pull_reference:
            session.workshop.registry().untag(image.repository, tag)
        else:
            for engine, _ in _holders(session, image):
                _untag(engine, parse_reference(image.reference).tagged(tag))
    moment = rfc3339(session.clock.now())
    word = ReleaseTag(tag, release.number, moment, session.voice.actor, is_removed=True)
    _record(session, snapshot, word)
    return release


def move_tags(session: Session, release: Release) -> None:
    """Move the release's moving tags to its images; what fails is noted, as it serves already."""
    for tag in moving_tags(release.spec.moving_tags, release.spec.environment):
        for image in built_images(release):
            try:
                _move(session, image, tag)
            except (UnreachableError, EngineError, RefusedError, IntegrityError) as error:
                text = f"`{tag}` was not moved: {error.message}"
                session.voice.note(Level.WARNING, "tag-not-moved", text)


def moving_remarks(release: Release) -> tuple[str, ...]:
    """What a plan says of tags that move once it is carried out."""
    tags = moving_tags(release.spec.moving_tags, release.spec.environment)
    images = built_images(release)
    return tuple(
        f"{parse_reference(image.reference).tagged(tag)} is moved to what serves then"
        for tag in tags
        for image in images
    )


def built_images(release: Release) -> tuple[ImageIdentity, ...]:
    """The images of a release that were built for it, one per repository and content, sorted."""
    built = {service.name for service in release.spec.services if service.build is not None}
    return tuple(sorted({entry.image for entry in release.images if entry.service in built}))


def _require_free(
    release: Release, tag: str, known: Iterable[tuple[Release, tuple[str, ...]]]
) -> None:
    """Refuse a tag that moves, or by which the records know another release."""
    if tag in moving_tags(release.spec.moving_tags, release.spec.environment):
        raise RefusedError(
            "tag-refused",
            f"`{tag}` follows what serves: it cannot name one release for ever",
            hint="Choose another tag, or take it out of `tags: {moving: ...}`.",
        )
    for other, names in known:
        if tag in names and other.number != release.number:
            there, here = (f"release {one.number} ({_digests(one)})" for one in (other, release))
            raise _taken("it", tag, there, here)


def _digests(release: Release) -> str:
    return ", ".join(image.config_digest for image in built_images(release))


def _name_image(session: Session, image: ImageIdentity, tag: str) -> None:
    """Give one image a tag, in its registry or on all hosts that hold it."""
    if image.pull_reference:
        registry = session.workshop.registry()
        there = registry.manifest(image.repository, tag)
        if there is not None and there.digest != image.manifest_digest:
            place = f"{image.repository}:{tag}"
            raise _taken(place, tag, there.digest, image.manifest_digest)
        if there is None:
            registry.put(image.repository, tag, _manifest(registry, image))
        return
    name = parse_reference(image.reference).tagged(tag)
    holders = tuple(_holders(session, image))
    if not holders:
        raise image_gone(image, "no host that answers holds it")
    for engine, identity in holders:
        there_id = state.id if (state := engine.image(name)) else identity
        if there_id != identity:
            raise _taken(f"{engine.host}: {name}", tag, there_id, identity)
    for engine, identity in holders:
        engine.tag(identity, name)


def _move(session: Session, image: ImageIdentity, tag: str) -> None:
    """Give an image a moving tag, and say so where it named something else."""
    name = parse_reference(image.reference).tagged(tag)
    if image.pull_reference:
        registry = session.workshop.registry()
        there = registry.manifest(image.repository, tag)
        before = there.digest if there else ""
        if before != image.manifest_digest:
            registry.put(image.repository, tag, _manifest(registry, image))
            _tell_moved(session, name, image.manifest_digest, before)
        return
    moved = [
        before
        for engine, identity in _holders(session, image)
        if (before := _retag(engine, name, identity)) != identity
    ]
    if moved:
        _tell_moved(session, name, image.config_digest, next(filter(None, moved), ""))


def _retag(engine: Engine, name: str, identity: str) -> str:
    """Give an image a name on one engine; what the name meant there before, or ""."""
    state = engine.image(name)
    before = state.id if state else ""
    if before != identity:
        engine.tag(identity, name)
    return before


def _tell_moved(session: Session, name: str, digest: str, before: str) -> None:
    text = f"{name} names {digest[:_DIGITS]} now"
    text += f", before it {before[:_DIGITS]}" if before else ", and nothing before"
    session.voice.note(Level.INFO, "tag-moved", text)


def _manifest(registry: Registry, image: ImageIdentity) -> Manifest:
    found = registry.manifest(image.repository, image.manifest_digest)
    if found is None:
        raise image_gone(image, f"{image.repository} no longer has {image.manifest_digest}")
    return found


def _holders(session: Session, image: ImageIdentity) -> Iterator[tuple[Engine, str]]:
    """The engines of the app that hold an image, each with its id there."""
    for host in sorted(session.world.engines):
        engine = session.world.engine(host)
        state = find_image(engine, image)
        if state is not None:
            yield engine, state.id


def _untag(engine: Engine, name: str) -> None:
    """Take a name from an image, unless it is the last one: that would remove the image."""
    state = engine.image(name)
    if state is not None and len(state.repo_tags) > 1:
        engine.remove_image(name)


def _record(session: Session, snapshot: Snapshot, word: ReleaseTag) -> None:
    """Write it to the ledger of every host that answers; the newest word counts."""
    for host in snapshot.reachable:
        if host.ledger is not None:
            session.world.ledger(host.name).record_tag(word)


def _taken(place: str, tag: str, there: str, wanted: str) -> RefusedError:
    return RefusedError(
        "tag-taken",
        f"`{tag}` names another image already, and a tag is never moved",
        cause=f"{place} is {there}, not {wanted}",
        hint="Choose another tag; one that follows what serves stands in `tags: {moving: ...}`.",
    )
