"""Names and listeners across hosts: who reaches whom, where, and what is refused with its place."""

from dataclasses import replace

import pytest

from tests.property.fleets import Pair, hosts, proxied, release, service
from tests.property.voyage import DEPLOY, UNDO, deployed, planned
from underway.errors import UnderwayError
from underway.model.container import PublishedPort
from underway.model.names import AppName, ContainerName, HostName, ServiceName
from underway.model.release import Release
from underway.model.snapshot import ContainerState, ContainerStatus, HostState
from underway.model.spec import AppSpec, Dependency, EdgeSpec, PortSpec, ServiceSpec
from underway.model.step import AwaitContainer, AwaitDrained, AwaitServers, CreateContainer
from underway.model.traffic import EdgeState, ObservedUpstream, Side
from underway.rollout.reach import (
    TCP_DRAIN_S,
    all_names,
    direct_ports,
    listener_port,
    listens_on,
    names_for,
    proxy_for,
    remote_providers,
)

WHERE = hosts(4)
APP1, APP2, APP3 = (host.name for host in WHERE[:3])
API = ServiceName("api")
PLACE = "compose.yaml:7"
LIBRAS_FIRST_PORT = 20465
"""Where the ports of an app called libra begin in the range."""


def api(**changes: object) -> ServiceSpec:
    made = service("api", WHERE[:2], replicas=2, expose=(9000,), place=PLACE)
    return replace(made, **changes)  # type: ignore[arg-type]


def worker(*where: int, **changes: object) -> ServiceSpec:
    some = tuple(WHERE[i] for i in where or (2,))
    made = service("worker", some, replicas=len(some), depends_on=(Dependency(API),))
    return replace(made, **changes)  # type: ignore[arg-type]


def made(*services: ServiceSpec, edges: tuple[HostName, ...] = (APP1, APP2)) -> Release:
    found = release(1, services, WHERE)
    return replace(found, spec=replace(found.spec, edge=EdgeSpec(edges, 80)))


def spec(*services: ServiceSpec, edges: tuple[HostName, ...] = (APP1, APP2)) -> AppSpec:
    return made(*services, edges=edges).spec


def test_a_consumer_reaches_its_own_edge_or_all_of_them() -> None:
    app = spec(api(), worker(1, 2))
    consumer = app.service(ServiceName("worker"))
    assert names_for(app, consumer, APP2) == (("api", "10.0.0.2"),)
    assert names_for(app, consumer, APP3) == (("api", "10.0.0.1"), ("api", "10.0.0.2"))
    assert all_names(app, consumer) == (("api", "10.0.0.1"), ("api", "10.0.0.2"))


def test_one_replica_is_reached_where_it_stands() -> None:
    for one in (api(replicas=1), api(is_global=True, hosts=(APP1,))):
        app = spec(one, worker())
        assert names_for(app, app.service(ServiceName("worker")), APP3) == (("api", "10.0.0.1"),)
        assert listener_port(app, one) == 0
        assert direct_ports(app, one) == (9000,)
        assert proxy_for(app, one) is None


def test_several_replicas_publish_a_chosen_port_and_each_edge_listens_at_their_own() -> None:
    release_ = made(api(), worker())
    app = release_.spec
    assert [listens_on(app, app.service(API), h) for h in app.edge.hosts] == [
        ("10.0.0.1:9000",),
        ("10.0.0.2:9000",),
    ]
    assert direct_ports(app, app.service(API)) == ()
    plan = planned(release_, Pair(release_, release_).fleet().snapshot())
    replicas = [
        step.container
        for step in plan.steps()
        if isinstance(step, CreateContainer) and step.container.label("underway.service") == API
    ]
    assert [replica.published for replica in replicas] == [
        (PublishedPort(9000, "10.0.0.1", LIBRAS_FIRST_PORT),),
        (PublishedPort(9000, "10.0.0.2", LIBRAS_FIRST_PORT),),
    ]


def test_a_chosen_port_is_never_one_at_which_an_edge_listens() -> None:
    release_ = made(api(expose=(LIBRAS_FIRST_PORT,)), worker())
    plan = planned(release_, Pair(release_, release_).fleet().snapshot())
    chosen = {
        port.host_port
        for step in plan.steps()
        if isinstance(step, CreateContainer)
        for port in step.container.published
    }
    assert chosen == {LIBRAS_FIRST_PORT + 1}


def test_a_service_that_users_reach_is_passed_on_as_its_file_says() -> None:
    web = proxied("api", WHERE[:2], replicas=2, expose=(9000, 9001))
    app = spec(web, worker())
    assert listener_port(app, web) == 8000
    assert proxy_for(app, web) == web.proxy


