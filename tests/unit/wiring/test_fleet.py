"""Hosts that recorded releases name are reached beside the file's, each engine under one name."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Final

from tests.fakes.engine import FakeEngine
from underway.errors import UnderwayError, UnreachableError
from underway.model.names import AppName, HostName
from underway.model.snapshot import EngineFacts, Unreachable
from underway.model.spec import HostSpec
from underway.wiring.fleet import Fleet

A, B, C = HostName("a"), HostName("b"), HostName("c")
CLOSED: Final = SimpleNamespace(on_close=lambda _: None)


class Engine(FakeEngine):
    """An engine with an identity of its own."""

    connection = CLOSED

    def __init__(self, host: HostName, identity: str) -> None:
        super().__init__(host)
        self.identity = identity

    def facts(self) -> EngineFacts:
        return replace(super().facts(), id=self.identity)


@dataclass
class Engines:
    """A connector: the engine behind each URL, or nobody."""

    behind: dict[str, str]
    asked: list[HostName] = field(default_factory=list)

    def connect(self, host: HostSpec) -> Any:
        self.asked.append(host.name)
        if host.url not in self.behind:
            raise UnreachableError("host-unreachable", f"{host.name}: nobody is there")
        return Engine(host.name, self.behind[host.url])

    def connect_all(self, hosts: Sequence[HostSpec]) -> dict[HostName, Any]:
        found: dict[HostName, Any] = {}
        for host in hosts:
            try:
                found[host.name] = self.connect(host)
            except UnderwayError as error:
                found[host.name] = error
        return found


def fleet(**behind: str) -> tuple[Fleet, Engines]:
    engines: Any = Engines({f"ssh://{host}": identity for host, identity in behind.items()})
    return Fleet(AppName("libra"), engines, [HostSpec(A, "ssh://a")]), engines


def test_a_former_host_joins_with_all_its_ports() -> None:
    made, _ = fleet(a="one", b="two")
    world = made.world(lambda _: False)
    assert world.hosts == ("a",)
    world.reach([HostSpec(B, "ssh://b")])
    assert world.hosts == ("a", "b")
    assert world.proxy(B).host == world.ledger(B).host == world.vault(B).host == B


def test_a_former_host_that_does_not_answer_is_lost_and_asked_once() -> None:
    made, engines = fleet(a="one")
    world = made.world(lambda _: False)
    for _ in range(2):
        world.reach([HostSpec(B, "ssh://b")])
    assert world.lost == {B: Unreachable(B, "nobody is there")}
    assert engines.asked == [A, B]


def test_a_host_that_was_only_renamed_is_not_left() -> None:
    made, _ = fleet(a="one", old="one")
    world = made.world(lambda _: False)
    world.reach([HostSpec(HostName("old"), "ssh://old")])
    assert world.hosts == ("a",)


def test_an_address_that_means_another_engine_elsewhere_is_not_followed() -> None:
    made, engines = fleet(a="one")
    world = made.world(lambda _: False)
    world.reach([HostSpec(B, "unix:///run/docker.sock"), HostSpec(C, "")])
    assert world.hosts == ("a",)
    assert engines.asked == [A]


def test_hosts_of_the_file_are_not_asked_again_when_a_release_names_them() -> None:
    """A lost one would cost its time-out twice."""
    made, engines = fleet(b="two")
    world = made.world(lambda _: False)
    world.reach([HostSpec(A, "ssh://a"), HostSpec(B, "ssh://b")])
    assert engines.asked == [A, B]
    assert world.lost == {A: Unreachable(A, "nobody is there")}
