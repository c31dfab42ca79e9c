"""`--limit` over a simulated fleet: half-updated on purpose, shown, mended, completed, undone."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fakes.session import SimulatedSession, simulated, steps_over_simulation
from tests.fakes.simulation import Simulation
from tests.property.fleets import Pair, hosts, proxied, release, service
from tests.unit.api.voyages import WEB, Once, serving_first
from underway.api import deploy, plan, repair, rollback, scale, status
from underway.api.deploying import DeployOptions
from underway.api.maintaining import plan_prune
from underway.api.session import current_release, recorded_limit
from underway.errors import RefusedError, StepFailedError, UsageError
from underway.model.event import Outcome
from underway.model.names import HostName, ReleaseNumber
from underway.model.release import Limit
from underway.model.snapshot import ContainerStatus
from underway.model.spec import BeforeSpec, ProxySpec
from underway.model.step import ConfirmUpstream
from underway.report.line import draw
from underway.report.status_text import status_lines

WHERE = hosts(3)
APP1, APP2, APP3 = (host.name for host in WHERE)


@pytest.fixture(autouse=True)
def over_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with steps_over_simulation(monkeypatch):
        yield


def to(*names: HostName) -> DeployOptions:
    return DeployOptions(limit=frozenset(names))


def a_pair(**changes: object) -> Pair:
    web = proxied("web", WHERE, replicas=3, **changes)
    return Pair(release(1, (web,), WHERE, edges=2), release(2, (web,), WHERE, edges=2))


def session_of(fleet: Simulation, pair: Pair) -> SimulatedSession:
    return simulated(fleet, lambda: pair.new)


def runs(fleet: Simulation) -> dict[str, str]:
    """The version of `web` on each host."""
    return {
        name: box.label("underway.release")
        for name, host in fleet.hosts.items()
        for box in host.boxes.values()
        if box.service == WEB and box.status is ContainerStatus.RUNNING
    }


def limited_to(pair: Pair, *names: HostName) -> Simulation:
    fleet = serving_first(pair)
    assert deploy(session_of(fleet, pair), to(*names)).outcome is Outcome.DONE
    return fleet


def test_some_hosts_get_a_release_alone_and_the_next_deploy_completes_it() -> None:
    pair = a_pair()
    fleet = limited_to(pair, APP1)
    assert runs(fleet) == {APP1: "2", APP2: "1", APP3: "1"}
    for edge in (APP1, APP2):
        assert len(fleet.serving(edge, WEB)) == 3
    session = session_of(fleet, pair)
    assert deploy(session, to(APP1)).outcome is Outcome.NOTHING_TO_DO
    made = plan(session)
    assert made.changes[0].cause == "app2 kept release 1 on purpose so far"
    assert deploy(session).outcome is Outcome.DONE
    assert set(runs(fleet).values()) == {"2"}
    assert recorded_limit(fleet.snapshot()) is None


def test_status_shows_it_as_wished_and_without_drift() -> None:
    pair = a_pair()
    report = status(session_of(limited_to(pair, APP1), pair))
    assert report.limit == Limit((APP1,), ReleaseNumber(1))
    assert not report.drift
    assert [host.release for host in report.hosts] == [2, 1, 1]
    assert all(replica.is_current for one in report.services for replica in one.replicas)
    told = draw(status_lines(report)).splitlines()
    assert told[1] == (
        "on app1 alone, on purpose; other hosts keep release 1 (underway deploy 2 completes it)"
    )


def test_it_grows_host_by_host_until_it_is_whole() -> None:
    pair = a_pair()
    fleet = limited_to(pair, APP1)
    deploy(session_of(fleet, pair), to(APP2))
    assert runs(fleet) == {APP1: "2", APP2: "2", APP3: "1"}
    assert recorded_limit(fleet.snapshot()) == Limit((APP1, APP2), ReleaseNumber(1))
    deploy(session_of(fleet, pair), to(APP3))
    assert recorded_limit(fleet.snapshot()) is None


def test_rolling_back_takes_it_back() -> None:
    pair = a_pair()
    fleet = limited_to(pair, APP1)
    assert rollback(session_of(fleet, pair)).release.number == 1
    assert set(runs(fleet).values()) == {"1"}
    assert recorded_limit(fleet.snapshot()) is None


def refused() -> None:
    raise StepFailedError("edge-differs", "what was read back differs")


def test_a_failure_on_the_way_to_more_hosts_goes_back_to_the_fewer() -> None:
    pair = a_pair()
    fleet = limited_to(pair, APP1)
    before = {name: set(host.boxes) for name, host in fleet.hosts.items()}
    for options in (to(APP2), DeployOptions()):
        fails = Once(lambda step: isinstance(step, ConfirmUpstream), refused)
        session = simulated(fleet, lambda: pair.new, before_step=fails)
        with pytest.raises(StepFailedError):
            deploy(session, options)
        assert fails.is_done
        assert runs(fleet) == {APP1: "2", APP2: "1", APP3: "1"}
        assert {name: set(host.boxes) for name, host in fleet.hosts.items()} == before
        assert recorded_limit(fleet.snapshot()) == Limit((APP1,), ReleaseNumber(1))


def test_repair_and_scale_keep_both_releases() -> None:
    pair = a_pair()
    fleet = limited_to(pair, APP1)
    for host in fleet.hosts.values():
        for box in [b for b in host.boxes.values() if b.service == WEB]:
            fleet.excused.add(box.name)
            host.boxes[box.name] = replace(box, status=ContainerStatus.EXITED, exit_code=1)
    fleet.settle()
    assert repair(session_of(fleet, pair)).outcome is Outcome.DONE
    assert runs(fleet) == {APP1: "2", APP2: "1", APP3: "1"}
    scale(session_of(fleet, pair), {WEB: 6})
    assert runs(fleet) == {APP1: "2", APP2: "1", APP3: "1"}
    assert len(fleet.running(WEB)) == 6
    assert recorded_limit(fleet.snapshot()) == Limit((APP1,), ReleaseNumber(1))


def test_a_third_release_does_not_come_beside_two() -> None:
    pair = a_pair()
    fleet = limited_to(pair, APP1)
    third = replace(
        pair.new, number=ReleaseNumber(3), images=release(3, pair.new.spec.services, WHERE).images
    )
    session = simulated(fleet, lambda: third)
    with pytest.raises(RefusedError) as caught:
        deploy(session, to(APP2))
    assert caught.value.code == "limit-unfit"
    assert "--limit app1 --limit app2" in caught.value.hint
    deploy(session, to(APP1, APP2))
    assert runs(fleet) == {APP1: "3", APP2: "3", APP3: "1"}
    current = current_release(fleet.snapshot())
    assert current is not None
    assert current.number == 3


def test_what_hosts_share_is_of_one_release() -> None:
    pair = a_pair()
    other = proxied("web", WHERE, replicas=3)
    other = replace(other, proxy=ProxySpec(("other.test",), 8000))
    unfit = Pair(pair.old, release(2, (other,), WHERE, edges=2))
    fleet = serving_first(unfit)
    before = fleet.snapshot().hosts
    with pytest.raises(RefusedError) as caught:
        deploy(session_of(fleet, unfit), to(APP1))
    assert caught.value.cause == "web: proxy differ"
    assert fleet.snapshot().hosts == before


def test_a_before_is_not_left_out() -> None:
    web = proxied("web", WHERE[:1], before=BeforeSpec(("migrate",)))
    worker = service("worker", WHERE, replicas=3)
    pair = Pair(release(1, (web, worker), WHERE), release(2, (web, worker), WHERE))
    fleet = serving_first(pair)
    with pytest.raises(RefusedError, match="`before` of web"):
        deploy(session_of(fleet, pair), to(APP2))
    assert deploy(session_of(fleet, pair), to(APP1)).outcome is Outcome.DONE
    with pytest.raises(RefusedError, match="goes back alone past"):
        rollback(session_of(fleet, pair), replace(to(APP1), release=ReleaseNumber(1)))


def test_unknown_hosts_and_first_deploys_are_refused() -> None:
    pair = a_pair()
    fleet = serving_first(pair)
    with pytest.raises(UsageError) as caught:
        deploy(session_of(fleet, pair), to(HostName("ap1")))
    assert caught.value.hint == "Did you mean `app1`?"
    with pytest.raises(RefusedError, match="nothing was deployed yet"):
        deploy(session_of(pair.fleet(), pair), to(APP1))


def test_prune_keeps_what_other_hosts_run() -> None:
    pair = a_pair()
    fleet = limited_to(pair, APP1)
    made = plan_prune(session_of(fleet, pair), fleet.snapshot())
    images = {getattr(step, "image", "") for step in made.steps()}
    assert pair.old.image_of(WEB).config_digest not in images
