from dataclasses import replace

import pytest

from underway.model.check import REACHING, CheckResult, CheckVerdict
from underway.model.checklist import check_hosts
from underway.model.look import (
    ClockLook,
    DiskLook,
    HostLook,
    InsideLook,
    Looks,
    Trouble,
    Way,
)
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
    APP,
    (),
    (HostSpec(ONE, "ssh://app1", "10.0.0.1"), HostSpec(TWO, "ssh://app2", "10.0.0.2")),
    edge=EdgeSpec((ONE,)),
)
ALONE = replace(SPEC, hosts=SPEC.hosts[:1])
GIB = 1024**3
NOON = 1_800_000_000.0
FACTS = EngineFacts(
    "29.1.0",
    "1.52",
    architecture="amd64",
    has_live_restore=True,
    id="one",
)
GOOD_DISK = DiskLook(free_bytes=9 * GIB, total_bytes=10 * GIB, files_free=10**6, files_total=10**7)
INSIDE = InsideLook(GOOD_DISK, frozenset({"10.0.0.1"}), frozenset({22}))
LOOK = HostLook(Way.SSH, clock=ClockLook("2027-01-15T08:00:00.5Z", NOON, NOON + 1), inside=INSIDE)
HELD = ContainerState(
    "1", ContainerName("nginx"), "i", ContainerStatus.RUNNING, published=(("192.0.2.1", 80),)
)


def told(look: HostLook = LOOK, spec: AppSpec = ALONE, **changes: object) -> list[CheckResult]:
    """What is not green of one host."""
    host = replace(HostState(ONE, FACTS), **changes)  # type: ignore[arg-type]
    results = check_hosts(spec, Snapshot(APP, (host,), NOON), Looks({ONE: look}))
    return [result for result in results if result.verdict is not CheckVerdict.OK]


def test_a_good_host_is_told_to_be_good():
    snapshot = Snapshot(APP, (HostState(ONE, FACTS),), NOON)
    results = check_hosts(ALONE, snapshot, Looks({ONE: LOOK}))
    assert {result.verdict for result in results} == {CheckVerdict.OK}
    assert [r.topic for r in results] == [
        "reaching",
        "engine",
        "disk",
        "clock",
        "live-restore",
        "edge",
    ]
    assert [r.text for r in results if r.topic == "disk"] == ["9.0 GiB of 10.0 GiB free"]


def test_nothing_is_said_of_what_was_not_looked_at():
    results = check_hosts(ALONE, Snapshot(APP, (HostState(ONE, FACTS),), NOON))
    assert [r.topic for r in results] == ["engine", "live-restore", "edge"]


@pytest.mark.parametrize(
    ("facts", "topic", "verdict"),
    [
        (replace(FACTS, os="windows"), "engine", CheckVerdict.FAIL),
        (replace(FACTS, has_live_restore=False), "live-restore", CheckVerdict.WARN),
        (replace(FACTS, is_rootless=True), "edge", CheckVerdict.FAIL),
    ],
)
def test_one_thing_wrong_with_an_engine_is_one_result(
    facts: EngineFacts, topic: str, verdict: CheckVerdict
):
    (result,) = told(facts=facts)
    assert (result.host, result.topic, result.verdict) == (ONE, topic, verdict)
    assert result.remedy


def test_user_namespaces_shift_owners_and_keep_the_edge_from_the_hosts_network():
    found = told(facts=replace(FACTS, has_userns=True))
    assert [(r.topic, r.verdict) for r in found] == [
        ("userns", CheckVerdict.WARN),
        ("edge", CheckVerdict.FAIL),
    ]
    spec = replace(ALONE, edge=EdgeSpec())
    assert [r.topic for r in told(facts=replace(FACTS, has_userns=True), spec=spec)] == ["userns"]


@pytest.mark.parametrize(
    ("disk", "verdict"),
    [
        (replace(GOOD_DISK, free_bytes=GIB), CheckVerdict.WARN),
        (replace(GOOD_DISK, free_bytes=100 * 1024**2), CheckVerdict.FAIL),
        (replace(GOOD_DISK, files_free=12), CheckVerdict.FAIL),
        (None, CheckVerdict.WARN),
    ],
)
def test_a_disk_with_little_left_is_told(disk: DiskLook | None, verdict: CheckVerdict):
    (result,) = told(replace(LOOK, inside=replace(INSIDE, disk=disk)))
    assert (result.topic, result.verdict) == ("disk", verdict)
    assert result.remedy


