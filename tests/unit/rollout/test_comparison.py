"""A comparison finds all that makes two releases different, and never tells a sensitive value."""

from dataclasses import fields, replace
from typing import Any

import pytest

from tests.property.fleets import SECRET, hosts, proxied, release, service, with_secret
from underway.api.shipping import is_same
from underway.model.change import HIDDEN, Detail, PartChange, Turn
from underway.model.names import HostName, NetworkName, SensitiveName, ServiceName
from underway.model.spec import (
    AppSpec,
    Attachment,
    BeforeSpec,
    BuildSpec,
    Dependency,
    EdgeSpec,
    EnvVar,
    FileSpec,
    HealthSpec,
    HostSpec,
    Mount,
    MountKind,
    NetworkSpec,
    PortSpec,
    ProxySpec,
    ServiceSpec,
    Strategy,
    UpdateSpec,
    VolumeSpec,
)
from underway.rollout.comparison import compared

ONE, SAME = hosts(1), {"web": 1}
WEB = ServiceName("web")
BARE = service("web", ONE)
CHANGES: dict[str, Any] = {
    "image": "registry.test/web",
    "hosts": (HostName("app2"),),
    "build": BuildSpec(".", "Dockerfile", "{}"),
    "engine": '{"Config":{"Cmd":["serve","--port","80 80"]},"HostConfig":{}}',
    "environment": (EnvVar("MODE", "fast"),),
    "mounts": (Mount(MountKind.VOLUME, "data", "/data"),),
    "files": (FileSpec(SECRET, "/run/secrets/key", is_secret=True),),
    "labels": (("a", "b"),),
    "health": HealthSpec(("CMD", "true"), 2.0),
    "ports": (PortSpec(80, 8080),),
    "expose": (8000, 9000),
    "networks": (Attachment(NetworkName("back")),),
    "extra_hosts": (("db", "10.0.0.9"),),
    "depends_on": (Dependency(ServiceName("db")),),
    "replicas": 3,
    "is_global": True,
    "stop_grace_s": 30.0,
    "is_single_writer": True,
    "proxy": ProxySpec(("web.test",), 8000),
    "strategy": Strategy.RECREATE,
    "update": UpdateSpec(parallelism=2),
    "before": BeforeSpec(("migrate",)),
    "runs_once": True,
}
APP_CHANGES: dict[str, Any] = {
    "hosts": (HostSpec(HostName("app1"), "ssh://other", "10.0.0.1"),),
    "environment": "production",
    "edge": EdgeSpec((HostName("app1"),), 8080),
    "volumes": (VolumeSpec("data", "elsewhere"),),  # type: ignore[arg-type]
    "networks": (NetworkSpec(NetworkName("default"), "libra_default", subnet="10.9.0.0/24"),),
    "tools": "tools:2",
    "subnet": "10.9.0.0/16",
}


def details(old: ServiceSpec, new: ServiceSpec) -> tuple[Detail, ...]:
    """What differs of a service whose image is the same."""
    (part,) = compared(release(1, (old,), ONE), release(2, (new,), ONE, versions=SAME))
    assert (part.service, part.turn) == (WEB, Turn.CHANGED)
    return part.details


def test_every_field_of_a_service_was_thought_of() -> None:
    assert {field.name for field in fields(ServiceSpec)} - {"name", "place"} == set(CHANGES)
    left = {"name", "services", "remarks", "tags", "moving_tags", "bump"}
    assert {field.name for field in fields(AppSpec)} - left == set(APP_CHANGES)


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_makes_another_release_of_a_service_is_told(name: str) -> None:
    assert details(BARE, replace(BARE, **{name: CHANGES[name]}))


@pytest.mark.parametrize("name", APP_CHANGES)
def test_whatever_makes_another_release_of_the_app_is_told(name: str) -> None:
    old = release(1, (BARE,), ONE)
    new = replace(old, spec=replace(old.spec, **{name: APP_CHANGES[name]}))
    assert not is_same(old, new)
    (part, *_) = compared(old, new)
    assert part.service == ""


def test_the_same_is_no_difference() -> None:
    old = release(1, (BARE,), ONE)
    new = replace(old, spec=replace(old.spec, tags=("x",), services=(replace(BARE, place="f:9"),)))
    assert is_same(old, new)
    assert compared(old, new) == ()


def test_public_values_are_told_and_sensitive_ones_never() -> None:
    url = SensitiveName("env/web/URL")
    old = replace(BARE, environment=(EnvVar("MODE", "slow"), EnvVar("URL", "http://public")))
    new = replace(BARE, environment=(EnvVar("MODE", "fast"), EnvVar("URL", sensitive=url)))
    assert details(old, new) == (
        Detail("environment", "MODE", Turn.CHANGED, "slow", "fast"),
        Detail("environment", "URL", Turn.CHANGED, "http://public", HIDDEN),
    )
    secret = with_secret(BARE)
    before = release(1, (secret,), ONE)
    (part,) = compared(before, release(2, (secret,), ONE, versions=SAME, value="s2"))
    (detail,) = part.details
    assert detail.kind == "secret"
    assert detail.before == detail.after
    assert HIDDEN in detail.after


def test_values_are_in_the_words_of_the_file() -> None:
    found = {d.kind: d.after for d in details(BARE, replace(BARE, **CHANGES))}
    assert found["command"] == "serve --port '80 80'"
    assert found["healthcheck"] == "test CMD, true, interval 2"
    assert found["place"] == "app2"
    assert found["label"] == "b"
    assert found["replicas"] == "3"
    assert found["mount"] == "data (libra_data)"


def test_limits_are_in_the_units_of_the_file() -> None:
    limits = (
        '{"HostConfig":{"NanoCpus":500000000,"Memory":134217728,"ShmSize":100,'
        '"RestartPolicy":{"Name":"on-failure","MaximumRetryCount":3}}}'
    )
    found = {d.kind: d.after for d in details(BARE, replace(BARE, engine=limits))}
    assert found == {
        "cpus": "0.5",
        "mem_limit": "128m",
        "restart": "on-failure:3",
        "shm_size": "100",
    }


def test_services_come_and_go_and_an_image_is_told_by_its_content() -> None:
    old = release(1, (BARE, service("old", ONE)), ONE)
    new = release(2, (BARE, proxied("new", ONE)), ONE)
    assert [(part.service, part.turn) for part in compared(old, new)] == [
        ("new", Turn.ADDED),
        ("old", Turn.REMOVED),
        ("web", Turn.CHANGED),
    ]
    web = compared(old, new)[-1]
    image = Detail("image", "", Turn.CHANGED, "web:1 776562010000", "web:2 776562020000")
    assert web == PartChange(WEB, Turn.CHANGED, (image,))
