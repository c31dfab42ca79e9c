"""Use cases over a simulated fleet: the real `api`, planner and executor, and simulated hosts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NoReturn, Self

import pytest

from tests.fakes.simulation import Simulation, tools_image
from tests.fakes.time import FakeClock
from underway.api.session import Order, Session, Shipped, Workshop
from underway.api.steering import Course
from underway.errors import UnreachableError
from underway.kernel.executor import Executor, StepContext, StepResult
from underway.kernel.telling import Voice
from underway.kernel.world import World
from underway.model.event import Event
from underway.model.lock import LockHolder
from underway.model.names import AppName, HostName, ReleaseNumber, RunNumber, SensitiveName
from underway.model.release import LedgerState, Release, RunRecord
from underway.model.sensitive import Sensitive, SensitiveValues
from underway.model.snapshot import Snapshot
from underway.model.spec import AppSpec
from underway.model.step import Step
from underway.model.tagging import ReleaseTag
from underway.model.testing import Attestation
from underway.ports.locking import Lock

Hook = Callable[[Step], None]
KEY = b"k" * 32
STORED: SensitiveValues = {SensitiveName("secret/key"): Sensitive(b"s1")}
"""What a vault holds for each release: what releases of `tests.property.fleets` have."""


@dataclass(slots=True)
class FreeLock:
    """Held as long as anybody asks."""

    def confirm(self) -> None:
        pass

    def check(self, host: HostName | None = None) -> None:
        del host

    def release(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@dataclass(slots=True)
class Locks:
    """Taken at once; `meanwhile` is what another client does before."""

    meanwhile: Callable[[], None] = lambda: None

    def acquire(self, app: AppName, command: str, *, wait_s: float) -> Lock:
        del app, command, wait_s
        self.meanwhile()
        return FreeLock()

    def claim(self, app: AppName, command: str, *, wait_s: float) -> Lock:
        return self.acquire(app, command, wait_s=wait_s)

    def holders(self, app: AppName) -> tuple[LockHolder, ...]:
        del app
        return ()

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class SimulatedRecords:
    """What use cases themselves say to a host: its ledger, its vault, and its engine."""

    fleet: Simulation
    name: HostName

    def record_run(self, run: RunRecord) -> None:
        host = self.fleet.hosts[self.name]
        if not host.is_reachable:
            raise UnreachableError("host-unreachable", f"{self.name} does not answer")
        ledger = host.ledger or LedgerState(self.name)
        runs = {known.number: known for known in ledger.runs} | {run.number: run}
        host.ledger = replace(ledger, runs=tuple(runs[number] for number in sorted(runs)))

    def record_attestation(self, attestation: Attestation) -> None:
        host = self.fleet.hosts[self.name]
        ledger = host.ledger or LedgerState(self.name)
        host.ledger = replace(ledger, attestations=(*ledger.attestations, attestation))

    def record_tag(self, tag: ReleaseTag) -> None:
        host = self.fleet.hosts[self.name]
        ledger = host.ledger or LedgerState(self.name)
        words = {word.tag: word for word in ledger.tags} | {tag.tag: tag}
        host.ledger = replace(ledger, tags=tuple(words[name] for name in sorted(words)))

    def remove_image(self, image: str) -> None:
        self.fleet.hosts[self.name].images.pop(image, None)

    def key(self) -> bytes:
        return KEY

    def read(self, release: ReleaseNumber) -> SensitiveValues:
        del release
        return STORED


@dataclass(slots=True)
class SimulatedSession(Session):
    """A session that observes the simulation; `before_step` may break what it likes."""

    fleet: Simulation = field(kw_only=True)
    before_step: Hook = field(kw_only=True)
    events: list[Event] = field(kw_only=True)

    def observe(self) -> Snapshot:
        return self.trust.judged(self.world, self.voice, self.fleet.snapshot)

    def observe_closely(self) -> Snapshot:
        return self.observe()


def simulated(
    fleet: Simulation,
    shipped: Callable[[], Release],
    *,
    before_step: Hook = lambda _: None,
    meanwhile: Callable[[], None] = lambda: None,
) -> SimulatedSession:
    """A session in which shipping gives `shipped()`; needs the `over_simulation` fixture."""
    events: list[Event] = []
    clock = FakeClock()
    records = {name: SimulatedRecords(fleet, name) for name in fleet.hosts}

    def no_bench(*_: object) -> NoReturn:
        raise AssertionError("no test runs in a simulation")

    def ship(spec: AppSpec, order: Order, *_: object) -> Shipped:
        made = shipped()
        if not order.only:
            return Shipped(made.spec, made.images, made.tag, made.commit)
        former = {e.service: e for e in order.previous.images} if order.previous else {}
        found = former | {e.service: e for e in made.images if e.service in order.only}
        images = tuple(found[service.name] for service in spec.services)
        return Shipped(spec, images, made.tag, made.commit)

    return SimulatedSession(
        spec=shipped().spec,
        values={},
        world=World(fleet.app, records, {}, records, records),  # type: ignore[arg-type]
        locks=Locks(meanwhile),
        workshop=Workshop(ship, tools_image, lambda *_: None, lambda *_: None, no_bench),
        clock=clock,
        voice=Voice("run", "tester", events.append, clock),
        fleet=fleet,
        before_step=before_step,
        events=events,
    )


@contextmanager
def steps_over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Steps of every course are applied to its session's simulation."""

    def executor(course: Course, lock: Lock | None, run: RunNumber) -> Executor:
        del run
        session = course.session
        assert isinstance(session, SimulatedSession)
        session.fleet.releases[course.release.number] = course.release

        def apply(step: Step, _: StepContext) -> StepResult:
            session.before_step(step)
            session.fleet.apply(step)
            return StepResult()

        return Executor(apply, session.voice, session.clock, lock, session.cancel)

    with monkeypatch.context() as patched:
        patched.setattr(Course, "executor", executor)
        yield
