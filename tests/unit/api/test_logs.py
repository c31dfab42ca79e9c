"""A host that goes while its lines are followed is said, and the others go on."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.time import FakeClock
from underway.api import output
from underway.api.output import LogFilter, ReplicaLine, logs
from underway.api.session import Session
from underway.errors import UnreachableError, UsageError
from underway.kernel.telling import Voice
from underway.kernel.world import World
from underway.model.container import ContainerRequest
from underway.model.event import Event, Note
from underway.model.names import AppName, ContainerName, HostName, ServiceName
from underway.model.snapshot import Role, Unreachable
from underway.model.spec import AppSpec
from underway.ports.output import LogLine
from underway.rollout.naming import own_labels

APP: Final = AppName("libra")
A, B, C = HostName("a"), HostName("b"), HostName("c")


class Talking(FakeEngine):
    """Its replicas write one line, and the one on host a is cut off after it."""

    def logs(
        self,
        name: str,
        *,
        tail: int = 0,
        follow: bool = False,
        since_s: float = 0,
        until_s: float = 0,
    ) -> Iterator[LogLine]:
        del name, tail, follow, since_s, until_s
        yield LogLine(f"from {self.host}")
        if self.host == A:
            raise UnreachableError("host-unreachable", "a: the engine does not answer")
        yield LogLine("and more")


def session(events: list[Event]) -> Session:
    engines: dict[HostName, Any] = {}
    for host in (A, B):
        engine = Talking(host)
        engine.add_image("web:1")
        labels = (*own_labels(APP, Role.REPLICA), ("underway.service", "web"))
        engine.create(ContainerRequest(ContainerName(f"libra-web-{host}"), "web:1", labels), {})
        engines[host] = engine
    world = World(APP, engines, {}, {}, {}, {C: Unreachable(C, "cut off")})
    clock = FakeClock()
    unused: Any = None
    voice = Voice("r1", "me", events.append, clock)
    return Session(AppSpec(APP, (), ()), {}, world, unused, unused, clock, voice)


def taken(opened: Session, count: int) -> list[ReplicaLine]:
    """The first lines that are followed; the user ends it then."""
    lines = []
    for line in logs(opened, follow=True):
        lines.append(line)
        if len(lines) == count:
            opened.cancel.set()
    return lines


def web(number: int) -> ContainerRequest:
    labels = (*own_labels(APP, Role.REPLICA), ("underway.service", "web"))
    return ContainerRequest(ContainerName(f"libra-web-{number}"), "web:1", labels)


def test_following_goes_on_with_what_comes_and_keeps_the_prefix_of_what_retires(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(output, "LOOK_S", 0.01)
    engine = Talking(B)
    engine.add_image("web:1")
    engine.create(web(1), {})
    opened = session([])
    opened.world = World(APP, {B: engine}, {}, {}, {})
    lines = logs(opened, follow=True)
    assert [next(lines).container for _ in range(2)] == ["libra-web-1", "libra-web-1"]
    engine.rename(web(1).name, "libra-web-1-retired")
    engine.create(web(2), {})
    assert [next(lines).container for _ in range(2)] == ["libra-web-2", "libra-web-2"]
    lines.close()  # type: ignore[attr-defined]


def test_a_lost_host_is_said_once_and_the_others_are_followed() -> None:
    events: list[Event] = []
    lines = [entry.line.text for entry in taken(session(events), 3)]
    assert sorted(lines) == ["and more", "from a", "from b"]
    notes = [event.body.text for event in events if isinstance(event.body, Note)]
    assert len(notes) == 2
    assert "c did not answer" in notes[0]
    assert "libra-web-a on a" in notes[1]


def test_a_service_the_app_does_not_have_has_no_lines_and_that_is_said() -> None:
    with pytest.raises(UsageError, match="no service `wbe`") as caught:
        next(logs(session([]), LogFilter((ServiceName("wbe"),))))
    assert caught.value.hint == "Did you mean `web`?"
    with pytest.raises(UsageError) as other:
        next(logs(session([]), LogFilter((ServiceName("postgres"),))))
    assert other.value.hint == "It has web."


def test_hosts_replicas_and_a_pattern_choose_lines() -> None:
    events: list[Event] = []
    opened = session(events)
    only_b = LogFilter(hosts=(B,), pattern=re.compile("more$"))
    assert [(entry.host, entry.line.text) for entry in logs(opened, only_b)] == [(B, "and more")]
    assert not events, "nobody asked for lines of the lost host"
    by_name = LogFilter(replicas=("libra-web-b",))
    assert {entry.host for entry in logs(opened, by_name)} == {B}


def test_a_host_or_replica_the_app_does_not_have_is_said() -> None:
    with pytest.raises(UsageError, match="no host `d`") as caught:
        next(logs(session([]), LogFilter(hosts=(HostName("d"),))))
    assert (caught.value.code, caught.value.hint) == ("look-host-unknown", "It has a, b, c.")
    with pytest.raises(UsageError, match="no replica `7`") as other:
        next(logs(session([]), LogFilter(replicas=("7",))))
    assert other.value.code == "replica-unknown"
