"""A recorded release on other hosts: each of its hosts is named, and everything follows."""

from dataclasses import replace

import pytest

from tests.unit.backup.sample import RELEASE
from underway.compose.new_hosts import on_new_hosts, read_target
from underway.errors import UsageError
from underway.model.names import LOCAL_HOST, HostName
from underway.model.release import Release
from underway.model.spec import EdgeSpec, HostSpec

APP1, DATA = HostName("app1.example.com"), HostName("data")


def fleet() -> Release:
    """The web on a host called by its URL, the database on one with a name of its own."""
    db, web = RELEASE.spec.services
    spec = replace(
        RELEASE.spec,
        services=(replace(db, hosts=(DATA,)), replace(web, hosts=(APP1,))),
        hosts=(
            HostSpec(APP1, "ssh://deploy@app1.example.com", "10.0.0.1", ("app",)),
            HostSpec(DATA, "ssh://deploy@db.example.com", "10.0.0.3"),
        ),
        edge=EdgeSpec((APP1,)),
    )
    return replace(RELEASE, spec=spec)


def moved(release: Release, *targets: str) -> Release:
    return on_new_hosts(release, [read_target(text) for text in targets])


def on(host: HostSpec) -> Release:
    """On one host alone."""
    services = tuple(replace(one, hosts=(host.name,)) for one in RELEASE.spec.services)
    return replace(RELEASE, spec=replace(RELEASE.spec, services=services, hosts=(host,)))


def test_the_only_host_needs_no_name() -> None:
    spec = moved(on(HostSpec(LOCAL_HOST, "")), "ssh://root@new.example.com").spec
    assert spec.hosts == (HostSpec(HostName("new.example.com"), "ssh://root@new.example.com"),)
    assert {host for service in spec.services for host in service.hosts} == {"new.example.com"}


def test_each_host_of_a_fleet_gets_its_own_and_everything_follows() -> None:
    spec = moved(
        fleet(),
        "app1.example.com=ssh://deploy@app9.example.com,10.0.0.9",
        "data=ssh://deploy@10.0.0.8",
    ).spec
    app9 = HostName("app9.example.com")
    assert [(host.name, host.address, host.groups) for host in spec.hosts] == [
        (app9, "10.0.0.9", ("app",)),
        (DATA, "10.0.0.8", ()),
    ]
    assert [service.hosts for service in spec.services] == [(DATA,), (app9,)]
    assert spec.edge.hosts == (app9,)


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        (("ssh://a",), "names no host"),
        (("data=ssh://a,10.0.0.1",), "no host is named for app1.example.com"),
        (("data=ssh://a", "data=ssh://b"), "twice"),
        (("data=ssh://a", "app1.example.com=ssh://a"), "two hosts at once"),
        (("dta=ssh://a", "app1.example.com=ssh://b"), "names no host"),
    ],
)
def test_what_is_not_clear_is_refused_with_the_names(targets: tuple[str, ...], told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        moved(fleet(), *targets)
    assert caught.value.code == "recover-hosts"
    assert "`data`" in caught.value.cause
