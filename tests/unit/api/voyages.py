"""Fleets on which a release was deployed, and what may go wrong at a step."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.session import SimulatedRecords
from tests.fakes.simulation import Simulation
from tests.property.fleets import Pair, hosts, proxied, release
from tests.property.voyage import deployed
from underway.model.names import HostName, ReleaseNumber, RunNumber, ServiceName
from underway.model.release import RunRecord
from underway.model.step import (
    Step,
)

WEB = ServiceName("web")
APP1, APP2 = HostName("app1"), HostName("app2")


@dataclass
class Once:
    """Does something at the first step that matches."""

    matches: Callable[[Step], bool]
    then: Callable[[], None]
    is_done: bool = field(default=False, init=False)

    def __call__(self, step: Step) -> None:
        if not self.is_done and self.matches(step):
            self.is_done = True
            self.then()


def run(number: int, command: str = "deploy") -> RunRecord:
    return RunRecord(
        RunNumber(number), command, ReleaseNumber(number), "me", "t1", "t2", "done", 0, number
    )


def serving_first(pair: Pair) -> Simulation:
    """A fleet on which the old release was deployed."""
    fleet = deployed(pair.fleet(), pair.old)
    SimulatedRecords(fleet, APP1).record_run(run(1))
    return fleet


def images(fleet: Simulation, service: str) -> set[str]:
    return {b.image for h in fleet.hosts.values() for b in h.boxes.values() if b.service == service}


def web_pair(count: int = 1, *, edges: int = 1, **changes: object) -> Pair:
    where = hosts(count)
    web = proxied("web", where, **{"replicas": count + 1, **changes})
    return Pair(release(1, (web,), where, edges=edges), release(2, (web,), where, edges=edges))
