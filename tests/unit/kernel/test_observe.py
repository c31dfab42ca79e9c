"""What is observed of hosts, and what only a closer look tells."""

from dataclasses import dataclass, field, replace

from tests.fakes.engine import FakeEngine
from underway.errors import UnreachableError
from underway.kernel.observe import observe, observe_closely
from underway.kernel.world import World
from underway.model.container import ContainerRequest
from underway.model.names import AppName, ContainerName, HostName
from underway.model.snapshot import ContainerState, Snapshot

APP = AppName("libra")
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
