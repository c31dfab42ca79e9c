import json
from typing import Any

import pytest

from underway.adapters.engine.body import create_body
from underway.errors import ConfigurationError, IntegrityError
from underway.model.container import ContainerRequest, NetworkPlace, PublishedPort
from underway.model.names import ContainerName, SensitiveName
from underway.model.sensitive import Sensitive
from underway.model.spec import EnvVar, HealthSpec, Mount, MountKind

TOKEN = SensitiveName("env/web/TOKEN")


def body_of(**parts: Any) -> dict[str, Any]:
    values = parts.pop("values", {})
    return create_body(ContainerRequest(ContainerName("web-1"), "sha256:1", **parts), values)


def test_a_plain_request_says_image_labels_and_grace_only() -> None:
    assert body_of(labels=(("a", "b"),), stop_grace_s=1.2) == {
        "Image": "sha256:1",
        "Labels": {"a": "b"},
        "Env": [],
        "StopTimeout": 2,
        "HostConfig": {},
    }


def test_the_fragment_stands_below_what_the_request_says() -> None:
    fragment = {
        "Config": {"Cmd": ["old"], "User": "app", "Labels": {"a": "1", "b": "1"}, "Env": ["A=1"]},
        "HostConfig": {"Memory": 5, "ExtraHosts": ["x:1.1.1.1"]},
    }
    body = body_of(
        engine=json.dumps(fragment),
        command=("new",),
        labels=(("b", "2"),),
        environment=(EnvVar("A", "2"), EnvVar("B", "x=y")),
        extra_hosts=(("db", "10.0.0.3"),),
    )
    assert body["Cmd"] == ["new"]
    assert body["User"] == "app"
    assert body["Labels"] == {"a": "1", "b": "2"}
    assert body["Env"] == ["A=2", "B=x=y"]
    assert body["HostConfig"] == {"Memory": 5, "ExtraHosts": ["x:1.1.1.1", "db:10.0.0.3"]}


def test_sensitive_values_are_put_in_here_and_only_here() -> None:
    variables = (EnvVar("TOKEN", sensitive=TOKEN),)
    body = body_of(environment=variables, values={TOKEN: Sensitive(b"s3cret")})
    assert body["Env"] == ["TOKEN=s3cret"]


@pytest.mark.parametrize("value", [b"\xff\xfe", b"a\x00b"])
def test_a_value_that_is_not_text_is_refused_without_showing_it(value: bytes) -> None:
    with pytest.raises(ConfigurationError) as caught:
        body_of(environment=(EnvVar("T", sensitive=TOKEN),), values={TOKEN: Sensitive(value)})
    assert caught.value.code == "value-not-text"
    assert repr(value)[2:-1] not in str(caught.value)


def test_a_missing_value_is_named() -> None:
    with pytest.raises(IntegrityError, match="env/web/TOKEN"):
        body_of(environment=(EnvVar("TOKEN", sensitive=TOKEN),))


def test_health_is_told_in_nanoseconds_and_zero_leaves_it_to_the_image() -> None:
    health = HealthSpec(("CMD", "true"), interval_s=0.5, timeout_s=1, retries=3)
    assert body_of(health=health)["Healthcheck"] == {
        "Test": ["CMD", "true"],
        "Interval": 500_000_000,
        "Timeout": 1_000_000_000,
        "Retries": 3,
    }
    assert body_of(health=HealthSpec(interval_s=2))["Healthcheck"] == {"Interval": 2_000_000_000}


def test_the_first_network_is_joined_at_creation() -> None:
    body = body_of(networks=(NetworkPlace("net", "10.1.0.9", ("web",)), NetworkPlace("back")))
    assert body["HostConfig"]["NetworkMode"] == "net"
    assert body["NetworkingConfig"] == {
        "EndpointsConfig": {"net": {"IPAMConfig": {"IPv4Address": "10.1.0.9"}, "Aliases": ["web"]}}
    }


def test_a_network_mode_overrules_networks() -> None:
    body = body_of(network_mode="host", networks=(NetworkPlace("net"),))
    assert body["HostConfig"]["NetworkMode"] == "host"
    assert "NetworkingConfig" not in body


def test_ports_are_exposed_and_bound_to_one_address() -> None:
    published = (
        PublishedPort(80, "10.0.0.1", 20001),
        PublishedPort(80, "127.0.0.1"),
        PublishedPort(53, "10.0.0.1", 53, "udp"),
    )
    body = body_of(published=published)
    assert body["ExposedPorts"] == {"80/tcp": {}, "53/udp": {}}
    assert body["HostConfig"]["PortBindings"] == {
        "80/tcp": [
            {"HostIp": "10.0.0.1", "HostPort": "20001"},
            {"HostIp": "127.0.0.1", "HostPort": ""},
        ],
        "53/udp": [{"HostIp": "10.0.0.1", "HostPort": "53"}],
    }


def test_mounts_of_each_kind() -> None:
    mounts = (
        Mount(MountKind.VOLUME, "data", "/data", read_only=True, options='{"NoCopy":true}'),
        Mount(MountKind.VOLUME, "", "/cache"),
        Mount(MountKind.TMPFS, "", "/scratch", options='{"SizeBytes":1024}'),
        Mount(MountKind.BIND, "/etc/ssl", "/ssl", read_only=True),
        Mount(MountKind.BIND, "/srv", "/srv", options='{"CreateMountpoint":true}'),
        Mount(
            MountKind.BIND,
            "/m",
            "/m",
            read_only=True,
            options='{"CreateMountpoint":true,"Propagation":"rslave"}',
        ),
    )
    host = body_of(mounts=mounts)["HostConfig"]
    assert host["Mounts"] == [
        {
            "Type": "volume",
            "Target": "/data",
            "Source": "data",
            "ReadOnly": True,
            "VolumeOptions": {"NoCopy": True},
        },
        {"Type": "volume", "Target": "/cache"},
        {"Type": "tmpfs", "Target": "/scratch", "TmpfsOptions": {"SizeBytes": 1024}},
        {"Type": "bind", "Target": "/ssl", "Source": "/etc/ssl", "ReadOnly": True},
    ]
    assert host["Binds"] == ["/srv:/srv:rw", "/m:/m:ro,rslave"]
