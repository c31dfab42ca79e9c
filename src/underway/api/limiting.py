"""`--limit`: a release that comes to some hosts alone, and what stays on the others meanwhile."""

from collections.abc import Collection
from dataclasses import dataclass

from underway.api.session import (
    Session,
    current_release,
    recorded_limit,
    releases_of,
)
from underway.api.shipping import stored_values, vault_key
from underway.errors import RefusedError, UsageError
from underway.errors.suggestion import name_hint
from underway.model.names import HostName, ReleaseNumber
from underway.model.release import Release
from underway.model.sensitive import SensitiveValues
from underway.model.snapshot import Snapshot
from underway.rollout.beside import Beside


@dataclass(frozen=True, slots=True)
class Aside:
    """What stays beside the release of a run, with its sensitive values."""

    beside: Beside
    values: SensitiveValues

    def by_host(self) -> dict[HostName, SensitiveValues]:
        """The values of each host that keeps it."""
        spec = self.beside.release.spec
        return {h.name: self.values for h in spec.hosts if h.name not in self.beside.hosts}


def beside_now(snapshot: Snapshot) -> Beside | None:
    """What stays beside the current release on purpose, as it is recorded."""
    limit = recorded_limit(snapshot)
    others = releases_of(snapshot).get(limit.others) if limit else None
    return Beside(frozenset(limit.hosts), others) if limit and others else None


def kept_aside(session: Session, snapshot: Snapshot) -> Aside | None:
    """What stays beside the current release, with its values from the vault."""
    return _aside(session, snapshot, beside_now(snapshot))


def limited(
    session: Session, snapshot: Snapshot, release: Release, hosts: Collection[HostName]
) -> Aside | None:
    """What stays where `release` comes to `hosts` alone, or comes to more of them.

    None where all have it then. Raises UsageError `named-host-unknown`, RefusedError `limit-unfit`.
    """
    every = [host.name for host in release.spec.hosts]
    for name in sorted({*hosts} - {*every}):
        raise UsageError(
            "named-host-unknown", f"the app has no host `{name}`", hint=name_hint(name, every)
        )
    current, known = current_release(snapshot), recorded_limit(snapshot)
    if current is None:
        raise RefusedError(
            "limit-unfit",
            "nothing was deployed yet: there is nothing that other hosts could keep",
            hint="leave --limit out",
        )
    others, wanted = current.number, {*hosts}
    if known:
        others = known.others
        wanted |= _grown(release, current.number, known.hosts, wanted)
    if release.number == others or wanted.issuperset(every):
        return None
    found = releases_of(snapshot)
    return _aside(session, snapshot, Beside(frozenset(wanted), found[others]))


def _grown(
    release: Release, current: ReleaseNumber, there: Collection[HostName], wanted: set[HostName]
) -> set[HostName]:
    """The hosts that have the release already; RefusedError where a third one would come."""
    if release.number == current:
        return {*there}
    if missing := sorted({*there} - wanted):
        names = " ".join(f"--limit {name}" for name in sorted({*there, *wanted}))
        raise RefusedError(
            "limit-unfit",
            f"{', '.join(missing)} has release {current} alone: three releases would run at once",
            hint=f"`underway deploy {current}` completes it, `underway rollback` takes it back; "
            f"or name its hosts, too: {names}",
        )
    return set()


def _aside(session: Session, snapshot: Snapshot, beside: Beside | None) -> Aside | None:
    if beside is None:
        return None
    key = vault_key(session, snapshot) or b""
    return Aside(beside, stored_values(session, snapshot, beside.release, key))
