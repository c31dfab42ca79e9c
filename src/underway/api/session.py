"""One run of a command: the file understood, the open connections, and the voice that tells."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, Protocol

from underway.errors import BugError, RefusedError, UnderwayError, UnreachableError
from underway.image.versions import VersionWish
from underway.kernel.observe import observe, observe_closely
from underway.kernel.records import (
    last_run,
    most_advanced_first,
    recorded_releases,
    recorded_runs,
    recorded_tags,
)
from underway.kernel.telling import Voice
from underway.kernel.trust import Trust
from underway.kernel.world import World
from underway.model.backup import BackupPolicy
from underway.model.event import Outcome
from underway.model.image import ImageIdentity
from underway.model.kept_project import KeptProject
from underway.model.look import Way
from underway.model.names import AppName, HostName, ReleaseNumber, RunNumber, ServiceName
from underway.model.notice import Notice
from underway.model.outline import Outline
from underway.model.release import Adjustment, LedgerState, Limit, Release, RunRecord, ServiceImage
from underway.model.sensitive import SensitiveValues
from underway.model.snapshot import Snapshot, Unreachable
from underway.model.spec import AppSpec
from underway.model.testing import Attestation, Suites
from underway.ports import Clock, Engine, Progress
from underway.ports.backup import OpenStore, Watchdog
from underway.ports.conversation import CommandDesk
from underway.ports.locking import Locks
from underway.ports.notifying import Notify
from underway.ports.registry import Registry
from underway.ports.signing import Signer
from underway.ports.snapshots import ImageShelf

if TYPE_CHECKING:
    from underway.image.shipment import Prove
    from underway.image.testing.bench import Bench


@dataclass(frozen=True, slots=True)
class Shipped:
    """What building and resolving gave.

    `spec` is the file's with what only the images tell filled in (the port a proxied service
    exposes); `images` has an identity for every service.
    """

    spec: AppSpec
    images: tuple[ServiceImage, ...]
    tag: str
    commit: str
    tags: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of shipping beside the file.

    Images of services that are not built keep the digest of `previous` unless their service is in
    `refresh`. `shipped` are pairs of version and commit of the releases that are recorded. Where
    `only` is not empty, services that it does not name keep the images of `previous`.
    """

    previous: Release | None = None
    refresh: frozenset[ServiceName] = frozenset()
    version: VersionWish = field(default_factory=VersionWish)
    shipped: tuple[tuple[str, str], ...] = ()
    requires_clean: bool = False
    only: frozenset[ServiceName] = frozenset()


class Ship(Protocol):
    """Builds, tags, pushes and resolves the images of a specification."""

    def __call__(self, spec: AppSpec, order: Order, voice: Voice, prove: "Prove") -> Shipped:
        """Ship what `spec` says; `prove` is asked before anything is pushed."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A recorded release whose images go to this app; see `image.promotion.Promotion`."""

    origin: Release
    previous: Release | None
    sources: tuple[Engine, ...]
    is_moved: bool


def _no_carry(*_: object) -> NoReturn:
    raise BugError("bug", "a release was to be carried where there is no way")


def _no_registry() -> NoReturn:
    raise BugError("bug", "a registry was asked for where there is none")


@dataclass(frozen=True, slots=True)
class Workshop:
    """How images come to be and to hosts, as functions over ports.

    `tools` makes or finds the tools image; `pull` and `send` bring an image onto a host and
    verify it; `bench` is where tests run: a host of the app, or with None where images are built.
    `registry` asks the registries of images; `carry` brings the images of another app's release.
    """

    ship: Ship
    tools: Callable[[], ImageIdentity]
    pull: Callable[[Engine, ImageIdentity, Progress], None]
    send: Callable[[Engine, ImageIdentity, Progress], None]
    bench: "Callable[[HostName | None, Voice], Bench]"
    registry: Callable[[], Registry] = _no_registry
    carry: Callable[[AppSpec, Parcel, Voice], Shipped] = _no_carry


def _nobody(notice: Notice) -> tuple[str, ...]:
    del notice
    return ()


@dataclass(frozen=True, slots=True)
class BackupDesk:
    """What backups need: the file's policy, stores beside the data, a watchdog, their own lock.

    `kept` is what a point holds of the project, so that its values can be read anew elsewhere.
    `notify` tells whoever the file names.
    """

    policy: BackupPolicy
    open_store: OpenStore
    watchdog: Watchdog
    locks: Locks
    kept: KeptProject | None = None
    notify: Notify = _nobody


