"""Defects that the simulated fleet has shown, each in its smallest form."""

from dataclasses import replace

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
from tests.property.voyage import DEPLOY, ROLLBACK, UNDO, converge, deployed, planned, sail
from underway.model.names import HostName, ServiceName
from underway.model.snapshot import Role
from underway.model.spec import BeforeSpec, HostSpec, Strategy, UpdateSpec
from underway.model.step import (
    RemoveUpstream,
    SetUpstream,
    StartContainer,
    Step,
    StopContainer,
)
from underway.model.traffic import ServerMode

Hosts = tuple[HostSpec, ...]
ONE, TWO, THREE = hosts(1), hosts(2), hosts(3)


def upto(pair: Pair, kind: type[Step], number: int = 1, *, is_half: bool = False):
    """The fleet of a deploy of `new` that died at its nth step of a kind."""
    fleet = deployed(pair.fleet(), pair.old)
    for step in planned(pair.new, fleet.snapshot()).steps():
        if isinstance(step, kind):
            number -= 1
            if not number:
                fleet.apply(step, is_half=is_half)
                return fleet
        fleet.apply(step)
    raise AssertionError("the plan has no such step")


def versions(*services: object, where: Hosts = TWO, **changes: object) -> Pair:
    """The same services in two versions."""
    return Pair(
        release(1, services, where),  # type: ignore[arg-type]
        release(2, services, where, **changes),  # type: ignore[arg-type]
    )


def test_a_name_that_an_interrupted_run_retired_can_be_retired_again() -> None:
    pair = versions(proxied("web", ONE), where=ONE)
    fleet = upto(pair, StopContainer)
    back = planned(pair.old, fleet.snapshot(), UNDO)
    for step in back.steps():
        fleet.apply(step)
        if isinstance(step, StartContainer):
            break
    converge(fleet, pair.new, DEPLOY)


def test_a_half_stopped_single_writer_is_ended_before_its_successor_starts() -> None:
    pair = versions(database(ONE), where=ONE)
    fleet = upto(pair, StopContainer, is_half=True)
    converge(fleet.fork(), pair.new, DEPLOY)
    converge(fleet, pair.old, UNDO)


def test_secret_files_go_from_hosts_that_have_no_replica_any_more() -> None:
    wide = with_secret(service("web", THREE, replicas=3))
    narrow = replace(wide, replicas=1)
    pair = Pair(release(1, (wide,), THREE), release(2, (narrow,), THREE, versions={"web": 1}))
    fleet = deployed(pair.fleet(), pair.old)
    converge(fleet, pair.new, DEPLOY)
    assert "underway-files" not in " ".join(fleet.hosts[HostName("app3")].volumes)


def test_undo_while_before_runs_leaves_it_its_files() -> None:
    web = with_secret(proxied("web", ONE, before=BeforeSpec(("migrate",))))
    pair = Pair(release(1, (web,), ONE), release(2, (web,), ONE))
    fleet = upto(pair, StartContainer)
    assert fleet.hosts[HostName("app1")].has_running(Role.BEFORE.value)
    converge(fleet, pair.old, UNDO)


def test_an_old_replica_that_takes_no_requests_is_retired_before_one_that_does() -> None:
    """Undo in the third batch: the newest replica is only probed, and counts for nothing."""
    web = proxied("web", ONE, replicas=3, update=UpdateSpec(parallelism=1))
    pair = versions(web, where=ONE)
    fleet = upto(pair, StartContainer, 3)
    converge(fleet.fork(), pair.old, UNDO)
    converge(fleet, pair.old, ROLLBACK)


def test_a_former_edge_forgets_a_service_before_its_old_replicas_stop() -> None:
    web = proxied("web", TWO, replicas=2)
    old = release(1, (web,), TWO, edges=2)
    new = release(2, (web,), TWO, edges=1)
    fleet = deployed(Pair(old, new).fleet(), old)
    steps = list(planned(new, fleet.snapshot()).steps())
    kinds = [type(step) for step in steps]
    assert kinds.index(RemoveUpstream) < kinds.index(StopContainer)
    converge(fleet, new, DEPLOY)


def test_a_service_that_leaves_the_proxy_is_taken_out_before_any_batch_stops() -> None:
    old = release(1, (proxied("web", TWO, replicas=2),), TWO)
    new = release(2, (service("web", TWO, replicas=2, strategy=Strategy.RECREATE),), TWO)
    converge(deployed(Pair(old, new).fleet(), old), new, DEPLOY)


