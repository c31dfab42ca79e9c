"""What is observed of hosts, and what only a closer look tells."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.fakes.engine import FakeEngine
from underway.errors import UnreachableError
from underway.kernel.observe import observe, observe_closely
from underway.kernel.world import World
from underway.model.container import ContainerRequest
from underway.model.names import AppName, ContainerName, HostName, ReleaseNumber, VolumeName
from underway.model.release import LedgerState, Release
from underway.model.snapshot import ContainerState, HostState, Role, Snapshot, Unreachable
from underway.model.spec import AppSpec, EdgeSpec, VolumeKind, VolumeSpec
from underway.rollout.naming import own_labels

APP = AppName("libra")
H1 = HostName("h1")
LABELS = (("underway.app", "libra"), ("underway.role", "replica"))


class Silent(FakeEngine):
    """Answers lists, and is lost when asked for one container."""

    def container(self, name: str) -> ContainerState | None:
        raise UnreachableError("host-unreachable", f"no answer about {name}")


@dataclass
class Counting(FakeEngine):
    """Counts who was inspected."""

    name: HostName
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.name)

    def container(self, name: str) -> ContainerState | None:
        self.asked.append(name)
        return super().container(name)


def started(engine: FakeEngine) -> World:
    engine.add_image("web:1")
    mine = ContainerRequest(ContainerName("libra-web-1"), "web:1", labels=LABELS)
    for request in (mine, replace(mine, name=ContainerName("other"), labels=())):
        engine.create(request, {})
        engine.start(request.name)
    return World(APP, {engine.host: engine}, {}, {}, {})


def starts(snapshot: Snapshot) -> dict[str, bool]:
    return {c.name: bool(c.started_at) for h in snapshot.reachable for c in h.containers}


def test_only_a_closer_look_tells_when_a_replica_started() -> None:
    engine = Counting(HostName("h1"))
    world = started(engine)
    assert starts(observe(world, now=0)) == {"libra-web-1": False, "other": False}
    assert starts(observe_closely(world, now=0)) == {"libra-web-1": True, "other": False}
    assert engine.asked == ["libra-web-1"]


def test_a_host_lost_in_the_closer_look_shows_what_it_said_before() -> None:
    world = started(Silent(HostName("h1")))
    assert starts(observe_closely(world, now=0)) == {"libra-web-1": False, "other": False}


@dataclass
class Records:
    """A ledger and a vault in one; silent for the first `gaps` questions, as without an anchor."""

    gaps: int = 0
    ledger: LedgerState = field(default_factory=lambda: LedgerState(H1))
    host: HostName = H1

    def releases(self) -> tuple[int, ...]:
        return ()

    def read(self) -> LedgerState | None:
        self.gaps -= 1
        return None if self.gaps >= 0 else self.ledger


@dataclass
class SilentProxy:
    """A proxy that runs and does not answer."""

    host: HostName = H1

    def state(self, *, wait_s: float = 0.0) -> None:
        assert wait_s > 0


def run(engine: FakeEngine, name: str, *labels: tuple[str, str]) -> None:
    engine.create(ContainerRequest(ContainerName(name), "web:1", labels=labels), {})
    engine.start(name)


def world_with(engine: FakeEngine, records: Records, *, revives: bool) -> World:
    def revive(_: HostName) -> bool:
        if revives and engine.container("underway-anchor-libra") is None:
            run(engine, "underway-anchor-libra", *own_labels(APP, Role.ANCHOR))
        return revives

    ports: dict[HostName, Any] = {H1: records}
    proxies: dict[HostName, Any] = {H1: SilentProxy()}
    return World(APP, {H1: engine}, proxies, ports, ports, revive=revive)


def with_records() -> FakeEngine:
    engine = FakeEngine(H1)
    engine.add_image("web:1")
    labels = own_labels(APP, Role.ANCHOR)
    volume = VolumeSpec(VolumeName("l"), "underway-ledger-libra", VolumeKind.PER_HOST)
    engine.create_volume(volume, dict(labels))
    return engine


def test_records_without_an_anchor_are_read_through_one_that_is_revived() -> None:
    host = observe(world_with(with_records(), Records(), revives=True), now=0).host(H1)
    assert isinstance(host, HostState)
    assert host.ledger == LedgerState(H1)


def test_records_that_cannot_be_read_are_unreachable_never_absent() -> None:
    host = observe(world_with(with_records(), Records(), revives=False), now=0).host(H1)
    assert isinstance(host, Unreachable)
    assert "records" in host.reason


def test_an_anchor_that_goes_while_it_is_read_is_read_again() -> None:
    engine = with_records()
    run(engine, "underway-anchor-libra", *own_labels(APP, Role.ANCHOR))
    host = observe(world_with(engine, Records(gaps=1), revives=True), now=0).host(H1)
    assert isinstance(host, HostState)
    assert isinstance(
        observe(world_with(engine, Records(gaps=2), revives=True), now=0).host(H1), Unreachable
    )


def test_a_host_without_records_has_none() -> None:
    engine = FakeEngine(H1)
    host = observe(world_with(engine, Records(), revives=False), now=0).host(H1)
    assert isinstance(host, HostState)
    assert host.ledger is None


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_silent_proxy_hides_the_host_only_if_it_may_know_the_app(*, is_ours: bool) -> None:
    engine = with_records()
    run(engine, "underway-anchor-libra", *own_labels(APP, Role.ANCHOR))
    run(engine, "underway-edge", ("underway.role", "edge"))
    edges = EdgeSpec((H1,) if is_ours else ())
    made = Release(ReleaseNumber(1), AppSpec(APP, (), (), edge=edges), ())
    records = Records(ledger=LedgerState(H1, (made,)))
    host = observe(world_with(engine, records, revives=True), now=0).host(H1)
    assert isinstance(host, Unreachable) is is_ours
    if isinstance(host, Unreachable):
        assert "proxy does not answer" in host.reason
