"""Ranges of host ports in the body of a create call."""

from underway.adapters.engine.body import create_body
from underway.model.container import ContainerRequest, PublishedPort
from underway.model.names import ContainerName


def test_the_engine_is_given_the_range_to_choose_from() -> None:
    published = (
        PublishedPort(80, "127.0.0.1", 8100, last_host_port=8102),
        PublishedPort(81, "127.0.0.1", 8081),
        PublishedPort(82, "127.0.0.1"),
    )
    body = create_body(ContainerRequest(ContainerName("web"), "app:1", published=published), {})
    told = {
        port: bindings[0]["HostPort"]
        for port, bindings in body["HostConfig"]["PortBindings"].items()
    }
    assert told == {"80/tcp": "8100-8102", "81/tcp": "8081", "82/tcp": ""}
