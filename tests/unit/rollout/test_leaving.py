"""A host that was taken out of the file is left clean, and is never sent to meanwhile."""

from dataclasses import replace
from typing import Final

from tests.fakes.simulated_host import Box
from tests.fakes.simulation import Simulation
from tests.property.fleets import Pair, hosts, proxied, release
from tests.property.voyage import (
    DEPLOY,
    ORDERS,
    UNDO,
    converge,
    deployed,
    interrupted,
    planned,
    sail,
)
from underway.model.container import ContainerRequest
from underway.model.names import AppName, ContainerName, HostName, ServiceName
from underway.model.snapshot import ContainerStatus, Role
from underway.model.step import RemoveProxy
from underway.rollout.naming import own_labels

WEB: Final = ServiceName("web")
APP2: Final = HostName("app2")
AROUND: Final = replace(DEPLOY, keep_unreachable=True)


def dropped(edges: int = 2) -> Pair:
    """app2, an edge with a replica (of two), is taken out of a file of three hosts."""
    three = hosts(3)
    two = (three[0], three[2])
    return Pair(
        release(1, (proxied("web", three, replicas=3),), three, edges=edges),
        release(2, (proxied("web", two, replicas=2),), two, edges=1),
    )


def ours(fleet: Simulation) -> list[str]:
    host = fleet.hosts[APP2]
    return [*host.boxes, *host.volumes, *host.networks]


def test_nothing_of_the_app_is_left_on_a_host_that_was_taken_out() -> None:
    pair = dropped()
    fleet = deployed(pair.fleet(), pair.old)
    assert ours(fleet)
    sail(fleet, planned(pair.new, fleet.snapshot()))
    assert ours(fleet) == []
    assert not fleet.hosts[APP2].upstreams
    assert planned(pair.new, fleet.snapshot()).is_empty


def test_every_interruption_converges_to_either_release() -> None:
    pair = dropped()
    fleet = deployed(pair.fleet(), pair.old)
    for _, state in interrupted(fleet, ORDERS[1](planned(pair.new, fleet.snapshot()))):
        converge(state.fork(), pair.old, UNDO)
        left = converge(state, pair.new, DEPLOY)
        assert ours(left) == []


def test_what_a_lost_edge_may_send_to_stays_and_so_do_its_records() -> None:
    pair = dropped()
    fleet = deployed(pair.fleet(), pair.old)
    fleet.hosts[HostName("app1")].is_reachable = False
    sail(fleet, planned(pair.new, fleet.snapshot(), AROUND))
    assert any(box.role == Role.REPLICA for box in fleet.hosts[APP2].boxes.values())
    assert fleet.hosts[APP2].has_running(Role.ANCHOR.value)
    fleet.hosts[HostName("app1")].is_reachable = True
    fleet.settle()
    sail(fleet, planned(pair.new, fleet.snapshot()))
    assert ours(fleet) == []


def test_a_proxy_that_another_app_uses_stays() -> None:
    pair = dropped()
    fleet = deployed(pair.fleet(), pair.old)
    labels = own_labels(AppName("other"), Role.ANCHOR)
    request = ContainerRequest(ContainerName("underway-anchor-other"), "t", labels)
    box = replace(Box.created(request, "t", "theirs"), status=ContainerStatus.RUNNING)
    fleet.hosts[APP2].boxes[request.name] = box
    plan = planned(pair.new, fleet.snapshot())
    assert not any(isinstance(step, RemoveProxy) for step in plan.steps())
    sail(fleet, plan)
    assert ours(fleet) == ["underway-edge", "underway-anchor-other", "underway-edge"]
    assert not fleet.hosts[APP2].upstreams


def test_a_skipped_host_is_left_alone() -> None:
    pair = dropped(edges=1)
    fleet = deployed(pair.fleet(), pair.old)
    before = ours(fleet)
    policy = replace(DEPLOY, skip_hosts=frozenset({APP2}))
    sail(fleet, planned(pair.new, fleet.snapshot(), policy))
    assert ours(fleet) == before
