"""Ship: build once, tag, push, resolve, and make the release that everything else refers to."""

import secrets
from dataclasses import dataclass, replace

from underway.api.attesting import attested_in_registry
from underway.api.moments import rfc3339
from underway.api.ordering import ShipWish, order_of
from underway.api.session import (
    Session,
    Shipped,
    current_release,
    ledgers_of,
    releases_of,
    require_answer,
    require_release,
)
from underway.api.testing import Proving, Purpose, attested
from underway.errors import IntegrityError, RefusedError
from underway.kernel.records import disputed_releases
from underway.model.image import ImageIdentity
from underway.model.names import NO_RELEASE, ReleaseNumber
from underway.model.release import Release
from underway.model.sensitive import SensitiveValues, digests_of
from underway.model.snapshot import Snapshot
from underway.model.spec import AppSpec
from underway.model.testing import Proof, proof_of

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Cargo:
    """A release with what may not be recorded: its sensitive values and the app's digest key.

    `remarks` are what its plans say of how it was chosen.
    """

    release: Release
    values: SensitiveValues
    key: bytes
    remarks: tuple[str, ...] = ()


def key_of(session: Session, snapshot: Snapshot) -> bytes:
    """The app's digest key from any vault that has it, else a new one."""
    return vault_key(session, snapshot) or secrets.token_bytes(KEY_BYTES)


def vault_key(session: Session, snapshot: Snapshot) -> bytes | None:
    """The digest key that stands in a vault; None before the first one was written.

    A vault whose first values did not arrive whole may hold the key alone.
    """
    filled = [host.name for host in snapshot.reachable if host.vault]
    others = [host.name for host in snapshot.reachable if host.ledger and not host.vault]
    for name in (*filled, *(others if session.values or session.unread else ())):
        key = session.world.vault(name).key()
        if key:
            return key
    return None


def load_cargo(
    session: Session,
    snapshot: Snapshot,
    *,
    wish: ShipWish | None = None,
    purpose: Purpose = Purpose.SHIP,
    running: Release | None = None,
) -> Cargo:
    """Build, test and push the images of the file and make its release, not recorded yet.

    Where nothing differs from the current release, the current release is returned: shipping the
    same again changes nothing. Before the first release, what is not built keeps the images of
    `running`. Raises what building, pushing and resolving raise, and what failed
    tests amount to.
    """
    session.require_whole()
    require_environment(session, snapshot)
    proving = Proving(session, snapshot, purpose)
    order = order_of(session, snapshot, wish or ShipWish(), is_test=purpose is Purpose.TEST)
    order = replace(order, previous=order.previous or running)
    shipped = session.workshop.ship(session.spec, order, session.voice, proving)
    key = key_of(session, snapshot)
    made = replace(release_of(session, shipped, snapshot, key), suites=proving.released)
    return Cargo(known_or_new(snapshot, made), session.values, key)


def release_of(session: Session, shipped: Shipped, snapshot: Snapshot, key: bytes) -> Release:
    """What was shipped as a release of the next number, not recorded yet."""
    return Release(
        number=ReleaseNumber(max(releases_of(snapshot), default=0) + 1),
        spec=shipped.spec,
        images=shipped.images,
        sensitive=digests_of(session.values, key),
        tag=shipped.tag,
        commit=shipped.commit,
        created_at=rfc3339(session.clock.now()),
        created_by=session.voice.actor,
        tags=shipped.tags,
        version=shipped.version,
    )


def known_or_new(snapshot: Snapshot, made: Release) -> Release:
    """The current or the newest release where it puts the same on the hosts, else what was made."""
    known = releases_of(snapshot)
    for release in _newest_first(known, current_release(snapshot)):
        if is_same(release, made):
            return release
    return made


def require_environment(session: Session, snapshot: Snapshot) -> None:
    """Refuse to put one environment over another of the same name: `environment-taken`."""
    current = current_release(snapshot)
    wanted = session.spec.environment
    if current is None or current.spec.environment == wanted or session.changes_environment:
        return
    here, other = (_environment(name) for name in (current.spec.environment, wanted))
    if session.confirm(f"{session.app} runs as {here}. Make it {other}?"):
        return
    raise RefusedError(
        "environment-taken",
        f"{session.app} runs as {here} on these hosts, and this is {other}",
        cause="environments that share hosts are apps of different names",
        hint="Choose it with -E, or write a `name:` of its own into its file. Where the "
        "environment itself was renamed, `--yes` says so.",
    )


def _environment(name: str) -> str:
    return f"environment `{name}`" if name else "no environment"


def _newest_first(known: dict[int, Release], previous: Release | None) -> list[Release]:
    """The current release, and the newest one recorded: an interrupted deploy goes on with it."""
    newest = [known[max(known)]] if known else []
    return [release for release in (previous, *newest) if release is not None]


