"""What a plan refuses or asks about before users notice: routes that go, ports that are taken."""

from dataclasses import replace

import pytest

from tests.property.fleets import Pair, hosts, proxied, release, service
from tests.property.voyage import UNDO, deployed, planned
from underway.errors import RefusedError
from underway.model.names import HostName, ServiceName
from underway.model.release import Release
from underway.model.snapshot import HostState, Snapshot
from underway.model.spec import EdgeSpec, ProxySpec

ONE = hosts(1)
WEB = ServiceName("web")


def plan_interrupts(old: Release, new: Release) -> tuple[str, ...]:
    fleet = deployed(Pair(old, new).fleet(), old)
    return planned(new, fleet.snapshot()).interrupts


def test_a_route_that_another_service_takes_interrupts_nobody() -> None:
    """As where a service gets another name in the file and keeps its host name."""
    old = release(1, (proxied("web", ONE),), ONE)
    for host, path in (("web.test", "/"), ("*.test", "/"), ("*", "/")):
        front = service("front", ONE, proxy=ProxySpec((host,), 8000, path=path))
        assert plan_interrupts(old, release(2, (front,), ONE)) == ()
    part = service("front", ONE, proxy=ProxySpec(("web.test",), 8000, path="/part"))
    assert plan_interrupts(old, release(2, (part,), ONE)) == (WEB,)


def test_users_who_lose_their_host_name_are_an_interruption() -> None:
    web = proxied("web", ONE)
    old = release(1, (web, service("worker", ONE)), ONE)
    unrouted = release(2, (replace(web, proxy=None), service("worker", ONE)), ONE)
    assert plan_interrupts(old, unrouted) == (WEB,)
    assert plan_interrupts(old, release(2, (service("worker", ONE),), ONE)) == (WEB,)
    renamed = replace(web, proxy=ProxySpec(("other.test",), 8000))
    assert plan_interrupts(old, release(2, (renamed, service("worker", ONE)), ONE)) == (WEB,)


def test_one_more_host_name_interrupts_nobody() -> None:
    web = proxied("web", ONE)
    more = replace(web, proxy=ProxySpec(("more.test", "web.test"), 8000))
    assert plan_interrupts(release(1, (web,), ONE), release(2, (more,), ONE)) == ()


def with_squatter(snapshot: Snapshot, port: int) -> Snapshot:
    """A container of somebody's that publishes a port on all addresses."""
    (host,) = snapshot.hosts
    assert isinstance(host, HostState)
    other = Pair(release(1, (), ONE), release(1, (), ONE)).fleet()
    fleet = deployed(other, release(1, (service("squat", ONE),), ONE))
    box = next(b for b in fleet.hosts[HostName("app1")].boxes.values() if b.service == "squat")
    squatter = replace(
        fleet.hosts[HostName("app1")].state().container(box.name) or host.containers[0],
        labels=(),
        published=(("0.0.0.0", port),),  # noqa: S104 - what Docker says of it
    )
    return replace(snapshot, hosts=(replace(host, containers=(*host.containers, squatter)),))


@pytest.mark.parametrize("kind", ["is_rootless", "has_userns"])
def test_an_engine_without_the_hosts_network_is_no_edge(kind: str) -> None:
    made = release(1, (proxied("web", ONE),), ONE)
    snapshot = Pair(made, made).fleet().snapshot()
    (host,) = snapshot.reachable
    without = replace(host, facts=replace(host.facts, **{kind: True}))
    with pytest.raises(RefusedError, match="cannot be an edge") as caught:
        planned(made, replace(snapshot, hosts=(without,)))
    assert caught.value.code == "edge-unsupported"
    plain = release(1, (service("web", ONE),), ONE, edges=0)
    assert planned(plain, replace(Pair(plain, plain).fleet().snapshot(), hosts=(without,))).stages


def test_a_proxy_is_not_made_where_a_container_holds_its_port() -> None:
    made = release(1, (proxied("web", ONE),), ONE)
    bare = Pair(made, made).fleet()
    with pytest.raises(RefusedError, match=r"port 80 on app1.*squat") as caught:
        planned(made, with_squatter(bare.snapshot(), 80))
    assert caught.value.code == "edge-port-taken"
    planned(made, with_squatter(bare.snapshot(), 81))


def test_a_proxy_does_not_move_to_a_port_that_a_container_holds() -> None:
    made = release(1, (proxied("web", ONE),), ONE)
    fleet = deployed(Pair(made, made).fleet(), made)
    edge = EdgeSpec(made.spec.edge.hosts, http_port=8099)
    moved = replace(made, number=2, spec=replace(made.spec, edge=edge))
    squatted = with_squatter(fleet.snapshot(), 8099)
    with pytest.raises(RefusedError, match="port 8099"):
        planned(moved, squatted)
    planned(made, squatted, UNDO)
