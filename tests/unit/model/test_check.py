from dataclasses import replace

import pytest

from underway.model.check import CheckResult, CheckVerdict, check_hosts
from underway.model.names import LABEL_ROLE, AppName, ContainerName, HostName
from underway.model.snapshot import (
    ContainerState,
    ContainerStatus,
    EngineFacts,
    HostState,
    Snapshot,
    Unreachable,
)
from underway.model.spec import AppSpec, EdgeSpec, HostSpec
from underway.model.traffic import EdgeState

APP = AppName("libra")
ONE, TWO = HostName("app1"), HostName("app2")
SPEC = AppSpec(
    APP, (), (HostSpec(ONE, "ssh://app1"), HostSpec(TWO, "ssh://app2")), edge=EdgeSpec((ONE,))
)
FACTS = EngineFacts(
    "29.1.0",
    "1.52",
    architecture="amd64",
    has_live_restore=True,
    clock="2027-01-15T08:00:00.5Z",
    id="one",
)
HELD = ContainerState(
    "1", ContainerName("nginx"), "i", ContainerStatus.RUNNING, published=(("192.0.2.1", 80),)
)


def found(*hosts: HostState | Unreachable, spec: AppSpec = SPEC) -> list[CheckResult]:
    snapshot = Snapshot(APP, hosts, 1_800_000_000.0)
    return [r for r in check_hosts(spec, snapshot) if r.verdict is not CheckVerdict.OK]


def hosts(*, facts: EngineFacts = FACTS, **changes: object) -> tuple[HostState, HostState]:
    one = replace(HostState(ONE, facts), **changes)  # type: ignore[arg-type]
    return one, HostState(TWO, replace(FACTS, id="two"))


def test_good_hosts_are_told_to_be_good():
    snapshot = Snapshot(APP, hosts(), 1_800_000_000.0)
    results = check_hosts(SPEC, snapshot)
    assert {result.verdict for result in results} == {CheckVerdict.OK}
    assert [r.topic for r in results if r.host == ONE] == [
        "engine",
        "clock",
        "live-restore",
        "edge",
    ]
    assert [r.topic for r in results if r.host == TWO] == ["engine", "clock", "live-restore"]


@pytest.mark.parametrize(
    ("facts", "topic", "verdict"),
    [
        (replace(FACTS, os="windows"), "engine", CheckVerdict.FAIL),
        (replace(FACTS, clock="2027-01-15T08:01:00Z"), "clock", CheckVerdict.WARN),
        (replace(FACTS, clock=""), "clock", CheckVerdict.WARN),
        (replace(FACTS, has_live_restore=False), "live-restore", CheckVerdict.WARN),
        (replace(FACTS, is_rootless=True), "edge", CheckVerdict.FAIL),
        (replace(FACTS, has_userns=True), "userns", CheckVerdict.WARN),
    ],
)
def test_one_thing_wrong_is_one_result(facts: EngineFacts, topic: str, verdict: CheckVerdict):
    (result,) = found(*hosts(facts=facts))
    assert (result.host, result.topic, result.verdict) == (ONE, topic, verdict)


def test_a_host_that_does_not_answer_fails():
    (result,) = found(hosts()[0], Unreachable(TWO, "no answer in 10 s"))
    assert (result.host, result.verdict) == (TWO, CheckVerdict.FAIL)
    assert "no answer in 10 s" in result.text


def test_one_engine_under_two_names_fails_on_both():
    results = found(HostState(ONE, FACTS), HostState(TWO, FACTS))
    assert [(r.host, r.topic, r.verdict) for r in results] == [
        (ONE, "identity", CheckVerdict.FAIL),
        (TWO, "identity", CheckVerdict.FAIL),
    ]


def test_architectures_that_differ_are_warned_of():
    results = found(*hosts(facts=replace(FACTS, architecture="arm64")))
    assert [(r.host, r.topic) for r in results] == [(ONE, "architecture"), (TWO, "architecture")]


def test_a_container_on_the_edges_port_is_named():
    (result,) = found(*hosts(containers=(HELD,)))
    assert result.verdict is CheckVerdict.FAIL
    assert result.text == "port 80 is held by container nginx"
    assert found(*hosts(containers=(HELD,)), spec=replace(SPEC, edge=EdgeSpec((ONE,), 8080))) == []


def test_our_own_edge_holds_its_port_by_right():
    ours = replace(HELD, labels=((LABEL_ROLE, "edge"),))
    assert found(*hosts(containers=(ours,), edge=EdgeState("3.2.4", http_port=80))) == []


def test_only_edges_are_asked_for_the_edges_port():
    assert found(*hosts(containers=(HELD,)), spec=replace(SPEC, edge=EdgeSpec())) == []