@dataclass(slots=True)
class Session:
    """Everything a use case needs. `cancel` is set when the user asks to stop.

    `confirm` is asked with a question where a plan interrupts a service and nothing was said on
    the command line; it answers False where nobody can be asked. `way_to` tells how a connected
    host is reached. Where only the file's site was read, `unread` says why: `spec` then has no
    services and there are no `values`, and nothing may be shipped from it. `attestations` are
    the suites that passed in this run, by definition. `backups` is None where the file names no
    repository. With `requires_clean`, uncommitted work is neither shipped nor deployed.
    `signer` signs for a team that has a key. `changes_environment` takes the app from one
    environment to another.
    `shelf` takes containers' file systems as images.
    `trust` judges the history that is seen on each host for the first time. `noticed` is told of
    every snapshot.
    """

    spec: AppSpec
    values: SensitiveValues
    world: World
    locks: Locks
    workshop: Workshop
    clock: Clock
    voice: Voice
    confirm: Callable[[str], bool] = lambda _: False
    cancel: threading.Event = field(default_factory=threading.Event)
    way_to: Callable[[HostName], Way] = lambda _: Way.SOCKET
    unread: UnderwayError | None = None
    testing: Suites = field(default_factory=Suites)
    attestations: dict[str, Attestation] = field(default_factory=dict)
    backups: BackupDesk | None = None
    requires_clean: bool = False
    changes_environment: bool = False
    signer: Signer | None = None
    trust: Trust = field(default_factory=Trust)
    commands: CommandDesk | None = None
    noticed: Callable[[Snapshot], None] = lambda _: None
    shelf: ImageShelf | None = None

    @property
    def app(self) -> AppName:
        """The app."""
        return self.spec.name

    def require_whole(self) -> None:
        """Raise why the file's services and values were not read, if they were not.

        A release made of a site alone would take every service off its hosts.
        """
        if self.unread is not None:
            raise self.unread

    def observe(self) -> Snapshot:
        """What all hosts hold now; IntegrityError where a host's history is in doubt."""

        def look() -> Snapshot:
            return observe(self.world, now=self.clock.now())

        return self._judged(look)

    def observe_closely(self) -> Snapshot:
        """As `observe`, with what only the inspection of each replica tells."""

        def look() -> Snapshot:
            return observe_closely(self.world, now=self.clock.now())

        return self._judged(look)

    def _judged(self, look: Callable[[], Snapshot]) -> Snapshot:
        snapshot = self.trust.judged(self.world, self.voice, look)
        self.noticed(snapshot)
        return snapshot


def ledgers_of(snapshot: Snapshot) -> tuple[LedgerState, ...]:
    """What the hosts' ledgers hold, the most advanced first."""
    return most_advanced_first(host.ledger for host in snapshot.reachable if host.ledger)


def next_run(snapshot: Snapshot) -> RunNumber:
    """A run number above every one that any ledger or edge has seen."""
    numbers = [last_run(ledger) for ledger in ledgers_of(snapshot)]
    for host in snapshot.reachable:
        for _, number in host.edge.runs if host.edge else ():
            numbers.append(number)
    return RunNumber(max(numbers, default=0) + 1)


def releases_of(snapshot: Snapshot) -> dict[int, Release]:
    """All recorded releases by number; the most advanced ledger wins."""
    return recorded_releases(ledgers_of(snapshot))


def require_release(app: AppName, known: Mapping[int, Release], number: int) -> Release:
    """The release of that number; RefusedError `release-unknown` where none is recorded."""
    if number not in known:
        newest = f"; the newest is {max(known)}" if known else ""
        raise RefusedError(
            "release-unknown",
            f"release {number} of {app} is not recorded on any host that answers",
            hint=f"`underway releases` lists them{newest}",
        )
    return known[number]


def current_release(snapshot: Snapshot) -> Release | None:
    """The release the app runs, as the most advanced ledger says; None before the first."""
    releases = releases_of(snapshot)
    for ledger in ledgers_of(snapshot):
        if ledger.current in releases:
            return releases[ledger.current]
    return None


def recorded_adjustments(snapshot: Snapshot) -> tuple[Adjustment, ...]:
    """What was asked of services beside the release, as the most advanced ledger says."""
    return next((ledger.adjustments for ledger in ledgers_of(snapshot)), ())


def recorded_limit(snapshot: Snapshot) -> Limit | None:
    """The hosts that the current release stands on alone, as the most advanced ledger says."""
    return next((ledger.limit for ledger in ledgers_of(snapshot)), None)


def tags_of(snapshot: Snapshot) -> dict[str, ReleaseNumber]:
    """The release behind each tag that somebody gave to one after it was shipped."""
    return recorded_tags(ledgers_of(snapshot))


def runs_of(snapshot: Snapshot) -> tuple[RunRecord, ...]:
    """All recorded runs, oldest first; where hosts differ, the finished record counts."""
    return recorded_runs(ledgers_of(snapshot))


def seen_names(snapshot: Snapshot) -> Outline:
    """The names that hosts tell: of releases, newest first, and of the current one's services."""
    known = releases_of(snapshot)
    current = current_release(snapshot)
    numbers = [str(number) for number in sorted(known, reverse=True)]
    tags = [known[int(number)].tag for number in numbers if known[int(number)].tag]
    return Outline(
        snapshot.app,
        tuple(service.name for service in current.spec.services) if current else (),
        tuple(host.name for host in snapshot.hosts),
        tuple(dict.fromkeys((*numbers, *tags))),
    )


def is_settled(snapshot: Snapshot) -> bool:
    """Whether the last record says that the current release serves: no run was left open.

    The first deploy has nowhere to write its beginning: killed at its end, it left no record.
    """
    current = current_release(snapshot)
    if current is None:
        return True
    runs = runs_of(snapshot)
    if not runs or not runs[-1].ended_at or runs[-1].outcome == Outcome.NOT_UNDONE:
        return False
    return runs[-1].current == current.number


def require_answer(session: Session, lost: Iterable[Unreachable]) -> None:
    """Raise UnreachableError `hosts-unreachable` where all of the app's hosts are `lost`.

    What they hold is not known then, and must not be told as if it were not there.
    """
    silent = {one.name: one for one in lost}
    if not silent or not set(silent).issuperset(session.world.hosts):
        return
    hints = list(dict.fromkeys(one.hint for one in silent.values() if one.hint))
    raise UnreachableError(
        "hosts-unreachable",
        f"no host of {session.app} answers: what it holds is not known",
        cause="\n".join(f"{name}: {silent[name].reason}" for name in sorted(silent)),
        hint="\n".join(hints) or "Bring a host back, then run the command again.",
    )
