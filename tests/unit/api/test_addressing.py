"""Where users reach an app, as the release that runs says."""

from dataclasses import replace

import pytest

from tests.fakes.session import simulated
from tests.property.fleets import Pair, hosts, proxied, release, service
from tests.unit.api.voyages import serving_first
from underway.api.addressing import urls, urls_of
from underway.errors import UsageError
from underway.model.names import HostName, ServiceName
from underway.model.spec import EdgeSpec, HostSpec, ProxySpec

ONE = hosts(1)
WEB = proxied("web", ONE)


def test_every_host_name_is_a_url_and_what_no_edge_serves_is_not() -> None:
    current = release(1, (WEB, service("db", ONE)), ONE)
    session = simulated(serving_first(Pair(current, current)), lambda: current)
    assert [one.url for one in urls(session)] == ["http://web.test/"]
    assert urls(session, ServiceName("web")) == urls(session)
    with pytest.raises(UsageError) as caught:
        urls(session, ServiceName("db"))
    assert caught.value.code == "service-not-proxied"
    with pytest.raises(UsageError) as other:
        urls(session, ServiceName("nothing"))
    assert other.value.code == "service-unknown"


def test_a_service_for_any_name_is_reached_by_the_edges_addresses_and_port() -> None:
    web = replace(WEB, proxy=ProxySpec((), 8000, path="/api"))
    places = (HostSpec(HostName("a"), "ssh://me@a.test:22"), HostSpec(HostName("b"), "unix:///x"))
    spec = release(1, (web,), ONE).spec
    spec = replace(spec, hosts=places, edge=EdgeSpec((HostName("a"), HostName("b")), 8080))
    assert [one.url for one in urls_of(spec, web)] == [
        "http://a.test:8080/api",
        "http://localhost:8080/api",
    ]
