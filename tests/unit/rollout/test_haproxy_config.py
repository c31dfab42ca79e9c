"""The proxy's configuration as text."""

import dataclasses

import pytest

from underway.errors import ConfigurationError
from underway.model.names import AppName, ServiceName
from underway.model.spec import ProbeSpec, ProxySpec
from underway.model.traffic import Server, ServerMode, Side, Upstream
from underway.rollout.haproxy_config import (
    backend_name,
    base_text,
    fragment_digest,
    fragment_text,
    parsed_backend,
    route_keys,
    routes_text,
)

PROXY = ProxySpec(
    hosts=("www.libra.test", "libra.test"),
    port=8080,
    path="/api/",
    probe=ProbeSpec(path="/up", interval_s=2.0, timeout_s=1.5, rise=2, fall=3),
    response_timeout_s=45.0,
    tunnel_timeout_s=7200.0,
)
LIBRA = Upstream(
    AppName("libra"),
    ServiceName("web"),
    PROXY,
    Side.B,
    (
        Server("libra-web-1a2b3c-1", Side.A, "10.0.0.1", 20000, ServerMode.DRAIN),
        Server("libra-web-7f3a2c-1", Side.B, "10.0.0.1", 20001, ServerMode.READY),
        Server("libra-web-7f3a2c-2", Side.B, "10.0.0.2", 20000, ServerMode.DRAIN),
    ),
)
FRAGMENT = """\
# libra/web: server options check inter 2000ms fastinter 500ms downinter 500ms fall 3 rise 2

backend uw:libra:web:a from underway
    balance roundrobin
    timeout server 45000ms
    timeout tunnel 7200000ms
    timeout check 1500ms
    option httpchk
    http-check connect linger
    http-check send meth GET uri '/up' ver HTTP/1.1 hdr Host www.libra.test \
hdr User-Agent underway-edge hdr Connection close
    http-check expect status 200-399
    server libra-web-1a2b3c-1 10.0.0.1:20000 weight 0 \
check inter 2000ms fastinter 500ms downinter 500ms fall 3 rise 2

backend uw:libra:web:b from underway
    balance roundrobin
    timeout server 45000ms
    timeout tunnel 7200000ms
    timeout check 1500ms
    option httpchk
    http-check connect linger
    http-check send meth GET uri '/up' ver HTTP/1.1 hdr Host www.libra.test \
hdr User-Agent underway-edge hdr Connection close
    http-check expect status 200-399
    server libra-web-7f3a2c-1 10.0.0.1:20001 weight 100 \
check inter 2000ms fastinter 500ms downinter 500ms fall 3 rise 2
    server libra-web-7f3a2c-2 10.0.0.2:20000 weight 0 \
check inter 2000ms fastinter 500ms downinter 500ms fall 3 rise 2
"""


def changed(**values: object) -> Upstream:
    return dataclasses.replace(LIBRA, proxy=dataclasses.replace(PROXY, **values))


def test_a_fragment_is_two_backends_with_their_servers() -> None:
    assert fragment_text(LIBRA) == FRAGMENT


def test_a_probe_without_a_path_only_connects() -> None:
    text = fragment_text(changed(probe=ProbeSpec()))
    assert "httpchk" not in text
    assert "check inter 1000ms" in text


def test_routes_name_the_live_side_with_a_closed_path() -> None:
    assert routes_text(LIBRA) == (
        "libra.test/api/ uw:libra:web:b\nwww.libra.test/api/ uw:libra:web:b\n"
    )
    assert route_keys(changed(path="/")) == ("libra.test/", "www.libra.test/")


def test_the_digest_follows_the_options_alone() -> None:
    same = dataclasses.replace(LIBRA, servers=LIBRA.servers[:1], live=Side.A)
    assert fragment_digest(same) == fragment_digest(LIBRA)
    others = [
        changed(response_timeout_s=46.0),
        changed(hosts=("www.libra.test",)),
        changed(path="/"),
        changed(probe=dataclasses.replace(PROXY.probe, fall=2)),
    ]
    digests = {fragment_digest(upstream) for upstream in [LIBRA, *others]}
    assert len(digests) == 1 + len(others)


def test_no_two_services_share_a_backend() -> None:
    one = backend_name(AppName("a"), ServiceName("b_c"), Side.A)
    two = backend_name(AppName("a_b"), ServiceName("c"), Side.A)
    assert one != two
    assert parsed_backend(one) == ("a", "b_c", Side.A)
    assert parsed_backend("underway") is None


@pytest.mark.parametrize(
    "upstream",
    [
        changed(hosts=("a.test\n    server evil 1.2.3.4:1",)),
        changed(hosts=("a b",)),
        changed(path="/a b"),
        changed(path="/a;shutdown"),
        changed(probe=ProbeSpec(path="/up' x")),
        dataclasses.replace(LIBRA, app=AppName("a/b")),
        dataclasses.replace(LIBRA, service=ServiceName("a:b")),
        dataclasses.replace(
            LIBRA, servers=(Server("x", Side.A, "evil.test", 1, ServerMode.READY),)
        ),
    ],
)
def test_nothing_can_end_a_word_or_a_line(upstream: Upstream) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fragment_text(upstream)
    assert caught.value.code == "edge-value-invalid"


def test_the_base_listens_on_the_wished_port_and_lets_an_old_worker_end_in_order() -> None:
    text = base_text(8080)
    assert "    bind :8080\n" in text
    assert "    option idle-close-on-response\n" in text
    assert "    http-request disable-l7-retry unless { method GET HEAD OPTIONS TRACE }\n" in text
    assert "{{" not in text