def test_a_file_system_without_a_number_of_files_cannot_run_out_of_them():
    disk = replace(GOOD_DISK, files_free=0, files_total=0)
    assert told(replace(LOOK, inside=replace(INSIDE, disk=disk))) == []


@pytest.mark.parametrize(
    ("code", "topic"),
    [
        ("no-space", "disk"),
        ("host-unreachable", REACHING),
        ("ssh-failed", REACHING),
        ("engine-refused", "containers"),
    ],
)
def test_why_no_probe_could_look_is_told(code: str, topic: str):
    (result,) = told(replace(LOOK, inside=Trouble(code, "app1: no", "mend it")))
    assert (result.topic, result.verdict) == (topic, CheckVerdict.FAIL)
    assert result.remedy


@pytest.mark.parametrize(
    ("told_time", "text"),
    [
        ("2027-01-15T07:59:00Z", "60 s behind this machine's"),
        ("2027-01-15T08:01:31Z", "90 s ahead of this machine's"),
        ("", "does not tell its time"),
    ],
)
def test_a_clock_outside_of_the_moments_it_was_asked_between_is_told(told_time: str, text: str):
    (result,) = told(replace(LOOK, clock=ClockLook(told_time, NOON, NOON + 1)))
    assert (result.topic, result.verdict) == ("clock", CheckVerdict.WARN)
    assert text in result.text


def test_a_slow_answer_is_no_wrong_clock():
    clock = ClockLook("2027-01-15T08:00:30Z", NOON, NOON + 60)
    assert told(replace(LOOK, clock=clock)) == []


def test_an_engine_that_falls_silent_during_the_check_is_not_reached():
    (result,) = told(HostLook(clock=Trouble("host-unreachable", "app1: silent", "look there")))
    assert (result.topic, result.verdict) == (REACHING, CheckVerdict.FAIL)


def test_dialling_in_place_of_forwarding_is_a_warning():
    (result,) = told(replace(LOOK, way=Way.DIAL))
    assert (result.topic, result.verdict) == (REACHING, CheckVerdict.WARN)
    assert "AllowStreamLocalForwarding" in result.remedy


def test_a_host_that_does_not_answer_fails():
    snapshot = Snapshot(APP, (Unreachable(ONE, "no answer in 10 s"),), NOON)
    (result,) = check_hosts(ALONE, snapshot)
    assert (result.host, result.topic, result.verdict) == (ONE, REACHING, CheckVerdict.FAIL)
    assert "no answer in 10 s" in result.text
    assert "docker -H ssh://app1 version" in result.remedy


def test_no_tools_image_is_told_of_this_machine():
    snapshot = Snapshot(APP, (HostState(ONE, FACTS),), NOON)
    results = check_hosts(ALONE, snapshot, Looks(tools=Trouble("x", "no build", "build it")))
    assert results[0] == CheckResult(
        HostName(""), "tools image", CheckVerdict.FAIL, "no build", "build it"
    )


def test_a_container_on_the_edges_port_is_named():
    (result,) = told(containers=(HELD,))
    assert result.verdict is CheckVerdict.FAIL
    assert result.text == "port 80 is held by container nginx"
    assert told(containers=(HELD,), spec=replace(ALONE, edge=EdgeSpec((ONE,), 8080))) == []


def test_a_container_that_does_not_run_holds_no_port():
    ended = replace(HELD, status=ContainerStatus.EXITED)
    assert told(containers=(ended,)) == []


def test_our_own_edge_holds_its_port_by_right():
    ours = replace(HELD, labels=((LABEL_ROLE, "edge"),))
    look = replace(LOOK, inside=replace(INSIDE, listening=frozenset({80})))
    assert told(look, containers=(ours,), edge=EdgeState("3.2.4", http_port=80)) == []


def test_only_edges_are_asked_for_the_edges_port():
    assert told(containers=(HELD,), spec=replace(ALONE, edge=EdgeSpec())) == []
