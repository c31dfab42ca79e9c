"""Each replica's cause names what a user knows from the file, and never a value."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.property.fleets import (
    SECRET,
    Pair,
    database,
    hosts,
    proxied,
    release,
    service,
    with_secret,
)
from tests.property.voyage import TOOLS, UNDO, deployed, planned
from underway.model.change import Difference, Turn
from underway.model.names import HostName, SensitiveName, ServiceName
from underway.model.plan import InterruptionKind, Plan
from underway.model.release import Binding, Release
from underway.model.sensitive import SensitiveDigest
from underway.model.spec import (
    EnvVar,
    HealthSpec,
    Mount,
    MountKind,
    PortSpec,
    ServiceSpec,
    Strategy,
)
from underway.model.step import CreateContainer, RemoveContainer, StopContainer
from underway.rollout.scene import Policy

ONE, TWO = hosts(1), hosts(2)
WEB, SAME = ServiceName("web"), {"web": 1}
URL = SensitiveName("DATABASE_URL")


def over(old: Release, new: Release) -> Plan:
    """The plan of one release over another."""
    return planned(new, deployed(Pair(old, new).fleet(), old).snapshot())


def changed(old: ServiceSpec, new: ServiceSpec) -> tuple[str, ...]:
    """What differs, of the same image, in the words of the plan."""
    plan = over(release(1, (old,), ONE), release(2, (new,), ONE, versions=SAME))
    (change,) = plan.changes
    made = [step.cause for step in plan.steps() if isinstance(step, CreateContainer)]
    assert set(made) == {change.cause}
    return tuple(map(str, change.differences))


def command(word: str) -> str:
    return f'{{"Config":{{"Cmd":["{word}"]}},"HostConfig":{{}}}}'


BARE = proxied("web", ONE)
CHANGES: dict[str, dict[str, object]] = {
    "environment COLOR added": {"environment": (EnvVar("COLOR", "green"),)},
    "mount /cache added": {"mounts": (Mount(MountKind.TMPFS, "", "/cache"),)},
    "label team added": {"labels": (("team", "blue"),)},
    "command changed": {"engine": command("serve")},
    "working_dir changed": {"engine": '{"Config":{"WorkingDir":"/x"},"HostConfig":{}}'},
    "healthcheck changed": {"health": HealthSpec(("CMD", "true"))},
    "stop_grace_period changed": {"stop_grace_s": 3.0},
    "host name db added": {"extra_hosts": (("db", "10.0.0.9"),)},
}


@pytest.mark.parametrize("text", CHANGES)
def test_a_plan_says_what_changed_by_name(text: str) -> None:
    assert changed(BARE, replace(BARE, **CHANGES[text])) == (text,)  # type: ignore[arg-type]


def test_a_variable_that_changes_or_goes_is_told_as_such() -> None:
    one = replace(BARE, environment=(EnvVar("COLOR", "green"), EnvVar("MODE", "a")))
    other = replace(BARE, environment=(EnvVar("COLOR", "blue"),))
    assert changed(one, other) == ("environment COLOR changed", "environment MODE removed")


def test_another_sensitive_value_is_told_by_name_alone() -> None:
    web = replace(with_secret(BARE), environment=(EnvVar("URL", "", URL),))

    def valued(number: int, digest: str) -> Release:
        made = release(number, (web,), ONE, versions=SAME)
        return replace(made, sensitive=(SensitiveDigest(SECRET, "s"), SensitiveDigest(URL, digest)))

    plan = over(valued(1, "d1"), valued(2, "d2"))
    assert plan.changes[0].differences == (Difference("environment", "URL", Turn.CHANGED),)
    rotated = over(release(1, (web,), ONE), release(2, (web,), ONE, versions=SAME, value="s2"))
    assert [str(d) for d in rotated.changes[0].differences] == ["secret /run/secrets/key changed"]


def test_the_image_is_told_first_and_many_differences_are_counted() -> None:
    names = ("ALPHA", "BETA", "GAMMA")
    web = replace(BARE, environment=tuple(EnvVar(name, "1") for name in names))
    plan = over(release(1, (BARE,), ONE), release(2, (web,), ONE))
    assert plan.changes[0].cause == (
        "image changed, environment ALPHA added, environment BETA added and 1 more"
    )
    assert len(plan.changes[0].differences) == 4


def causes(plan: Plan, kind: type) -> set[str]:
    return {step.cause for step in plan.steps() if isinstance(step, kind)}


def test_going_back_restores_and_never_replaces() -> None:
    web = proxied("web", TWO, replicas=2, strategy=Strategy.ROLLING)
    pair = Pair(release(1, (web,), TWO), release(2, (web,), TWO))
    fleet = deployed(pair.fleet(), pair.old)
    for step in planned(pair.new, fleet.snapshot()).steps():
        if isinstance(step, RemoveContainer) and "-retired" in step.container:
            fleet.apply(step)
            break
        fleet.apply(step)
    plan = planned(pair.old, fleet.snapshot(), UNDO)
    assert plan.goal == "take libra back to release 1"
    assert causes(plan, CreateContainer) == {"release 1 comes back"}
    assert causes(plan, StopContainer) == {"release 2 is taken back"}


def test_repair_says_what_is_missing_and_what_does_not_belong() -> None:
    web = proxied("web", ONE, replicas=2)
    pair = Pair(release(1, (web,), ONE), release(2, (web,), ONE))
    fleet = deployed(pair.fleet(), pair.old)
    for step in planned(pair.new, fleet.snapshot()).steps():
        fleet.apply(step)
        if isinstance(step, CreateContainer):
            break
    host = fleet.hosts[HostName("app1")]
    host.boxes.pop(next(name for name, box in host.boxes.items() if box.role == "replica"))
    plan = planned(pair.old, fleet.snapshot())
    assert plan.goal == "bring libra to what release 1 says"
    assert causes(plan, CreateContainer) == {"it is missing"}


def scaled(one: ServiceSpec, other: ServiceSpec, policy: Policy | None = None) -> Plan:
    old = release(1, (one,), TWO, versions=SAME)
    fleet = deployed(Pair(old, old).fleet(), old)
    new = release(2, (other,), TWO, versions=SAME)
    return planned(new, fleet.snapshot(), policy or Policy(TOOLS))


CASES: dict[str, Callable[[], Plan]] = {
    "4 replicas are wished, not 2": lambda: scaled(
        proxied("web", TWO, replicas=2), proxied("web", TWO, replicas=4)
    ),
    "only 1 wished": lambda: scaled(
        proxied("web", ONE, replicas=2), proxied("web", ONE, replicas=1)
    ),
    "replaced as asked": lambda: scaled(BARE, BARE, Policy(TOOLS, recreate=frozenset({WEB}))),
    "app2 is left out: others take over its replicas": lambda: scaled(
        proxied("web", TWO, replicas=2),
        proxied("web", TWO, replicas=2),
        Policy(TOOLS, skip_hosts=frozenset({HostName("app2")})),
    ),
}


@pytest.mark.parametrize("cause", CASES)
def test_a_service_that_did_not_change_says_why_it_moves(cause: str) -> None:
    assert [change.cause for change in CASES[cause]().changes] == [cause]


def test_leaving_a_host_out_tells_where_its_replicas_go() -> None:
    left_out = Policy(TOOLS, skip_hosts=frozenset({HostName("app2")}))
    web = proxied("web", TWO, replicas=2)
    (text,) = scaled(web, web, left_out).remarks
    assert text.endswith("; its replicas of web are made on other hosts")


def test_restored_data_is_why_what_mounts_it_is_made_anew_and_the_rest_stays() -> None:
    first = release(1, (BARE, database(ONE)), ONE)
    swung = Policy(tools=TOOLS, bindings=(Binding("data", "restored"),))
    plan = planned(first, deployed(Pair(first, first).fleet(), first).snapshot(), swung)
    moved = "volume data has other data behind it"
    touched = (CreateContainer, StopContainer)
    causes = {
        step.cause for step in plan.steps() if isinstance(step, touched) and "db" in str(step)
    }
    assert causes == {moved}
    assert [(change.service, change.cause) for change in plan.changes] == [("db", moved)]


def test_a_new_service_and_one_that_goes_say_so() -> None:
    worker = service("worker", ONE)
    both = release(1, (BARE, worker), ONE, versions={"web": 1, "worker": 1})
    plan = over(release(1, (BARE,), ONE), replace(both, number=release(2, (), ONE).number))
    assert {change.cause for change in plan.changes} == {"new in release 2"}
    gone = over(both, release(2, (BARE,), ONE, versions=SAME))
    assert causes(gone, StopContainer) == {"release 2 has no service worker"}
    assert [change.cause for change in gone.changes] == ["release 2 has no service worker"]


def test_each_interruption_names_its_reason() -> None:
    def only(old: ServiceSpec, new: ServiceSpec) -> tuple[InterruptionKind, str]:
        (found,) = over(release(1, (old,), ONE), release(2, (new,), ONE)).interruptions
        return found.kind, found.reason

    kind, reason = only(database(ONE), database(ONE))
    assert kind is InterruptionKind.SINGLE_WRITER
    assert reason == "only one replica may write to volume data: the old one stops first"
    recreated = service("web", ONE, strategy=Strategy.RECREATE)
    assert only(recreated, recreated)[0] is InterruptionKind.RECREATE
    fixed = service("web", ONE, strategy=Strategy.RECREATE, ports=(PortSpec(80, 8080),))
    kind, reason = only(fixed, fixed)
    assert kind is InterruptionKind.PORT
    assert "port 8080" in reason
    assert only(BARE, replace(BARE, proxy=None)) == (
        InterruptionKind.ROUTE,
        "nobody serves web.test any more",
    )
