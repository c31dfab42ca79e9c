"""What happened is told by time, from all hosts that answer, live too."""

from collections.abc import Iterator
from typing import Any

from tests.fakes.engine import FakeEngine
from tests.fakes.time import FakeClock
from tests.property.fleets import APP, hosts, release, service
from underway.api.happenings import events, follow_events
from underway.api.session import Session
from underway.errors import UnreachableError
from underway.kernel.telling import Voice
from underway.kernel.world import World
from underway.model.event import Event, Note
from underway.model.happening import ContainerEvent, Happening
from underway.model.names import AppName, ContainerName, HostName, RunNumber, ServiceName
from underway.model.release import LedgerState, RunRecord
from underway.model.snapshot import HostState, Snapshot

A, B = HostName("app1"), HostName("app2")
WEB = ServiceName("web")
RELEASE = release(1, (service("web", hosts(1)),), hosts(1))
BEGAN_S = 1_772_359_200.0
RUN = RunRecord(
    RunNumber(4),
    "deploy",
    RELEASE.number,
    "me",
    "2026-03-01T10:00:00Z",
    "2026-03-01T10:01:00Z",
    "done",
)


def event(time_s: float, action: str, role: str = "replica", name: str = "web-1") -> ContainerEvent:
    named = WEB if role == "replica" else ServiceName("")
    return ContainerEvent(BEGAN_S + time_s, ContainerName(name), action, "", named, role)


class Cut(FakeEngine):
    """Its connection breaks after what happened."""

    def container_events(
        self, app: AppName, *, since_s: float, until_s: float = 0
    ) -> Iterator[ContainerEvent]:
        yield from super().container_events(app, since_s=since_s, until_s=until_s)
        raise UnreachableError("host-unreachable", "the engine does not answer")


class Seen(Session):
    """Sees what its engines hold now."""

    def observe(self) -> Snapshot:
        ledger = LedgerState(A, (RELEASE,), (RUN,), current=RELEASE.number)
        states = [
            HostState(host, engine.facts(), engine.containers(), ledger=ledger)
            for host, engine in self.world.engines.items()
        ]
        return Snapshot(APP, tuple(states))


def session(told: list[Event]) -> Session:
    one, two = FakeEngine(A), Cut(B)
    one.happened = (event(5, "create"), event(1, "start", "lock", "lock"), event(90, "die"))
    two.happened = (event(3, "start", "before", "before-1"), event(-9, "start"))
    engines: dict[HostName, Any] = {A: one, B: two}
    clock, unused = FakeClock(), None
    world = World(APP, engines, {}, {}, {}, {})
    voice = Voice("r", "me", told.append, clock)
    return Seen(RELEASE.spec, {}, world, unused, unused, clock, voice)  # type: ignore[arg-type]


def brief(found: tuple[Happening, ...]) -> list[tuple[str, str]]:
    return [
        (str(one.host), one.event.action) if one.event else ("run", str(one.is_end))
        for one in found
    ]


def test_runs_and_containers_are_told_by_time_and_a_lost_host_by_name() -> None:
    told: list[Event] = []
    found = events(session(told), since_s=BEGAN_S - 1, until_s=BEGAN_S + 100)
    assert brief(found) == [
        ("run", "False"),
        ("app2", "start"),
        ("app1", "create"),
        ("run", "True"),
        ("app1", "die"),
    ]
    notes = [one.body.text for one in told if isinstance(one.body, Note)]
    assert notes == ["app2: the engine does not answer: its events are missing"]


def test_services_hosts_and_times_choose() -> None:
    found = events(session([]), (WEB,), since_s=BEGAN_S - 10, until_s=BEGAN_S + 10)
    assert brief(found) == [("app2", "start"), ("app1", "create")]
    there = events(session([]), (), (A,), since_s=BEGAN_S - 10, until_s=BEGAN_S + 10)
    assert brief(there) == [("app1", "create")]


def test_what_comes_is_told_and_a_run_by_its_lock() -> None:
    opened = session([])
    opened.clock = FakeClock(BEGAN_S)
    engine: Any = opened.world.engines[A]
    before = event(-5, "destroy")
    told = [event(1, "start", "lock", "lock"), event(5, "create"), event(90, "die")]
    engine.happened = (before, *told)
    following = follow_events(opened, (), (A,))
    assert [next(following).event for _ in told] == told
    following.close()  # type: ignore[attr-defined]


def test_a_host_that_is_lost_is_said_and_the_others_go_on() -> None:
    said: list[Event] = []
    opened = session(said)
    opened.clock = FakeClock(BEGAN_S)
    following = follow_events(opened, (WEB,))
    found = {
        (one.host, one.event.action) for one in (next(following), next(following)) if one.event
    }
    assert found == {(A, "create"), (A, "die")}
    following.close()  # type: ignore[attr-defined]
    assert any(isinstance(one.body, Note) for one in said)
