"""What replicas use is measured on all hosts that answer, as they come and go."""

from typing import Any

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.time import FakeClock
from tests.property.fleets import APP, hosts, release, service
from underway.api.measuring import usage
from underway.api.session import Session
from underway.errors import UsageError
from underway.kernel.telling import Voice
from underway.kernel.world import World
from underway.model.container import ContainerRequest
from underway.model.names import ContainerName, HostName, ServiceName
from underway.model.release import LedgerState
from underway.model.snapshot import HostState, Role, Snapshot, Unreachable
from underway.model.usage import UsageSample
from underway.rollout.naming import own_labels

A, B = HostName("app1"), HostName("app2")
LIMITS = '{"HostConfig":{"NanoCpus":500000000,"Memory":1048576}}'
RELEASE = release(1, (service("web", hosts(1), engine=LIMITS),), hosts(1))


class Working(FakeEngine):
    """Its containers have used a second more at each look."""

    looks = 0

    def usage(self, name: str) -> UsageSample | None:
        self.looks += 1
        return UsageSample(2.0 * self.looks, 1.0 * self.looks, 512) if name else None


class Seen(Session):
    """Sees what its engines hold now."""

    def observe(self) -> Snapshot:
        ledger = LedgerState(A, (RELEASE,), current=RELEASE.number)
        states = [
            HostState(host, engine.facts(), engine.containers(), ledger=ledger)
            for host, engine in self.world.engines.items()
        ]
        return Snapshot(APP, tuple(states))


def start(engine: FakeEngine, name: str) -> None:
    labels = (
        *own_labels(APP, Role.REPLICA),
        ("underway.service", "web"),
        ("underway.release", "1"),
    )
    engine.create(ContainerRequest(ContainerName(name), "web:1", labels), {})
    engine.start(name)


@pytest.fixture
def engine() -> Working:
    made = Working(A)
    made.add_image("web:1")
    start(made, "libra-web-1")
    return made


def session(engine: FakeEngine) -> Session:
    unused: Any = None
    clock = FakeClock()
    world = World(APP, {A: engine}, {}, {}, {}, {B: Unreachable(B, "cut off")})
    return Seen(RELEASE.spec, {}, world, unused, unused, clock, Voice("r", "me", unused, clock))


def test_a_replica_is_told_beside_its_limits_and_a_lost_host_by_name(engine: Working) -> None:
    report = next(usage(session(engine)))
    (web,) = report.replicas
    assert (web.name, web.host, web.service) == ("libra-web-1", A, "web")
    assert (web.cpus, web.cpu_limit, web.memory_bytes, web.memory_limit_bytes) == (
        0.5,
        0.5,
        512,
        1 << 20,
    )
    assert report.lost == (B,)


def test_a_replica_that_comes_is_measured_from_then_on(engine: Working) -> None:
    reports = usage(session(engine))
    next(reports)
    start(engine, "libra-web-2")
    assert [(one.name, one.cpus is None) for one in next(reports).replicas] == [
        ("libra-web-1", False),
        ("libra-web-2", True),
    ]
    engine.remove("libra-web-1")
    assert [(one.name, one.cpus is None) for one in next(reports).replicas] == [
        ("libra-web-2", False)
    ]


def test_an_unknown_service_is_said(engine: Working) -> None:
    with pytest.raises(UsageError, match="no service `wbe`"):
        next(usage(session(engine), (ServiceName("wbe"),)))
