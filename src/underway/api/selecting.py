"""`--only`: what some services of the file, or of a recorded release, make with what runs."""

from dataclasses import replace

from underway.api.comparing import file_release
from underway.api.moments import rfc3339
from underway.api.ordering import ShipWish
from underway.api.session import Session, current_release, releases_of, require_answer
from underway.api.shipping import (
    Cargo,
    key_of,
    known_or_new,
    load_cargo,
    recorded,
    stored_values,
)
from underway.api.testing import Purpose
from underway.errors import UsageError
from underway.model.names import ReleaseNumber, SensitiveName, ServiceName
from underway.model.release import Release, ServiceImage
from underway.model.sensitive import Sensitive, SensitiveValues, digests_of
from underway.model.snapshot import Snapshot
from underway.model.testing import ReleasedSuite
from underway.rollout.selection import Selection, used_values


def shipped_only(
    session: Session,
    snapshot: Snapshot,
    names: frozenset[ServiceName],
    *,
    wish: ShipWish,
    purpose: Purpose,
) -> Cargo:
    """Build, test and push these services of the file alone; the release that they make.

    Raises what `load_cargo` raises, UsageError `service-unknown`, RefusedError `only-entangled`.
    """
    session.require_whole()
    require_answer(session, snapshot.unreachable)
    if others := sorted(wish.refresh - names):
        raise UsageError(
            "usage",
            f"--pull {others[0]} asks for a service that --only leaves out",
            hint=f"add --only {others[0]}, or leave --pull out",
        )
    current = current_release(snapshot)
    chosen = Selection(names, session.spec, current, "the file")
    spec = chosen.spec()
    suites = tuple(suite for suite in session.testing.suites if suite.service in names)
    for suite in suites:
        chosen.require_there(suite.name, suite.needs)
    key = key_of(session, snapshot)
    narrowed = replace(
        session,
        spec=spec,
        values=_values(session, snapshot, chosen, session.values, key),
        testing=replace(session.testing, suites=suites),
    )
    cargo = load_cargo(narrowed, snapshot, wish=replace(wish, only=names), purpose=purpose)
    chosen.require_prepared({entry.service: entry.image for entry in cargo.release.images})
    whole = file_release(session, snapshot, current) if current else cargo.release
    left = tuple(chosen.left(whole, is_built=False))
    return replace(cargo, release=_tested(snapshot, cargo.release, current), remarks=left)


def recorded_only(
    session: Session,
    snapshot: Snapshot,
    number: ReleaseNumber,
    names: frozenset[ServiceName],
    *,
    current_secrets: bool = False,
) -> Cargo:
    """These services of a recorded release, with their values; the release that they make.

    Raises what `recorded` raises, UsageError `service-unknown`, RefusedError `only-entangled`.
    """
    source = recorded(session, snapshot, number, current_secrets=current_secrets)
    current = current_release(snapshot)
    title = f"release {number}"
    chosen = Selection(names, source.release.spec, current, title)
    spec = chosen.spec()
    found = {e.service: e for e in source.release.images if e.service in names}
    found |= {
        entry.service: entry
        for entry in (current.images if current else ())
        if entry.service not in names
    }
    images: dict[ServiceName, ServiceImage] = {s.name: found[s.name] for s in spec.services}
    chosen.require_prepared({name: entry.image for name, entry in images.items()})
    values = _values(session, snapshot, chosen, source.values, source.key)
    made = Release(
        number=ReleaseNumber(max(releases_of(snapshot), default=0) + 1),
        spec=spec,
        images=tuple(images[name] for name in sorted(images)),
        sensitive=digests_of(values, source.key),
        commit=source.release.commit,
        created_at=rfc3339(session.clock.now()),
        created_by=session.voice.actor,
        suites=source.release.suites,
    )
    release = _tested(snapshot, known_or_new(snapshot, made), current)
    left = tuple(chosen.left(source.release, is_built=True))
    return Cargo(release, values, source.key, left)


def _values(
    session: Session, snapshot: Snapshot, chosen: Selection, wanted: SensitiveValues, key: bytes
) -> dict[SensitiveName, Sensitive]:
    """The values of both sides; RefusedError `only-entangled` where they are at odds."""
    kept = used_values(chosen.kept)
    taken = used_values(chosen.taken)
    # What only services use that are left out is no part of the release.
    dropped = used_values(chosen.wanted.services) - taken
    values = {name: value for name, value in wanted.items() if name not in dropped}
    if chosen.current is None or not kept:
        return values
    stored = stored_values(session, snapshot, chosen.current, key)
    changed = {n for n in taken & kept if n in stored and stored[n] != wanted.get(n)}
    if changed:
        users = [s.name for s in chosen.kept if used_values([s]) & changed]
        told = f"{', '.join(users)} uses a sensitive value that changed, too"
        chosen.refuse(told, ", ".join(sorted(changed)), users)
    return values | {name: stored[name] for name in kept if name in stored}


def _tested(snapshot: Snapshot, release: Release, current: Release | None) -> Release:
    """The release, not recorded yet, with what the tests of services that stay came to."""
    if release.number in releases_of(snapshot) or current is None:
        return release
    suites: dict[str, ReleasedSuite] = {s.suite: s for s in (*current.suites, *release.suites)}
    return replace(release, suites=tuple(suites[name] for name in sorted(suites)))
