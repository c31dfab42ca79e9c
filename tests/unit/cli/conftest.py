"""A session without hosts, in place of the one that wiring opens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from tests.unit.report.sample import APP, HOSTS, IMAGE, WEB
from underway import api, wiring
from underway.api.session import Shipped, Workshop
from underway.kernel.telling import Voice
from underway.kernel.world import World
from underway.model.event import Event
from underway.model.history import Stance
from underway.model.image import ImageIdentity
from underway.model.lock import LockHolder
from underway.model.names import ReleaseNumber
from underway.model.release import Release, ServiceImage
from underway.model.spec import AppSpec, HostSpec, ServiceSpec
from underway.model.status import ReleaseStanding, ReleaseStatus
from underway.ports import Engine, Progress
from underway.ports.locking import Lock
from underway.wiring.options import Reading

SPEC = AppSpec(
    APP,
    (ServiceSpec(WEB, "libra", HOSTS),),
    tuple(HostSpec(host, f"ssh://{host}") for host in HOSTS),
)
RELEASE = Release(ReleaseNumber(12), SPEC, (ServiceImage(WEB, IMAGE),), tag="v2")
OLDER = Release(ReleaseNumber(11), SPEC, (ServiceImage(WEB, IMAGE),), tag="v1")
OLDEST = replace(OLDER, number=ReleaseNumber(10), tag="v0")
LISTED = (
    ReleaseStatus(replace(OLDEST, number=ReleaseNumber(9)), ReleaseStanding.RAN),
    ReleaseStatus(OLDEST, ReleaseStanding.FAILED),
    ReleaseStatus(OLDER, ReleaseStanding.RAN),
    ReleaseStatus(RELEASE, ReleaseStanding.CURRENT),
)
"""The recorded releases, with what became of each."""


class StillClock:
    """Time that stands."""

    def now(self) -> float:
        return 1_800_000_000.0

    def monotonic(self) -> float:
        return 5.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


@dataclass
class HeldLocks:
    """Locks whose holders are told beforehand."""

    holding: tuple[LockHolder, ...] = ()

    def acquire(self, app: str, purpose: str, *, wait_s: float) -> Lock:
        raise AssertionError((app, purpose, wait_s))

    def claim(self, app: str, purpose: str, *, wait_s: float) -> Lock:
        raise AssertionError((app, purpose, wait_s))

    def holders(self, app: str) -> tuple[LockHolder, ...]:
        assert app == APP
        return self.holding


def _no_ship(*_: object) -> Shipped:
    raise AssertionError


def _no_transfer(_engine: Engine, _image: ImageIdentity, _progress: Progress) -> None:
    raise AssertionError


@dataclass
class Stage:
    """What the command under test saw and used."""

    locks: HeldLocks = field(default_factory=HeldLocks)
    sessions: list[api.Session] = field(default_factory=list)
    opened_with: list[object] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    stances: list[Stance] = field(default_factory=list)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Commands get a session without hosts; each use case is replaced by the test."""
    made = Stage()

    @contextmanager
    def open_session(
        options: object,
        sink: Callable[[Event], None],
        *,
        reading: Reading,
        stance: Stance = Stance.REFUSE,
    ) -> Iterator[api.Session]:
        clock = StillClock()
        session = api.Session(
            spec=SPEC,
            values={},
            world=World(APP, {}, {}, {}, {}),
            locks=made.locks,
            workshop=Workshop(_no_ship, lambda: IMAGE, _no_transfer, _no_transfer, _no_ship),
            clock=clock,
            voice=Voice("r1", "kim@laptop", sink, clock),
        )
        made.sessions.append(session)
        made.opened_with.append(options)
        made.readings.append(reading)
        made.stances.append(stance)
        yield session

    monkeypatch.setattr(wiring, "open_session", open_session)
    return made
