from typing import Any

import pytest

from underway.adapters.engine.states import (
    engine_facts,
    inspected_container,
    inspected_image,
    listed_container,
    listed_image,
    network_state,
)
from underway.model.snapshot import ContainerStatus, Health

LISTED: dict[str, Any] = {
    "Id": "c1",
    "Names": ["/db/web", "/libra-web-1"],
    "ImageID": "sha256:1",
    "Labels": {"b": "2", "a": "1"},
    "State": "running",
    "Status": "Up 3 seconds (healthy)",
    "Ports": [
        {"IP": "10.0.0.1", "PrivatePort": 80, "PublicPort": 20001, "Type": "tcp"},
        {"PrivatePort": 443, "Type": "tcp"},
    ],
    "NetworkSettings": {"Networks": {"net": {"IPAddress": "10.1.0.9"}}},
    "Mounts": [{"Type": "volume", "Name": "data"}, {"Type": "bind", "Source": "/x"}],
}


def test_a_listed_container_is_understood() -> None:
    state = listed_container(LISTED)
    assert state.name == "libra-web-1"
    assert state.labels == (("a", "1"), ("b", "2"))
    assert state.health is Health.HEALTHY
    assert state.published == (("10.0.0.1", 20001),)
    assert state.addresses == (("net", "10.1.0.9"),)
    assert state.volumes == ("data",)


@pytest.mark.parametrize(
    ("text", "health", "exit_code"),
    [
        ("Up 2 seconds", Health.NONE, 0),
        ("Up 2 seconds (unhealthy)", Health.UNHEALTHY, 0),
        ("Up 2 seconds (health: starting)", Health.STARTING, 0),
        ("Exited (137) 5 minutes ago", Health.NONE, 137),
        ("Restarting (1) 2 seconds ago", Health.NONE, 1),
        ("Created", Health.NONE, 0),
    ],
)
def test_the_status_text_tells_health_and_exit(text: str, health: Health, exit_code: int) -> None:
    state = listed_container({**LISTED, "Status": text})
    assert (state.health, state.exit_code) == (health, exit_code)


def test_a_container_that_lost_its_name_is_known_by_its_id() -> None:
    assert listed_container({**LISTED, "Names": None, "State": "removing"}).name == "c1"


def test_an_inspected_container_is_exact() -> None:
    state = inspected_container(
        {
            "Id": "c1",
            "Name": "/libra-web-1",
            "Image": "sha256:1",
            "RestartCount": 4,
            "State": {
                "Status": "exited",
                "ExitCode": 3,
                "StartedAt": "2026-01-01T00:00:00.1Z",
                "Health": {"Status": "unhealthy"},
            },
            "Config": {"Labels": {"a": "1"}},
            "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "10.0.0.1", "HostPort": "80"}]}},
            "NetworkSettings": {
                "Ports": {},
                "Networks": {"n": {"IPAddress": "", "IPAMConfig": {"IPv4Address": "10.1.0.9"}}},
            },
        }
    )
    assert state.status is ContainerStatus.EXITED
    assert (state.exit_code, state.restart_count) == (3, 4)
    assert state.health is Health.UNHEALTHY
    assert state.published == (("10.0.0.1", 80),)
    assert state.addresses == (("n", "10.1.0.9"),)


def test_images_without_names_have_none() -> None:
    entry = {"Id": "sha256:1", "RepoTags": ["<none>:<none>"], "RepoDigests": None, "Created": 0}
    image = listed_image(entry)
    assert (image.repo_tags, image.repo_digests) == ((), ())
    assert image.created_at == "1970-01-01T00:00:00Z"


def test_an_image_tells_its_ports_and_health_check() -> None:
    body = {
        "Id": "sha256:1",
        "Config": {
            "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
            "Healthcheck": {"Test": ["CMD", "true"]},
        },
        "Architecture": "arm64",
    }
    image = inspected_image(body)
    assert image.exposed_ports == (53, 8080)
    assert image.has_healthcheck
    assert image.architecture == "arm64"
    assert not inspected_image({"Id": "1", "Config": None}).has_healthcheck


def test_a_network_without_addresses_has_no_subnet() -> None:
    assert network_state({"Name": "host", "IPAM": {"Config": None}, "Labels": None}).subnets == ()


def test_what_an_engine_says_of_itself() -> None:
    facts = engine_facts(
        {"Version": "29.0.0", "Arch": "amd64"},
        {
            "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"],
            "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
            "LiveRestoreEnabled": True,
        },
        "1.47",
    )
    assert facts.is_rootless
    assert not facts.has_userns
    assert facts.uses_containerd_store
    assert facts.has_live_restore
