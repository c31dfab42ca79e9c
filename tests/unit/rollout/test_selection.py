"""Which services may be brought alone, and what is said of those that stay."""

from dataclasses import replace

import pytest

from tests.property.fleets import database, hosts, image, proxied, release, service
from underway.errors import RefusedError, UsageError
from underway.model.names import HostName, ServiceName
from underway.model.release import Release
from underway.model.spec import (
    BeforeSpec,
    BuildSpec,
    Dependency,
    DependencyCondition,
    EnvVar,
    MountKind,
    PortSpec,
    ProxySpec,
    ServiceSpec,
)
from underway.model.spec import Mount as MountSpec
from underway.rollout.selection import Selection

ONE, TWO = hosts(1), hosts(2)
WEB, WORKER = ServiceName("web"), ServiceName("worker")
BUILD = BuildSpec(".", "Dockerfile", "{}")


def chosen(old: Release | None, new: Release, *names: str) -> Selection:
    return Selection(frozenset(map(ServiceName, names)), new.spec, old, "the file")


def refusal(old: Release | None, new: Release, *names: str) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        chosen(old, new, *names).spec()
    assert caught.value.code == "only-entangled"
    return caught.value


def coloured(one: ServiceSpec) -> ServiceSpec:
    return replace(one, environment=(EnvVar("COLOR", "green"),))


def test_named_services_come_from_the_file_and_others_stay() -> None:
    web, worker = proxied("web", TWO), service("worker", TWO)
    old = release(1, (web, worker), TWO)
    new = release(2, (coloured(web), coloured(worker)), TWO)
    selection = chosen(old, new, "web")
    assert selection.spec().services == (coloured(web), worker)
    assert list(selection.left(replace(new, images=old.images), is_built=True)) == [
        "worker is left as release 1 has it: environment COLOR added"
    ]


def test_what_is_new_gone_or_not_built_is_told() -> None:
    web, worker, old_one = proxied("web", ONE), service("worker", ONE), service("old", ONE)
    old = release(1, (web, worker, old_one), ONE)
    built = replace(worker, build=BUILD)
    new = release(2, (coloured(web), built, service("cache", ONE)), ONE)
    told = list(chosen(old, new, "web").left(new, is_built=False))
    assert "old is not in the file any more, and is left running" in told
    assert "cache is new in the file, and is left out" in told
    assert "worker is not built: whether its image differs is not known" in told


def test_a_service_that_the_file_lost_may_be_named_and_goes() -> None:
    web, worker = proxied("web", ONE), service("worker", ONE)
    old, new = release(1, (web, worker), ONE), release(2, (coloured(web),), ONE)
    assert chosen(old, new, "worker").spec().services == (web,)


def test_an_unknown_name_is_asked_about() -> None:
    old = new = release(1, (proxied("web", ONE),), ONE)
    with pytest.raises(UsageError) as caught:
        chosen(old, new, "wbe")
    assert caught.value.hint == "Did you mean `web`?"


def test_a_first_release_may_be_a_part_that_needs_nobody() -> None:
    web = proxied("web", ONE, depends_on=(Dependency(ServiceName("db")),))
    new = release(1, (web, database(ONE)), ONE)
    assert [s.name for s in chosen(None, new, "db").spec().services] == ["db"]
    error = refusal(None, new, "web")
    assert "web depends on db, which does not run yet" in error.message
    assert "--only db --only web" in error.hint


def test_a_service_that_others_need_does_not_go_alone() -> None:
    worker = service("worker", ONE, depends_on=(Dependency(WEB),))
    old = release(1, (proxied("web", ONE), worker), ONE)
    new = release(2, (service("worker", ONE),), ONE)
    assert "--only web --only worker" in refusal(old, new, "web").hint


def test_who_is_reached_otherwise_comes_along() -> None:
    """A worker on another host has the address of the service that it calls."""
    caller = service("worker", TWO[1:], depends_on=(Dependency(ServiceName("api")),))
    old = release(1, (service("api", TWO[:1]), caller), TWO, edges=2)
    new = release(2, (service("api", TWO[:1], replicas=3), caller), TWO, edges=2)
    error = refusal(old, new, "api")
    assert "worker would be replaced, too" in error.message
    assert error.cause.startswith("worker: host name api")
    assert [s.replicas for s in chosen(old, new, "api", "worker").spec().services] == [3, 1]


