"""Plans as text: what a user is shown, pinned for the cases that matter most."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.simulation import Behaviour, Simulation
from tests.property.fleets import (
    HEALTH,
    Pair,
    database,
    hosts,
    proxied,
    release,
    service,
    with_secret,
)
from tests.property.voyage import TOOLS, UNDO, deployed, planned
from underway.errors import StepFailedError
from underway.model.names import ServiceName
from underway.model.plan import Plan
from underway.model.spec import BeforeSpec, Dependency, EnvVar, Strategy
from underway.report.line import draw
from underway.report.plan_text import plan_lines
from underway.rollout.removal import plan_removal
from underway.rollout.scene import Policy

GOLDEN = Path(__file__).parent / "golden"


def second(pair: Pair) -> Plan:
    """The plan of the second release over the first."""
    return planned(pair.new, deployed(pair.fleet(), pair.old).snapshot())


def first_deploy() -> Plan:
    where = hosts(1)
    web = with_secret(proxied("web", where, before=BeforeSpec(("migrate",))))
    pair = Pair(release(1, (web,), where), release(2, (web,), where))
    return planned(pair.old, pair.fleet().snapshot())


def rolling() -> Plan:
    where = hosts(1)
    web = proxied("web", where, replicas=2)
    return second(Pair(release(1, (web,), where), release(2, (web,), where)))


def blue_green() -> Plan:
    where = hosts(3)
    web = proxied("web", where, replicas=3, strategy=Strategy.BLUE_GREEN)
    return second(Pair(release(1, (web,), where, edges=2), release(2, (web,), where, edges=2)))


def recreated_database() -> Plan:
    where = hosts(1)
    web = proxied("web", where, depends_on=(Dependency(ServiceName("db")),))
    services = (web, database(where))
    same = {"web": 1}
    return second(Pair(release(1, services, where), release(2, services, where, versions=same)))


def failed_probe() -> tuple[Simulation, Pair]:
    """A fleet where the second version does not pass the edge's check."""
    where = hosts(2)
    web = proxied("web", where, replicas=2, strategy=Strategy.BLUE_GREEN, health=HEALTH)
    pair = Pair(release(1, (web,), where), release(2, (web,), where))
    fleet = deployed(pair.fleet(), pair.old)
    fleet.behaviours = {
        pair.new.image_of(ServiceName("web")).config_digest: Behaviour.NEVER_HEALTHY
    }
    for step in planned(pair.new, fleet.snapshot()).steps():
        try:
            fleet.apply(step)
        except StepFailedError:
            return fleet, pair
    raise AssertionError("the probe passed")


def undo_after_failed_probe() -> Plan:
    fleet, pair = failed_probe()
    return planned(pair.old, fleet.snapshot(), UNDO)


def environment_only() -> Plan:
    where = hosts(1)
    web, worker = proxied("web", where), service("worker", where)
    changed = service("worker", where, environment=(EnvVar("COLOR", "green"),))
    same = {"web": 1, "worker": 1}
    old, new = release(1, (web, worker), where), release(2, (web, changed), where, versions=same)
    return second(Pair(old, new))


def removal() -> Plan:
    where = hosts(1)
    old = release(1, (with_secret(proxied("web", where)), database(where)), where)
    fleet = deployed(Pair(old, old).fleet(), old)
    return plan_removal(old, fleet.snapshot(), Policy(TOOLS, keep_unreachable=True))


CASES: dict[str, Callable[[], Plan]] = {
    "first deploy on one host": first_deploy,
    "rolling of two replicas": rolling,
    "blue-green on three hosts with two edges": blue_green,
    "recreate of a database": recreated_database,
    "undo after a failed probe": undo_after_failed_probe,
    "environment of one service": environment_only,
    "removal": removal,
}


def drawn(plan: Plan) -> str:
    """The plan as plain text; generations are numbered in the order of their appearance."""
    text = draw(plan_lines(plan))
    seen: dict[str, str] = {}

    def numbered(found: re.Match[str]) -> str:
        return seen.setdefault(found[0], f"-gen{len(seen) + 1}")

    return re.sub(r"-[0-9a-f]{6}\b", numbered, text)


@pytest.mark.parametrize("case", CASES)
def test_the_plan_reads_as_pinned(case: str) -> None:
    pinned = (GOLDEN / f"{case.replace(' ', '-')}.txt").read_text()
    assert drawn(CASES[case]()) == pinned
