from dataclasses import replace

import pytest

from tests.unit.model.test_check import FACTS, INSIDE, LOOK, NOON, ONE, SPEC, TWO
from underway.model.check import CheckResult, CheckVerdict
from underway.model.checklist import check_hosts
from underway.model.look import (
    ConnectionLook,
    Holder,
    HostLook,
    Looks,
    Reach,
    RegistryLook,
    Trouble,
)
from underway.model.names import ContainerName
from underway.model.snapshot import ContainerState, ContainerStatus, HostState, Snapshot

OTHER = replace(LOOK, inside=replace(INSIDE, addresses=frozenset({"10.0.0.2"})))
HOSTS = (HostState(ONE, FACTS), HostState(TWO, replace(FACTS, id="two")))
NGINX = ContainerState("ab" * 32, ContainerName("nginx"), "i", ContainerStatus.RUNNING)


def told(
    one: HostLook = LOOK,
    two: HostLook = OTHER,
    *,
    connections: tuple[ConnectionLook, ...] = (),
    hosts: tuple[HostState, HostState] = HOSTS,
) -> list[CheckResult]:
    """What is not green of two hosts, the first of which is the edge."""
    looks = Looks({ONE: one, TWO: two}, connections)
    results = check_hosts(SPEC, Snapshot(SPEC.name, hosts, NOON), looks)
    return [result for result in results if result.verdict is not CheckVerdict.OK]


def connection(reach: Reach) -> ConnectionLook:
    return ConnectionLook(ONE, TWO, 29999, reach)


def test_a_good_fleet_is_green():
    assert told(connections=(connection(Reach.REACHED),)) == []


@pytest.mark.parametrize(
    ("reach", "verdict", "text"),
    [
        (Reach.REFUSED, CheckVerdict.FAIL, "app2 (10.0.0.2, port 29999) refuses"),
        (Reach.SILENT, CheckVerdict.FAIL, "app2 (10.0.0.2, port 29999) does not answer"),
        (Reach.STRANGER, CheckVerdict.FAIL, "another machine than app2 answers at 10.0.0.2"),
        (Reach.UNTRIED, CheckVerdict.WARN, "app2 (10.0.0.2, port 29999) could not be tried"),
    ],
)
def test_a_connection_that_fails_is_told_of_its_edge(
    reach: Reach, verdict: CheckVerdict, text: str
):
    (result,) = told(connections=(connection(reach),))
    assert (result.host, result.topic, result.verdict) == (ONE, "connections", verdict)
    assert text in result.text
    assert result.remedy


def test_an_address_of_another_machine_is_told_with_the_hosts_own():
    (result,) = told(two=LOOK)
    assert (result.host, result.topic, result.verdict) == (TWO, "address", CheckVerdict.FAIL)
    assert result.text == "10.0.0.2 is not an address of this host (its own: 10.0.0.1)"


def test_a_rootless_engine_does_not_see_the_hosts_addresses():
    rootless = (HOSTS[0], replace(HOSTS[1], facts=replace(FACTS, id="two", is_rootless=True)))
    assert told(two=LOOK, hosts=rootless) == []


def test_an_address_that_nothing_can_be_published_on_fails():
    (result,) = told(two=replace(OTHER, listener=Trouble("engine-refused", "cannot bind")))
    assert (result.host, result.topic) == (TWO, "address")
    assert "cannot bind" in result.text


def test_one_engine_under_two_names_fails_on_both():
    found = told(
        replace(LOOK, is_same_as=(TWO,)),
        replace(OTHER, is_same_as=(ONE,)),
    )
    assert [(r.host, r.topic, r.verdict) for r in found] == [
        (ONE, "identity", CheckVerdict.FAIL),
        (TWO, "identity", CheckVerdict.FAIL),
    ]


def test_cloned_machines_are_two_engines_though_they_tell_one_id():
    clones = (HOSTS[0], replace(HOSTS[1], facts=FACTS))
    assert told(hosts=clones) == []
    unseen = told(replace(LOOK, inside=None), replace(OTHER, inside=None), hosts=clones)
    assert [r.topic for r in unseen] == ["identity", "identity"], "the id is all that is known"


def test_architectures_that_differ_are_warned_of():
    mixed = (HOSTS[0], replace(HOSTS[1], facts=replace(FACTS, id="two", architecture="arm64")))
    assert [(r.host, r.topic) for r in told(hosts=mixed)] == [
        (ONE, "architecture"),
        (TWO, "architecture"),
    ]


@pytest.mark.parametrize(
    ("holders", "text"),
    [
        ((Holder("nginx", 812),), "port 80 is held by nginx (process 812)"),
        ((Holder("nginx", 812, "ab" * 32),), "port 80 is held by container nginx (nginx)"),
        ((), "port 80 is held by a process outside Docker"),
    ],
)
def test_whoever_listens_on_the_edges_port_is_named(holders: tuple[Holder, ...], text: str):
    taken = replace(LOOK, inside=replace(INSIDE, listening=frozenset({80})), holders=holders)
    hosts = (replace(HOSTS[0], containers=(NGINX,)), HOSTS[1])
    (result,) = told(taken, hosts=hosts)
    assert (result.host, result.topic, result.verdict) == (ONE, "edge", CheckVerdict.FAIL)
    assert result.text == text


@pytest.mark.parametrize(
    ("code", "is_built", "verdict"),
    [
        ("image-missing", True, None),
        ("image-missing", False, CheckVerdict.FAIL),
        ("registry-denied", True, CheckVerdict.WARN),
        ("registry-denied", False, CheckVerdict.FAIL),
        ("registry-unreachable", True, CheckVerdict.FAIL),
    ],
)
def test_a_registry_must_answer_and_give_what_is_not_built(
    code: str, *, is_built: bool, verdict: CheckVerdict | None
):
    asked = RegistryLook("r.test", "r.test/libra", is_built, Trouble(code, "no"))
    found = told(replace(LOOK, registries=(asked,)))
    assert [(r.host, r.topic, r.verdict) for r in found] == (
        [(ONE, "registry", verdict)] if verdict else []
    )