def test_a_replica_that_only_services_reach_passes_its_own_check_and_the_edges() -> None:
    pair = Pair(made(api(), worker()), replace(release(2, (api(), worker()), WHERE), number=2))
    pair = Pair(pair.old, replace(pair.new, spec=pair.old.spec))
    fleet = deployed(pair.fleet(), pair.old)
    steps = list(planned(pair.new, fleet.snapshot()).steps())
    kinds = [
        type(step)
        for step in steps
        if isinstance(step, AwaitContainer | AwaitServers) and step.service == API
    ]
    assert kinds[:3] == [AwaitContainer, AwaitServers, AwaitServers]
    drains = [step for step in steps if isinstance(step, AwaitDrained)]
    assert drains
    assert {step.timeout_s for step in drains} == {TCP_DRAIN_S}


def test_a_job_that_runs_once_is_waited_for_and_not_called() -> None:
    consumer = worker()
    assert remote_providers(spec(api(runs_once=True, expose=()), consumer), consumer) == ()


def test_the_users_own_names_stay_ahead() -> None:
    own = (("legacy", "198.51.100.7"),)
    release_ = made(api(), worker(extra_hosts=own))
    plan = planned(release_, Pair(release_, release_).fleet().snapshot())
    named = [
        step.container.extra_hosts
        for step in plan.steps()
        if isinstance(step, CreateContainer) and "worker" in step.container.name
    ]
    assert named == [(*own, ("api", "10.0.0.1"), ("api", "10.0.0.2"))]


REFUSED: dict[str, tuple[Release, str]] = {
    "no edge": (made(api(), worker(), edges=()), "edge-missing"),
    "no port": (made(api(expose=()), worker()), "port-unknown"),
    "several ports": (made(api(expose=(9000, 9001)), worker()), "listener-port-ambiguous"),
    "the edge's own port": (made(api(expose=(80,)), worker()), "listener-clash"),
    "another listener": (
        made(
            replace(api(), name=ServiceName("abc")),
            api(),
            worker(depends_on=(Dependency(ServiceName("abc")), Dependency(API))),
        ),
        "listener-clash",
    ),
    "a published port": (
        made(api(), worker(), service("db", WHERE[:1], ports=(PortSpec(5432, 9000),))),
        "listener-clash",
    ),
    "its own published port": (
        made(api(ports=(PortSpec(9000, 9000),), hosts=(APP1, APP3)), worker(3)),
        "listener-clash",
    ),
    "a port used directly": (
        made(
            api(),
            service("db", WHERE[:1], expose=(9000,)),
            worker(depends_on=(Dependency(API), Dependency(ServiceName("db")))),
        ),
        "listener-clash",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_listened_for_is_refused_with_place_and_remedy(case: str) -> None:
    release_, code = REFUSED[case]
    with pytest.raises(UnderwayError) as caught:
        planned(release_, Pair(release_, release_).fleet().snapshot())
    assert caught.value.code == code
    assert caught.value.place == PLACE
    assert caught.value.hint
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "port",
    [PortSpec(9000, 9000, "udp"), PortSpec(9000, 9000, "tcp", "127.0.0.1"), PortSpec(9000, 9001)],
)
def test_a_port_that_is_published_elsewhere_is_no_clash(port: PortSpec) -> None:
    release_ = made(api(), worker(), service("db", WHERE[:1], ports=(port,)))
    assert planned(release_, Pair(release_, release_).fleet().snapshot()).stages


def held_by(edge: HostState, kind: str) -> HostState:
    """The edge's host with something foreign at the listener's port."""
    if kind == "listener":
        listens = ("10.0.0.1:9000",)
        other = ObservedUpstream(AppName("other"), API, Side.A, "", listens=listens)
        return replace(edge, edge=EdgeState("3.0", (other,)))
    everywhere = (("0.0.0.0", 9000),)  # noqa: S104 - what a careless container publishes
    foreign = ContainerState(
        "f0", ContainerName("nginx"), "sha256:f0", ContainerStatus.RUNNING, published=everywhere
    )
    return replace(edge, containers=(*edge.containers, foreign))


@pytest.mark.parametrize("kind", ["listener", "container"])
def test_what_others_hold_on_an_edges_host_is_refused_going_forward_and_not_going_back(
    kind: str,
) -> None:
    bare = made(service("web", WHERE[:1]))
    wished = made(api(), worker())
    snapshot = deployed(Pair(bare, wished).fleet(), bare).snapshot()
    held = replace(
        snapshot,
        hosts=tuple(
            held_by(host, kind) if isinstance(host, HostState) and host.name == APP1 else host
            for host in snapshot.hosts
        ),
    )
    with pytest.raises(UnderwayError) as caught:
        planned(wished, held, DEPLOY)
    assert (caught.value.code, caught.value.exit_code) == ("listener-taken", 4)
    assert caught.value.place == PLACE
    assert planned(wished, held, UNDO).stages
