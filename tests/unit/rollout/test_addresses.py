"""Ports, addresses and subnets: apps that deploy at once differ, and nothing leaves its range."""

import ipaddress
from dataclasses import replace

import pytest

from tests.property.fleets import APP, Pair, hosts, proxied, release
from tests.property.voyage import DEPLOY, converge, deployed, planned, sail
from underway.errors import ConfigurationError, RefusedError
from underway.model.names import AppName, HostName
from underway.model.release import Release
from underway.model.snapshot import ContainerStatus
from underway.model.spec import Dependency
from underway.model.step import CreateContainer, CreateNetwork, StartContainer
from underway.rollout.addresses import PORT_RANGE, Allocator, contested
from underway.rollout.order import dependencies_first
from underway.rollout.scene import Scene

ONE, TWO = hosts(1), hosts(2)
APP1 = HostName("app1")


def named(made: Release, app: str) -> Release:
    return replace(made, spec=replace(made.spec, name=AppName(app)))


def ports_of(made: Release) -> set[tuple[str, int]]:
    """The ports a first deploy on bare hosts chooses."""
    plan = planned(made, Pair(made, made).fleet().snapshot())
    return {
        (step.host, published.host_port)
        for step in plan.steps()
        if isinstance(step, CreateContainer)
        for published in step.container.published
    }


def allocator(made: Release) -> Allocator:
    return Allocator(Scene(made, Pair(made, made).fleet().snapshot(), DEPLOY))


def test_apps_that_deploy_at_once_choose_other_ports_and_always_the_same():
    made = release(1, (proxied("web", TWO, replicas=4),), TWO)
    alpha, beta = (ports_of(named(made, app)) for app in ("alpha", "beta"))
    assert len(alpha) == len(beta) == 4
    assert not alpha & beta
    assert alpha == ports_of(named(made, "alpha"))


def test_apps_that_deploy_at_once_choose_other_subnets():
    made = release(1, (proxied("web", ONE),), ONE)
    subnets = set()
    for app in ("alpha", "beta", "gamma"):
        plan = planned(named(made, app), Pair(made, made).fleet().snapshot())
        subnets |= {s.network.subnet for s in plan.steps() if isinstance(s, CreateNetwork)}
    assert len(subnets) == 3
    pool = ipaddress.IPv4Network(made.spec.subnet)
    assert all(ipaddress.IPv4Network(subnet).subnet_of(pool) for subnet in subnets)


@pytest.mark.parametrize("pool", ["10.9.0.0/24", "10.9.0.0/26", "10.9.0.0/23"])
def test_a_small_pool_is_used_to_its_end_and_no_further(pool: str):
    made = release(1, (proxied("web", ONE),), ONE)
    made = replace(made, spec=replace(made.spec, subnet=pool))
    host = Scene(made, Pair(made, made).fleet().snapshot(), DEPLOY).reachable[0]
    here = allocator(made)
    network = made.spec.networks[0]
    wanted = [replace(network, name=f"n{number}", physical=f"n{number}") for number in range(3)]
    fits = 2 if pool.endswith("/23") else 1
    assert len({here.subnet(host, one) for one in wanted[:fits]}) == fits
    with pytest.raises(RefusedError) as caught:
        here.subnet(host, wanted[fits])
    assert caught.value.code == "no-free-subnet"


def test_every_port_of_the_range_is_used_before_it_is_refused():
    here = allocator(release(1, (proxied("web", TWO),), TWO))
    assert {here.port(APP1) for _ in PORT_RANGE} == set(PORT_RANGE)
    with pytest.raises(RefusedError) as caught:
        here.port(APP1)
    assert caught.value.code == "no-free-port"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("subnet", "most"),
    [
        ("10.9.0.0/24", 112),
        ("10.9.0.0/26", 16),
        ("10.9.0.0/28", 7),
        ("10.9.0.0/30", 1),
        ("10.9.0.0/32", 0),
    ],
)
def test_a_pinned_address_is_inside_its_subnet_or_refused(subnet: str, most: int):
    here = allocator(release(1, (proxied("web", ONE),), ONE))
    network = ipaddress.IPv4Network(subnet)
    found = {ipaddress.IPv4Address(here.pinned(APP1, subnet)) for _ in range(most)}
    with pytest.raises(RefusedError) as caught:
        here.pinned(APP1, subnet)
    assert caught.value.code == "no-free-address"
    assert caught.value.hint
    assert len(found) == most
    kept = {network.network_address, network.network_address + 1, network.broadcast_address}
    assert all(address in network and address not in kept for address in found)


def test_a_port_that_somebody_outside_holds_is_got_past_with_the_port_held():
    """The engine tells it only when the container starts: the next plan takes another."""
    pair = Pair(*(release(n, (proxied("web", TWO, replicas=2),), TWO) for n in (1, 2)))
    fleet = deployed(pair.fleet(), pair.old)
    plan = planned(pair.new, fleet.snapshot())
    for step in plan.steps():
        if isinstance(step, StartContainer):
            break
        fleet.apply(step)
    assert isinstance(step, StartContainer)
    held = contested(plan, step.host, step.container)
    ((_, port),) = held
    assert port in PORT_RANGE
    box = fleet.hosts[step.host].boxes[step.container]
    assert box.status is ContainerStatus.CREATED
    assert box.published[0][1] == port
    again = planned(pair.new, fleet.snapshot(), replace(DEPLOY, held_ports=held))
    made = [s for s in again.steps() if isinstance(s, CreateContainer) and s.host == step.host]
    assert made
    assert all(p.host_port != port for s in made for p in s.container.published)
    sail(fleet, again)
    assert planned(pair.new, fleet.snapshot()).is_empty
    assert planned(pair.new, fleet.snapshot(), replace(DEPLOY, held_ports=held)).is_empty
    converge(fleet, pair.old, DEPLOY)


def test_a_replica_that_runs_keeps_its_port_whoever_is_said_to_hold_it():
    made = release(1, (proxied("web", TWO, replicas=2),), TWO)
    fleet = deployed(Pair(made, made).fleet(), made)
    held = frozenset(
        (host.name, port)
        for host in fleet.hosts.values()
        for box in host.boxes.values()
        for _, port in box.published
    )
    assert held
    assert planned(made, fleet.snapshot(), replace(DEPLOY, held_ports=held)).is_empty


def test_a_circle_of_dependencies_says_how_to_leave_it():
    one = proxied("one", ONE, depends_on=(Dependency(proxied("two", ONE).name),))
    two = proxied("two", ONE, depends_on=(Dependency(one.name),), place="compose.yaml:3")
    with pytest.raises(ConfigurationError) as caught:
        dependencies_first(release(1, (one, two), ONE).spec)
    assert caught.value.code == "dependency-cycle"
    assert "depends_on" in caught.value.hint
    assert APP == "libra"
