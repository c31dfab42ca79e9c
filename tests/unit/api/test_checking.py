"""The use case over engines in memory: what is asked where, and that no probe ever stays."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.time import FakeClock
from tests.unit.api.test_inside import SEEN
from underway import api
from underway.api.checking import wanted_images
from underway.api.inside import CONNECT, HOLDERS, LOOK
from underway.api.session import Shipped, Workshop
from underway.errors import ConfigurationError, EngineError, UnderwayError, UnreachableError
from underway.kernel.telling import Voice
from underway.kernel.world import World
from underway.model.check import CheckResult, CheckVerdict
from underway.model.container import ContainerRequest, PublishedPort
from underway.model.event import Event
from underway.model.image import ImageIdentity
from underway.model.lock import LockHolder
from underway.model.names import LABEL_APP, LABEL_ROLE, AppName, ContainerName, HostName
from underway.model.snapshot import Role
from underway.model.spec import AppSpec, BuildSpec, EdgeSpec, HostSpec, ServiceSpec
from underway.ports import Engine, Progress
from underway.ports.locking import Lock
from underway.ports.output import ExecResult

APP = AppName("libra")
H1, H2 = HostName("h1"), HostName("h2")
ADDRESS = {H1: "10.231.8.11", H2: "10.231.8.12"}
BUILD = BuildSpec(".", "Dockerfile", "{}")
SPEC = AppSpec(
    APP,
    (
        ServiceSpec("db", "r.test/postgres:17", (H2,)),  # type: ignore[arg-type]
        ServiceSpec("web", "r.test/libra", (H1, H2), BUILD),  # type: ignore[arg-type]
        ServiceSpec("worker", "r.test/libra", (H2,), BUILD),  # type: ignore[arg-type]
        ServiceSpec("cache", "redis:8", (H1,)),  # type: ignore[arg-type]
    ),
    tuple(HostSpec(name, f"ssh://{name}", address) for name, address in ADDRESS.items()),
    edge=EdgeSpec((H1,), http_port=8080),
)


class NoLocks:
    """A check takes none."""

    def acquire(self, app: str, purpose: str, *, wait_s: float) -> Lock:
        raise AssertionError((app, purpose, wait_s))

    def claim(self, app: str, purpose: str, *, wait_s: float) -> Lock:
        raise AssertionError((app, purpose, wait_s))

    def holders(self, app: str) -> tuple[LockHolder, ...]:
        raise AssertionError(app)


def no_ship(*_: object) -> Shipped:
    raise AssertionError


@dataclass
class Site:
    """Two hosts, the tools image on the first."""

    spec: AppSpec = SPEC
    unread: UnderwayError | None = None
    engines: dict[HostName, FakeEngine] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ADDRESS:
            engine = self.engines[name] = FakeEngine(name)
            engine.registry["r.test/postgres:17"] = "sha256:" + "17" * 32
            engine.commands = lambda _name, command, _in, host=name: self.answer(host, command)
        self.tools = ImageIdentity("tools:1", self.engines[H1].add_image("tools:1").id)

    def answer(self, host: HostName, command: Sequence[str]) -> ExecResult:
        """What a probe on `host` writes."""
        script, arguments = command[2], command[4:]
        text = ""
        if script == LOOK:
            text = SEEN.replace(ADDRESS[H1], ADDRESS[host])
        elif script == CONNECT:
            targets = zip(arguments[::3], arguments[1::3], arguments[2::3], strict=True)
            text = "".join(self.connect(*target) for target in targets)
        else:
            assert script == HOLDERS
            text = f"812\tnginx{arguments[0]}\t\n"
        return ExecResult(0, text.encode(), b"")

    def connect(self, host: str, address: str, port: str) -> str:
        """The line for one connection: the token of whoever publishes that port there."""
        for made in self.engines[HostName(host)].made.values():
            if (address, int(port)) in made.state.published:
                return f"{host}\t0\t{made.request.command[-1].rpartition(' ')[2]}\n"
        return f"{host}\t1\t\n"

    def send(self, engine: Engine, image: ImageIdentity, _progress: Progress) -> None:
        self.engines[engine.host].add_image(image.reference)

    def session(self) -> api.Session:
        clock = FakeClock()
        return api.Session(
            spec=self.spec,
            values={},
            world=World(APP, self.engines, {}, {}, {}),
            locks=NoLocks(),
            workshop=Workshop(no_ship, lambda: self.tools, self.send, self.send, no_ship),
            clock=clock,
            voice=Voice("r1", "kim@laptop", self.events.append, clock),
            unread=self.unread,
        )

    def check(self) -> dict[tuple[str, str], CheckResult]:
        """What a check found by host and topic, after which nothing of it is left."""
        try:
            return {(result.host, result.topic): result for result in api.check(self.session())}
        finally:
            assert self.probes() == []

    def probes(self) -> list[str]:
        return [
            name
            for engine in self.engines.values()
            for name, made in engine.made.items()
            if made.state.role == Role.PROBE
        ]


@pytest.fixture
def site() -> Site:
    return Site()


def test_hosts_are_looked_at_from_inside_and_connected_to(site: Site):
    found = site.check()
    assert found[H1, "connections"].text == "reaches replicas on h1, h2"
    assert found[H1, "edge"].text == "port 8080 is free; the first deploy starts the proxy"
    assert found[H2, "address"].verdict is CheckVerdict.OK
    assert found[H2, "disk"].verdict is CheckVerdict.OK
    assert site.engines[H2].image(site.tools.config_digest), "the tools image was brought"


def test_hosts_are_looked_at_although_this_machine_lacks_values(site: Site):
    site.spec = replace(SPEC, services=())
    site.unread = ConfigurationError("variable-missing", "no TAG", hint="set it", place="a.yaml:3")
    found = site.check()
    values = found[HostName(""), "values"]
    assert (values.verdict, values.text, values.remedy) == (
        CheckVerdict.FAIL, "a.yaml:3: no TAG", "set it",
    )  # fmt: skip
    assert found[H2, "disk"].verdict is CheckVerdict.OK
    assert found[H1, "connections"].text == "reaches replicas on h1, h2"


def test_a_process_on_the_edges_port_is_asked_for_by_its_hexadecimal_port(site: Site):
    site.spec = AppSpec(APP, SPEC.services, SPEC.hosts, edge=EdgeSpec((H1,), http_port=30000))
    found = site.check()
    assert found[H1, "edge"].text == "port 30000 is held by nginx7530 (process 812)"


def test_a_port_taken_meanwhile_leads_to_the_next(site: Site):
    place = PublishedPort(80, ADDRESS[H1], 29999)
    taker = ContainerRequest(ContainerName("taker"), "tools:1", published=(place,))

    def take(_name: str, command: Sequence[str], _stdin: bytes) -> ExecResult:
        site.engines[H1].create(taker, {})
        site.engines[H1].start("taker")
        return site.answer(H1, command)

    site.engines[H1].commands = take
    found = site.check()
    assert found[H1, "connections"].text == "reaches replicas on h1, h2"
    assert site.engines[H1].made["taker"].state.published == ((ADDRESS[H1], 29999),)


@pytest.mark.parametrize("method", ["create", "start", "execute"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_call_fails_no_probe_stays(site: Site, method: str, when: str):
    error = EngineError("no-space", "h2: no space left on device")
    getattr(site.engines[H2].faults, when)[method] = error
    found = site.check()
    assert found[H2, "disk"].verdict is CheckVerdict.FAIL
    assert found[H1, "connections"].verdict is CheckVerdict.OK
    assert (H2, "address") not in found


def test_an_interruption_removes_every_probe(site: Site):
    site.engines[H1].faults.after["execute"] = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        site.check()


def test_a_probe_that_cannot_be_removed_is_told(site: Site):
    error = UnreachableError("host-unreachable", "h1: silent")
    site.engines[H1].faults.before["remove"] = error
    results = api.check(site.session())
    assert {result.verdict for result in results} <= {CheckVerdict.OK, CheckVerdict.WARN}
    assert [event.body.code for event in site.events if hasattr(event.body, "code")] == [
        "probe-left"
    ]


def test_what_an_interrupted_check_left_goes_with_the_next(site: Site):
    for app in (APP, "other"):
        labels = ((LABEL_APP, app), (LABEL_ROLE, Role.PROBE.value))
        left = ContainerRequest(ContainerName(f"left-{app}"), "tools:1", labels)
        site.engines[H1].create(left, {})
    api.check(site.session())
    assert site.probes() == ["left-other"]


def test_without_a_tools_image_the_engines_are_still_asked(site: Site):
    session = site.session()

    def no_tools() -> ImageIdentity:
        raise EngineError("build-failed", "the tools image could not be built", hint="look")

    session.workshop = Workshop(no_ship, no_tools, site.send, site.send, no_ship)
    found = {(result.host, result.topic): result for result in api.check(session)}
    assert found[HostName(""), "tools image"].verdict is CheckVerdict.FAIL
    assert found[H1, "clock"].verdict is CheckVerdict.WARN
    assert (H1, "disk") not in found


def test_each_host_asks_the_registries_for_what_it_shall_pull():
    assert [(w.registry, w.reference, w.is_built) for w in wanted_images(SPEC, H2)] == [
        ("r.test", "r.test/libra", True),
        ("r.test", "r.test/postgres:17", False),
    ]
    assert [w.reference for w in wanted_images(SPEC, H1)] == ["r.test/libra"]