def test_a_replica_whose_place_moved_gets_another_name() -> None:
    """Edges know replicas by name: web-1 on app1 and web-1 on app2 would be one server."""
    web = proxied("web", TWO, replicas=2)
    old = release(1, (web,), THREE)
    new = release(2, (replace(web, hosts=(TWO[1].name, THREE[2].name)),), THREE)
    same = replace(new, images=old.images)
    converge(deployed(Pair(old, same).fleet(), old), same, DEPLOY)


def test_a_fleet_that_shrinks_to_one_host_pins_its_replicas_anew() -> None:
    web = proxied("web", TWO)
    old = release(1, (web,), TWO)
    new = replace(release(2, (proxied("web", ONE),), ONE), images=old.images)
    fleet = deployed(Pair(old, new).fleet(), old)
    converge(fleet, new, DEPLOY)
    converge(fleet, old, ROLLBACK)


def test_traffic_never_flips_onto_what_an_earlier_flip_left_behind() -> None:
    """Two flips without a clean-up between: the idle side still knows stopped replicas."""
    web = proxied("web", ONE, replicas=2, strategy=Strategy.BLUE_GREEN)
    pair = versions(web, where=ONE)
    fleet = upto(pair, StopContainer, 2)
    third = release(3, (web,), ONE)
    fleet.releases[third.number] = third
    converge(fleet, third, DEPLOY)


def test_a_replica_on_a_lost_host_is_not_routed_unchecked() -> None:
    """The old replica there was stopped before the host was lost: the edge's check knows."""
    pair = versions(proxied("web", TWO, replicas=2, strategy=Strategy.BLUE_GREEN))
    fleet = upto(pair, StopContainer, 2)
    app2 = fleet.hosts[HostName("app2")]
    stopped = {n.removesuffix("-retired") for n in app2.boxes if n.endswith("-retired")}
    assert stopped
    fleet.settle()
    app2.is_reachable = False
    plan = planned(pair.old, fleet.snapshot(), replace(UNDO, keep_unreachable=True))
    told = [step.upstream for step in plan.steps() if isinstance(step, SetUpstream)]
    assert told
    for upstream in told:
        ready = {s.name for s in upstream.servers if s.mode is ServerMode.READY}
        live = {s.name for s in upstream.servers if s.side is upstream.live}
        assert not stopped & ready & live
    sail(fleet, plan)


def test_the_edge_of_a_failed_release_counts_as_lost_although_the_old_one_has_it_not() -> None:
    old = release(1, (proxied("web", TWO[:1], health=HEALTH),), TWO, edges=1)
    new = release(2, (proxied("web", TWO[:1], health=HEALTH),), TWO, edges=2)
    fleet = deployed(Pair(old, new).fleet(), old)
    for step in planned(new, fleet.snapshot()).steps():
        if isinstance(step, StopContainer):
            break
        fleet.apply(step)
    fleet.hosts[HostName("app2")].is_reachable = False
    plan = planned(old, fleet.snapshot(), replace(UNDO, keep_unreachable=True))
    assert not any(isinstance(step, StopContainer) for step in plan.steps())
    assert any("app2 may still send requests" in text for text in plan.left)


def test_undo_of_a_recreate_keeps_the_very_replicas_that_served() -> None:
    web = proxied("web", TWO, replicas=2, strategy=Strategy.BLUE_GREEN)
    pair = versions(web)
    fleet = deployed(pair.fleet(), pair.old)
    before = fleet.running(ServiceName("web"))
    anew = replace(DEPLOY, recreate=frozenset({ServiceName("web")}))
    for step in planned(pair.old, fleet.snapshot(), anew).steps():
        if isinstance(step, StopContainer):
            break
        fleet.apply(step)
    sail(fleet, planned(pair.old, fleet.snapshot(), UNDO))
    assert fleet.running(ServiceName("web")) == before


def test_a_later_batch_does_not_take_a_replica_of_a_lost_host_out_again() -> None:
    web = proxied("web", THREE, replicas=3, update=UpdateSpec(parallelism=1))
    old = release(1, (service("worker", THREE),), THREE)
    new = replace(release(2, (service("worker", THREE), web), THREE, versions={"worker": 1}))
    fleet = upto(Pair(old, new), SetUpstream)
    fleet.settle()
    fleet.hosts[HostName("app2")].is_reachable = False
    policy = replace(DEPLOY, keep_unreachable=True)
    sail(fleet, planned(new, fleet.snapshot(), policy))
    assert planned(new, fleet.snapshot(), policy).is_empty
    assert len(fleet.serving(HostName("app1"), ServiceName("web"))) == 3
