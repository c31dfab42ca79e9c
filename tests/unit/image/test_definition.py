"""Compose's canonical `build`, read key by key."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from underway.errors import ConfigurationError
from underway.image.definition import (
    BuildArgument,
    BuildSecret,
    fingerprint,
    read_definition,
    with_labels,
    with_platform,
)
from underway.model.names import SensitiveName
from underway.model.spec import BuildSpec


def _build(
    context: str = "/src", *, parts: Mapping[str, object] | None = None, **definition: object
) -> BuildSpec:
    whole = {"context": context, **definition, **(parts or {})}
    return BuildSpec(context, "Dockerfile", json.dumps(whole))


def test_every_key_of_a_build_is_read() -> None:
    found = read_definition(
        _build(
            dockerfile="docker/Dockerfile",
            args={"B": "2", "A": {"sensitive": "build/web/A"}, "N": None},
            ssh=["k: /root/k", "default"],
            labels={"x": "y"},
            cache_from=["type=registry,ref=a/b"],
            cache_to=["type=inline"],
            no_cache=True,
            additional_contexts={"bar": "/src/x", "foo": "docker-image://alpine"},
            pull=True,
            extra_hosts=["a=1.2.3.4", "b:5.6.7.8"],
            network="host",
            target="t",
            secrets=[{"source": "s1"}, {"source": "s2", "target": "tt", "mode": "0440"}],
            shm_size="67108864",
            tags=["x/y:z"],
            ulimits={"nofile": {"soft": 1, "hard": 2}, "nproc": 3},
            platforms=["linux/amd64"],
        )
    )
    assert found.arguments == (
        BuildArgument("A", sensitive=SensitiveName("build/web/A")),
        BuildArgument("B", "2"),
    )
    assert found.secrets == (
        BuildSecret("s1", SensitiveName("secret/s1")),
        BuildSecret("tt", SensitiveName("secret/s2")),
    )
    assert found.ssh == ("default", "k=/root/k")
    assert found.extra_hosts == ("a=1.2.3.4", "b=5.6.7.8")
    assert found.ulimits == (("nofile", 1, 2), ("nproc", 3, 3))
    assert found.contexts == (("bar", "/src/x"), ("foo", "docker-image://alpine"))
    assert found.shm_size_bytes == 67108864
    assert found.platform == "linux/amd64"
    assert found.dockerfile_path == "/src/docker/Dockerfile"
    assert (found.no_cache, found.pull, found.target, found.network) == (True, True, "t", "host")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("privileged", True),
        ("isolation", "default"),
        ("platforms", ["linux/amd64", "linux/arm64"]),
        ("additional_contexts", {"base": "service:base"}),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"build.{key}") as caught:
        read_definition(_build(parts={key: value}))
    assert caught.value.code == "build-key"
    assert caught.value.hint


def test_a_remote_context_keeps_its_dockerfile_relative() -> None:
    found = read_definition(_build("https://git.example.com/a.git#main", dockerfile="x/Dockerfile"))
    assert found.is_remote
    assert found.dockerfile_path == "x/Dockerfile"


def test_labels_of_the_team_win_and_a_named_platform_stays() -> None:
    labelled = with_labels(_build(labels=["a=team"]), {"a": "ours", "b": "ours"})
    assert read_definition(labelled).labels == (("a", "team"), ("b", "ours"))
    assert read_definition(with_platform(_build(), "linux/arm64")).platform == "linux/arm64"
    named = with_platform(_build(platforms=["linux/amd64"]), "linux/arm64")
    assert read_definition(named).platform == "linux/amd64"


def test_the_fingerprint_is_the_same_on_every_machine(tmp_path: Path) -> None:
    here = fingerprint(_build("/home/me/libra/web", tags=["a:b"]), "/home/me/libra")
    there = fingerprint(_build("/builds/17/web", labels={"x": "y"}), "/builds/17")
    assert here == there
    assert here != fingerprint(_build("/builds/17/api"), "/builds/17")
    assert here != fingerprint(_build("/builds/17/web", args={"A": "1"}), "/builds/17")
    assert fingerprint(_build(str(tmp_path)), "")
