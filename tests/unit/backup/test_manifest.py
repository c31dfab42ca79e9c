"""A manifest comes back as it was written, or not at all."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from tests.unit.backup.sample import MANIFEST
from underway.backup.manifest import (
    chosen_point,
    decode_manifest,
    encode_manifest,
    point_at,
    point_id,
)
from underway.errors import IntegrityError
from underway.model.restore_point import PointId


def test_a_manifest_comes_back_as_it_was():
    data = encode_manifest(MANIFEST)
    assert decode_manifest(data, MANIFEST.point) == MANIFEST
    assert json.loads(data)["volumes"][0]["preset"] == "postgres"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-40],
        lambda data: data[:0],
        lambda data: data.replace(b'"version": 1', b'"version": 2'),
        lambda data: data.replace(b"20260301-120000", b"20260301-120001"),
        lambda data: b"\xff" + data,
    ],
)
def test_what_is_no_manifest_of_this_point_is_refused(spoil: Callable[[bytes], bytes]):
    data = encode_manifest(MANIFEST)
    assert spoil(data) != data
    with pytest.raises(IntegrityError) as caught:
        decode_manifest(spoil(data), MANIFEST.point)
    assert caught.value.code == "backup-manifest"


def test_a_point_is_named_by_its_moment():
    assert point_id("2026-11-21T10:55:00Z", "3f2a1c99") == "20261121-105500-3f2a1c"


def test_a_point_is_meant_by_its_id_its_beginning_or_latest():
    early = MANIFEST.summary
    late = early.__class__(
        **{
            name: getattr(early, name)
            for name in early.__dataclass_fields__
            if name not in {"point", "moment"}
        },
        point=PointId("20260302-120000-abcdef"),
        moment="2026-03-02T12:00:00Z",
    )
    points = (early, late)
    assert chosen_point(points, "latest") is late
    assert chosen_point(points, early.point) is early
    assert chosen_point(points, "20260302") is late
    assert chosen_point(points, "202603") is None
    assert chosen_point(points, "") is None
    assert chosen_point((), "latest") is None


def test_a_time_means_the_newest_data_of_then_or_before():
    early = MANIFEST.summary
    late = replace(early, point=PointId("20260302-120000-abcdef"), moment="2026-03-02T12:00:00Z")
    day_s = 86_400.0
    first_s = datetime.fromisoformat(early.moment).timestamp()
    points = (early, late)
    assert point_at(points, first_s) == early
    assert point_at(points, first_s + day_s - 1) == early
    assert point_at(points, first_s + day_s) == late
    assert point_at(points, first_s - 1) is None
