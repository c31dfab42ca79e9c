"""Commands in replicas and one-offs over a simulated fleet: who is chosen, and what passes."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.fakes.session import SimulatedSession, simulated
from tests.unit.api.voyages import APP1, APP2, serving_first, web_pair
from underway import api
from underway.errors import RefusedError, UnderwayError, UnreachableError, UsageError
from underway.model.container import ContainerRequest
from underway.model.names import ContainerName, HostName, ServiceName
from underway.model.sensitive import SensitiveValues
from underway.ports.conversation import CommandDesk, Conversation, Piece, Size

WEB = ServiceName("web")


@dataclass
class Echo:
    """A command that writes back what it reads, and ends with 7."""

    heard: list[bytes] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)
    sizes: list[Size] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)

    def send(self, data: bytes) -> None:
        self.heard.append(data)

    def end_input(self) -> None:
        self.pieces = [Piece(b"".join(self.heard)), Piece(b"oh", is_stderr=True)]
        self.is_over.set()

    def receive(self) -> Piece | None:
        assert self.is_over.wait(10)
        return self.pieces.pop(0) if self.pieces else None

    def resize(self, size: Size) -> None:
        self.sizes.append(size)

    def exit_code(self) -> int:
        return 7

    def close(self) -> None:
        pass


@dataclass
class Desk:
    """What was asked of the hosts, in order."""

    echo: Echo = field(default_factory=Echo)
    told: list[str] = field(default_factory=list)
    made: list[ContainerRequest] = field(default_factory=list)
    broken: UnderwayError | None = None

    def desk(self) -> CommandDesk:
        return CommandDesk(self.converse, self.attach, self.leash)

    def converse(self, host: HostName, name: ContainerName, wish: api.CommandWish) -> Conversation:
        self.told.append(f"{host} {name.rpartition('-')[2]}: {' '.join(wish.command)}")
        return self.echo

    def attach(self, host: HostName, name: ContainerName, has_tty: bool) -> Conversation:  # noqa: FBT001
        del name, has_tty
        self.told.append(f"attach on {host}")
        if self.broken:
            raise self.broken
        return self.echo

    @contextmanager
    def leash(
        self, host: HostName, name: ContainerName, labels: Mapping[str, str]
    ) -> Iterator[None]:
        del name
        self.told.append(f"leash on {host} of {labels['underway.service']}")
        yield
        self.told.append("leash off")

    def create(self, request: ContainerRequest, values: SensitiveValues) -> None:
        assert values
        self.made.append(request)
        self.told.append("create")

    def start(self, name: str) -> None:
        assert name == self.made[0].name
        self.told.append("start")

    def stop(self, name: str, grace_s: float | None) -> None:
        assert name == self.made[0].name
        self.told.append(f"stop {grace_s:g}")

    def remove(self, name: str) -> None:
        assert name == self.made[0].name
        self.told.append("remove")


def opened(desk: Desk, count: int = 2) -> SimulatedSession:
    pair = web_pair(count)
    session = simulated(serving_first(pair), lambda: pair.old)
    session.commands = desk.desk()
    session.world.engines = dict.fromkeys(session.fleet.hosts, desk)  # type: ignore[arg-type]
    return session


def streams(said: bytes = b"\0" * 512) -> tuple[api.Streams, dict[str, bytes]]:
    out = {"out": b"", "err": b""}
    left = [said]

    def write(data: bytes) -> None:
        out["out"] += data

    def write_error(data: bytes) -> None:
        out["err"] += data

    def read() -> bytes:
        return left.pop() if left else b""

    size = Size(24, 80)
    return api.Streams(read, write, write_error, lambda tell: tell(size)), out


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (api.Choice(WEB), "app1 1"),
        (api.Choice(WEB, 2), "app2 2"),
        (api.Choice(WEB, 3), "app1 3"),
        (api.Choice(WEB, host=APP2), "app2 2"),
    ],
)
def test_a_command_runs_in_the_replica_that_is_meant(choice: api.Choice, chosen: str) -> None:
    desk = Desk()
    flows, out = streams()
    wish = api.CommandWish(("cat",), has_tty=True)
    assert api.execute(opened(desk), choice, wish, flows) == 7
    assert desk.told == [f"{chosen}: cat"]
    assert out == {"out": b"\0" * 512, "err": b"oh"}
    assert desk.echo.sizes == [Size(24, 80)]


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        (api.Choice(ServiceName("wbe")), "service-unknown"),
        (api.Choice(WEB, 9), "replica-not-running"),
        (api.Choice(WEB, 1, APP2), "replica-not-running"),
        (api.Choice(WEB, host=HostName("app9")), "named-host-unknown"),
    ],
)
def test_what_does_not_run_is_told_with_what_does(choice: api.Choice, code: str) -> None:
    with pytest.raises((UsageError, RefusedError)) as raised:
        api.execute(opened(Desk()), choice, api.CommandWish(("cat",)), streams()[0])
    assert raised.value.code == code
    if code == "replica-not-running":
        assert len(raised.value.detail) == 3


def test_a_host_that_does_not_answer_is_said_to_be_silent() -> None:
    session = opened(Desk())
    session.fleet.hosts[APP2].is_reachable = False
    with pytest.raises(UnreachableError):
        api.execute(session, api.Choice(WEB, host=APP2), api.CommandWish(("cat",)), streams()[0])


def test_a_one_off_stands_between_its_leash_and_its_removal() -> None:
    desk = Desk()
    flows, out = streams(b"in")
    wanted = api.RunWish(WEB, api.CommandWish(("sh",)), APP2)
    assert api.run_once(opened(desk), wanted, flows) == 7
    assert desk.told == [
        "leash on app2 of web",
        "create",
        "attach on app2",
        "start",
        "remove",
        "leash off",
    ]
    assert out["out"] == b"in"
    assert desk.made[0].command == ("sh",)


def test_a_one_off_whose_conversation_fails_is_stopped_and_removed() -> None:
    desk = Desk(broken=UnreachableError("host-unreachable", "gone"))
    with pytest.raises(UnreachableError):
        api.run_once(opened(desk), api.RunWish(WEB, api.CommandWish(())), streams()[0])
    assert desk.told[-2:] == ["stop 10", "remove"]


def test_a_one_off_stands_on_hosts_of_its_service_that_answer() -> None:
    desk = Desk()
    session = opened(desk, 3)
    session.fleet.hosts[APP1].is_reachable = False
    flows, _ = streams(b"")
    assert api.run_once(session, api.RunWish(WEB, api.CommandWish(())), flows) == 7
    assert desk.told[0] == "leash on app2 of web"


@pytest.mark.parametrize("host", [None, APP2])
def test_a_one_off_finds_no_place_where_its_hosts_are_silent(host: HostName | None) -> None:
    pair = web_pair(1)
    session = simulated(serving_first(pair), lambda: pair.old)
    session.fleet.hosts[APP1].is_reachable = False
    with pytest.raises(UnreachableError):
        api.run_once(session, api.RunWish(WEB, api.CommandWish(()), host), streams()[0])
