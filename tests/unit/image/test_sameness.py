"""Builds are one where they differ in nothing but the names of their sensitive values."""

import json

import pytest

from underway.image.definition import fingerprint, sameness
from underway.model.names import SensitiveName
from underway.model.sensitive import Sensitive
from underway.model.spec import BuildSpec

VALUES = {
    SensitiveName("build/web/BASE"): Sensitive(b"one"),
    SensitiveName("build/worker/BASE"): Sensitive(b"one"),
    SensitiveName("build/other/BASE"): Sensitive(b"two"),
}


def _build(name: str, context: str = "/here", **more: object) -> BuildSpec:
    definition = {"args": {"BASE": {"sensitive": name}, "VERSION": "v1"}, **more}
    return BuildSpec(context, "Dockerfile", json.dumps(definition))


def test_equal_values_of_other_names_are_the_same() -> None:
    web, worker = _build("build/web/BASE"), _build("build/worker/BASE")
    assert sameness(web, VALUES) == sameness(worker, VALUES)
    assert len({sameness(web, VALUES), sameness(worker, VALUES)}) == 1


@pytest.mark.parametrize(
    "other",
    [
        _build("build/other/BASE"),
        _build("build/unknown/BASE"),
        _build("build/worker/BASE", context="/there"),
        _build("build/worker/BASE", target="slim"),
        _build("build/worker/BASE", cache_from=["a", "b"]),
    ],
)
def test_another_value_place_or_key_is_another_build(other: BuildSpec) -> None:
    assert sameness(_build("build/web/BASE"), VALUES) != sameness(other, VALUES)


def test_the_image_is_marked_alike_whichever_service_it_is_built_for() -> None:
    web, worker = _build("build/web/BASE"), _build("build/worker/BASE")
    assert fingerprint(web, "/") == fingerprint(worker, "/")
    assert fingerprint(web, "/") != fingerprint(_build("build/web/BASE", target="slim"), "/")


def test_what_no_value_is_known_of_is_told_apart_by_its_name() -> None:
    assert sameness(_build("build/web/BASE"), {}) != sameness(_build("build/worker/BASE"), {})
