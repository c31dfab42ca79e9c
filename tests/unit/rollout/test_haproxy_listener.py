"""Listeners of an edge as text: pinned, and refused where they would be open to everybody."""

import dataclasses

import pytest

from underway.errors import ConfigurationError
from underway.model.names import AppName, ServiceName
from underway.model.spec import ProxySpec
from underway.model.traffic import Server, ServerMode, Side, Upstream
from underway.rollout.haproxy_config import (
    fragment_digest,
    fragment_text,
    parsed_backend,
    route_keys,
    routes_text,
)
from underway.rollout.haproxy_listener import is_tcp_frontend, listens_of, routes_of_users

SERVER = Server("libra-queue-7f3a2c-1", Side.A, "10.0.0.2", 20000, ServerMode.READY)
QUEUE = Upstream(
    AppName("libra"),
    ServiceName("queue"),
    ProxySpec((), 6379, drain_s=10.0),
    Side.A,
    (SERVER,),
    ("10.0.0.1:6379",),
)
API = dataclasses.replace(QUEUE, proxy=ProxySpec(("api.test",), 8000), listens=("10.0.0.1:8000",))
TCP_FRAGMENT = """\
# libra/queue: server options check inter 1000ms fastinter 250ms downinter 250ms fall 3 rise 1

frontend uw:libra:queue:10.0.0.1:6379:tcp from underway
    mode tcp
    option tcplog
    no option idle-close-on-response
    bind 10.0.0.1:6379 transparent
    use_backend %[str(10.0.0.1:6379/),map_str("${UNDERWAY_EDGE_LIVE}/routes.map")]

backend uw:libra:queue:a from underway
    mode tcp
    balance roundrobin
    timeout server 60000ms
    timeout tunnel 3600000ms
    timeout check 2000ms
    server libra-queue-7f3a2c-1 10.0.0.2:20000 weight 100 \
check inter 1000ms fastinter 250ms downinter 250ms fall 3 rise 1

backend uw:libra:queue:b from underway
    mode tcp
    balance roundrobin
    timeout server 60000ms
    timeout tunnel 3600000ms
    timeout check 2000ms
"""
HTTP_FRONTEND = """
frontend uw:libra:queue:10.0.0.1:8000:http from underway
    bind 10.0.0.1:8000 transparent
    http-request disable-l7-retry unless { method GET HEAD OPTIONS TRACE }
    use_backend %[str(10.0.0.1:8000/),map_str("${UNDERWAY_EDGE_LIVE}/routes.map")]

backend uw:libra:queue:a from underway
    balance roundrobin
"""


def test_a_tcp_listener_stands_ahead_of_its_backends() -> None:
    assert fragment_text(QUEUE) == TCP_FRAGMENT


def test_a_service_that_users_reach_is_listened_for_by_http() -> None:
    assert HTTP_FRONTEND in fragment_text(API)


def test_a_listener_has_a_route_that_no_host_name_can_equal() -> None:
    assert routes_text(QUEUE) == "10.0.0.1:6379/ uw:libra:queue:a\n"
    keys = route_keys(API)
    assert keys == ("10.0.0.1:8000/", "api.test/")
    assert (routes_of_users(keys), listens_of(keys)) == (("api.test/",), ("10.0.0.1:8000",))
    moved = dataclasses.replace(QUEUE, live=Side.B)
    assert fragment_digest(moved) == fragment_digest(QUEUE), "a cut-over changes the route alone"


def test_the_digest_tells_whether_an_edge_listens() -> None:
    silent = dataclasses.replace(API, listens=())
    elsewhere = dataclasses.replace(API, listens=("10.0.0.1:8001",))
    assert len({fragment_digest(wish) for wish in (API, silent, elsewhere)}) == 3


def test_frontends_are_no_backends() -> None:
    name = "uw:libra:queue:10.0.0.1:6379:tcp"
    assert is_tcp_frontend(name)
    assert not is_tcp_frontend("uw:libra:queue:10.0.0.1:8000:http")
    assert not is_tcp_frontend("underway")
    assert parsed_backend(name) is None


@pytest.mark.parametrize(
    "listen",
    [
        "0.0.0.0:80",
        ":::80",
        ":80",
        "*:80",
        "10.0.0.1",
        "10.0.0.1:0",
        "10.0.0.1:99999",
        "host.test:80",
        "224.0.0.1:80",
        "10.0.0.1:80 ssl",
        "10.0.0.1:80\n    bind :81",
    ],
)
def test_an_edge_never_listens_on_all_addresses(listen: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fragment_text(dataclasses.replace(QUEUE, listens=(listen,)))
    assert caught.value.code == "edge-value-invalid"


def test_an_ipv6_address_is_one_address() -> None:
    wish = dataclasses.replace(QUEUE, listens=("fd00::1:6379",))
    assert "    bind fd00::1:6379 transparent\n" in fragment_text(wish)
