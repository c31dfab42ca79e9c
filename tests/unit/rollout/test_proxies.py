"""A proxy that is not as wished gets a successor; who else needs it, and who is newer, is asked."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from tests.fakes.simulation import Simulation
from tests.property.fleets import Pair, hosts, proxied, release
from tests.property.voyage import DEPLOY, UNDO, deployed, planned, sail
from underway.model.image import ImageIdentity
from underway.model.names import (
    EDGE_CONTAINER,
    EDGE_SUCCESSOR,
    LABEL_GENERATION,
    LABEL_REVISION,
    AppName,
    HostName,
    ServiceName,
)
from underway.model.plan import Plan
from underway.model.snapshot import ContainerStatus, Role
from underway.model.step import CreateContainer, RenewProxy, StartContainer
from underway.rollout.scene import Policy, ProxyRenewal

WEB: Final = ServiceName("web")
APP1: Final = HostName("app1")
ANOTHER: Final = ImageIdentity("underway-tools:other", "sha256:" + "71" * 32)


def serving(count: int = 1) -> tuple[Simulation, Pair]:
    where = hosts(2)
    web = proxied("web", where, replicas=2)
    pair = Pair(*(release(n, (web,), where, edges=count) for n in (1, 2)))
    fleet = deployed(pair.fleet(), pair.old)
    for host in fleet.hosts.values():
        host.images[ANOTHER.config_digest] = ANOTHER
    return fleet, pair


def relabelled(fleet: Simulation, revision: int, host: HostName = APP1) -> None:
    """The proxy as another version of Underway made it."""
    boxes = fleet.hosts[host].boxes
    labels = dict(boxes[EDGE_CONTAINER].labels)
    labels |= {LABEL_REVISION: str(revision), LABEL_GENERATION: "another"}
    boxes[EDGE_CONTAINER] = replace(boxes[EDGE_CONTAINER], labels=tuple(sorted(labels.items())))


def shared(fleet: Simulation) -> None:
    (upstream,) = fleet.hosts[APP1].upstreams.values()
    other = AppName("other")
    fleet.hosts[APP1].upstreams[other, WEB] = replace(upstream, app=other, servers=())


def renewals(plan: Plan) -> list[HostName]:
    return [step.host for step in plan.steps() if isinstance(step, RenewProxy)]


@pytest.mark.parametrize("before", [lambda _: None, shared])
def test_an_older_proxy_is_renewed_and_then_nothing_is_left_to_do(
    before: Callable[[Simulation], None],
) -> None:
    fleet, pair = serving()
    before(fleet)
    assert planned(pair.old, fleet.snapshot()).is_empty
    relabelled(fleet, 0)
    plan = planned(pair.old, fleet.snapshot())
    kinds = [type(step) for step in plan.steps()]
    assert kinds == [CreateContainer, StartContainer, RenewProxy]
    assert not plan.interrupts
    sail(fleet, plan)
    edges = [b for b in fleet.hosts[APP1].boxes.values() if b.role == Role.EDGE.value]
    assert sum(box.name == EDGE_CONTAINER for box in edges) == 1
    assert fleet.serving(APP1, WEB)
    sail(fleet, planned(pair.old, fleet.snapshot()))
    assert planned(pair.old, fleet.snapshot()).is_empty


def test_a_retired_proxy_is_removed_once_it_has_ended_what_it_had() -> None:
    fleet, pair = serving()
    relabelled(fleet, 0)
    sail(fleet, planned(pair.old, fleet.snapshot()))
    (retired,) = (name for name in fleet.hosts[APP1].boxes if "edge-retired" in name)
    fleet.hosts[APP1].rested = frozenset()
    assert planned(pair.old, fleet.snapshot()).is_empty, "it may have sockets yet"
    fleet.hosts[APP1].rested = frozenset({fleet.hosts[APP1].boxes[retired].id})
    sail(fleet, planned(pair.old, fleet.snapshot()))
    assert retired not in fleet.hosts[APP1].boxes
    assert planned(pair.old, fleet.snapshot()).is_empty


def test_a_newer_proxy_and_one_of_another_image_that_others_share_are_kept_and_told() -> None:
    fleet, pair = serving()
    relabelled(fleet, 99)
    plan = planned(pair.old, fleet.snapshot())
    assert plan.is_empty
    assert "a newer Underway made it" in plan.remarks[0]
    fleet, pair = serving()
    shared(fleet)
    other = replace(DEPLOY, tools=ANOTHER)
    plan = planned(pair.old, fleet.snapshot(), other)
    assert not renewals(plan)
    assert "other shares it" in plan.remarks[0]
    asked = replace(other, proxy_renewal=ProxyRenewal.ALWAYS)
    assert renewals(planned(pair.old, fleet.snapshot(), asked)) == [APP1]


def test_another_image_renews_a_proxy_that_nobody_shares_unless_it_is_kept() -> None:
    fleet, pair = serving()
    other = replace(DEPLOY, tools=ANOTHER)
    assert renewals(planned(pair.old, fleet.snapshot(), other)) == [APP1]
    kept = replace(other, proxy_renewal=ProxyRenewal.NEVER)
    plan = planned(pair.old, fleet.snapshot(), kept)
    assert not renewals(plan)
    assert plan.remarks
    assert not renewals(planned(pair.old, fleet.snapshot(), replace(UNDO, tools=ANOTHER)))


def test_one_edge_is_renewed_ahead_of_the_others() -> None:
    fleet, pair = serving(count=2)
    for name in fleet.hosts:
        relabelled(fleet, 0, name)
    titles = [stage.title for stage in planned(pair.old, fleet.snapshot()).stages]
    assert titles == ["Proxies", "More proxies"]


@pytest.mark.parametrize("policy", [DEPLOY, UNDO])
def test_from_every_interrupted_renewal_any_plan_goes_on(policy: Policy) -> None:
    base, pair = serving(count=2)
    for name in base.hosts:
        relabelled(base, 0, name)
    steps = list(planned(pair.new, base.snapshot()).steps())
    last = max(n for n, step in enumerate(steps) if isinstance(step, RenewProxy))
    for prefix in range(last + 2):
        fleet = base.fork()
        for step in steps[:prefix]:
            fleet.apply(step)
        for target in (pair.old, pair.new):
            again = fleet.fork()
            for _ in range(3):
                plan = planned(target, again.snapshot(), policy)
                assert not plan.replans
                sail(again, plan)
                again.settle()
            assert planned(target, again.snapshot(), policy).is_empty
            for host in again.hosts.values():
                assert EDGE_SUCCESSOR not in host.boxes
                assert host.boxes[EDGE_CONTAINER].is_running
            assert not again.violations


def test_a_successor_that_failed_goes_and_the_next_plan_makes_another() -> None:
    fleet, pair = serving()
    relabelled(fleet, 0)
    steps = list(planned(pair.old, fleet.snapshot()).steps())
    fleet.apply(steps[0])
    host = fleet.hosts[APP1]
    box = host.boxes[EDGE_SUCCESSOR]
    host.rested = frozenset({box.id})
    host.boxes[EDGE_SUCCESSOR] = replace(box, status=ContainerStatus.RUNNING)
    undo = planned(pair.old, fleet.snapshot(), UNDO)
    sail(fleet, undo)
    assert EDGE_SUCCESSOR not in host.boxes
    sail(fleet, planned(pair.old, fleet.snapshot()))
    assert host.boxes[EDGE_CONTAINER].label(LABEL_REVISION) != "0"