def is_same(one: Release, other: Release) -> bool:
    """Whether two releases put the same on the hosts."""

    def content(release: Release) -> tuple[object, ...]:
        spec = replace(release.spec, remarks=(), tags=(), moving_tags=(), bump="")
        images = tuple((e.service, e.image.config_digest) for e in release.images)
        return (_placeless(spec), images, release.sensitive)

    return content(one) == content(other)


def _placeless(spec: AppSpec) -> AppSpec:
    """Without the lines services stand on: moving a service in the file changes nothing."""
    services = tuple(
        replace(s, place="", build=replace(s.build, context="", definition="") if s.build else None)
        for s in spec.services
    )
    return replace(spec, services=services)


def recorded(
    session: Session, snapshot: Snapshot, number: ReleaseNumber, *, current_secrets: bool = False
) -> Cargo:
    """A recorded release with its own values from the vault, or with today's.

    Raises RefusedError `release-unknown`, IntegrityError `record-conflict`, `values-missing`.
    """
    require_answer(session, snapshot.unreachable)
    known = releases_of(snapshot)
    release = require_release(session.app, known, number)
    _require_undisputed(snapshot, number)
    key = key_of(session, snapshot)
    if current_secrets:
        session.require_whole()
        wanted = {entry.name for entry in release.sensitive}
        values = {name: value for name, value in session.values.items() if name in wanted}
        missing = sorted(wanted - set(values))
        if missing:
            raise RefusedError(
                "values-not-given",
                f"today's file has no value for {', '.join(missing)} of release {number}",
                hint="leave out --current-secrets, or give the values",
            )
        fresh = replace(
            release,
            number=ReleaseNumber(max(known) + 1),
            sensitive=digests_of(values, key),
            created_at=rfc3339(session.clock.now()),
            created_by=session.voice.actor,
        )
        return Cargo(release if is_same(release, fresh) else fresh, values, key)
    return Cargo(release, stored_values(session, snapshot, release, key), key)


def _require_undisputed(snapshot: Snapshot, number: ReleaseNumber) -> None:
    """Raise IntegrityError `record-conflict` where hosts hold different releases of this number."""
    hosts = disputed_releases(ledgers_of(snapshot)).get(number)
    if hosts:
        raise IntegrityError(
            "record-conflict",
            f"release {number} is not the same on {', '.join(hosts)}",
            cause="two clients took the number, or somebody wrote one of the records",
            hint="Deploy another release, or the file: it takes a number of its own.",
        )


def require_proof(session: Session, snapshot: Snapshot, release: Release) -> None:
    """Raise RefusedError `release-untested` where a release's tests have not passed by now."""
    if not session.testing.is_required:
        return
    is_untested = proof_of(release.suites, attested(session, snapshot)) is Proof.UNTESTED
    if is_untested and not _is_proved_in_registry(session, release):
        names = ", ".join(suite.suite for suite in release.suites if not suite.has_passed)
        raise RefusedError(
            "release-untested",
            f"release {release.number} was shipped without having passed its tests: {names}",
            hint="`underway deploy` without a release tests the file's; --untested deploys this"
            " one all the same",
        )


def _is_proved_in_registry(session: Session, release: Release) -> bool:
    found = attested_in_registry(session, release)
    return proof_of(release.suites, found) is Proof.PASSED


def require_clean(session: Session, release: Release) -> None:
    """Raise RefusedError `release-dirty` where the policy wants commits, and it holds more."""
    if session.requires_clean and not release.is_committed:
        raise RefusedError(
            "release-dirty",
            f"release {release.number} holds work that was not committed",
            cause="`policy: {require: [clean]}` of the file",
            hint="Commit, and deploy the file; rolling back never asks.",
        )


def stored_values(
    session: Session, snapshot: Snapshot, release: Release, key: bytes
) -> SensitiveValues:
    """A release's values from the first vault that has them.

    A vault may hold those of a run that died before it recorded a release of that number: the
    digests tell them apart. Raises IntegrityError `values-missing`.
    """
    if not release.sensitive or release.number == NO_RELEASE:
        return {}
    for host in snapshot.reachable:
        if release.number in host.vault:
            values = session.world.vault(host.name).read(release.number)
            if values is not None and digests_of(values, key) == release.sensitive:
                return values
    raise IntegrityError(
        "values-missing",
        f"no vault that answers holds the sensitive values of release {release.number}",
        hint="bring the missing host back, or use --current-secrets",
    )


def images_of(release: Release) -> tuple[ImageIdentity, ...]:
    """The distinct images of a release, sorted."""
    return tuple(sorted({entry.image for entry in release.images}))