def test_a_shared_volume_that_changes_takes_its_users_along() -> None:
    mounts = (MountSpec(MountKind.VOLUME, "data", "/data"),)
    both = (service("web", ONE, mounts=mounts), service("worker", ONE, mounts=mounts))
    old, new = release(1, both, ONE), release(2, tuple(map(coloured, both)), ONE)
    assert chosen(old, new, "web").spec().volumes == old.spec.volumes
    moved = replace(
        new, spec=replace(new.spec, volumes=(replace(new.spec.volumes[0], driver="nfs"),))
    )
    error = refusal(old, moved, "web")
    assert "volume data changes, and worker uses it too" in error.message


def test_a_route_or_port_is_not_taken_from_a_service_that_stays() -> None:
    web, api = proxied("web", ONE), proxied("api", ONE)
    assert web.proxy is not None
    assert api.proxy is not None
    old = release(1, (web, api), ONE)
    swapped = (replace(web, proxy=api.proxy), replace(api, proxy=web.proxy))
    error = refusal(old, release(2, swapped, ONE), "api")
    assert "web has what api takes over: web.test/" in error.message
    one = service("one", ONE, ports=(PortSpec(80, 8080),))
    other = service("other", ONE)
    moved = (replace(one, ports=()), replace(other, ports=one.ports))
    error = refusal(release(1, (one, other), ONE), release(2, moved, ONE), "other")
    assert "one has what other takes over: port 8080" in error.message


def test_hosts_and_edges_of_what_stays_stay() -> None:
    three = hosts(3)
    web, worker = proxied("web", three), service("worker", three)
    old = release(1, (web, worker), three, edges=2)
    new = release(2, (proxied("web", TWO), service("worker", TWO)), TWO, edges=1)
    spec = chosen(old, new, "worker").spec()
    assert spec.edge == old.spec.edge
    assert [host.name for host in spec.hosts] == ["app1", "app2", "app3"]
    told = list(chosen(old, new, "worker").left(new, is_built=True))
    assert "the edges are left as release 1 has them" in told
    away = tuple(replace(h, address=f"10.9.0.{i}") for i, h in enumerate(three))
    moved = replace(old, spec=replace(old.spec, hosts=away))
    assert "another address" in refusal(old, moved, "worker").message


def test_one_host_that_becomes_several_takes_all_along() -> None:
    old = release(1, (proxied("web", ONE), service("worker", ONE)), ONE)
    new = release(2, (proxied("web", TWO), service("worker", TWO)), TWO)
    assert "would be replaced" in refusal(old, new, "web").message


@pytest.mark.parametrize("kind", ["before", "job"])
def test_an_image_does_not_come_ahead_of_what_prepares_it(kind: str) -> None:
    web = proxied("web", ONE, build=BUILD)
    other = service("worker", ONE, build=BUILD)
    if kind == "before":
        other = replace(other, before=BeforeSpec(("migrate",)))
    else:
        waits = (Dependency(WORKER, DependencyCondition.COMPLETED),)
        other, web = replace(other, runs_once=True), replace(web, depends_on=waits)
    old, new = release(1, (web, other), ONE), release(2, (web, other), ONE)
    selection = chosen(old, new, "web")
    selection.require_prepared({WEB: image("web", 1)})
    with pytest.raises(RefusedError) as caught:
        selection.require_prepared({WEB: image("web", 2)})
    assert "worker prepares what web would run" in caught.value.message
    elsewhere = replace(web, build=replace(BUILD, context="web"))
    apart = release(2, (elsewhere, other), ONE)
    chosen(old, apart, "web").require_prepared({WEB: image("web", 2)})


def test_a_suite_of_tests_needs_what_is_there() -> None:
    old = release(1, (proxied("web", ONE),), ONE)
    new = release(2, (proxied("web", ONE), service("cache", ONE)), ONE)
    with pytest.raises(RefusedError, match="its suite unit needs cache"):
        chosen(old, new, "web").require_there("unit", [ServiceName("cache")])


def test_a_port_that_the_image_told_is_no_difference() -> None:
    web = proxied("web", ONE)
    old = release(1, (web, service("worker", ONE)), ONE)
    unsaid = replace(web, proxy=ProxySpec(("web.test",), 0), place="compose.yaml:9")
    new = release(2, (unsaid, coloured(service("worker", ONE))), ONE)
    assert chosen(old, new, "worker").spec().service(WEB).hosts == (HostName("app1"),)
