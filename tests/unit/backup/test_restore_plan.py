"""A restore fills new volumes and moves all that mount them; what is given up is said first."""

from dataclasses import replace

import pytest

from tests.unit.backup.sample import (
    BINDINGS,
    DB,
    MANIFEST,
    PGDATA,
    RELEASE,
    UPLOADS,
    snapshot,
    with_volume,
)
from underway.backup.restore_plan import RestoreWish, plan_restore
from underway.errors import RefusedError
from underway.model.names import ReleaseNumber
from underway.model.spec import VolumeSpec


def test_every_service_that_mounts_a_restored_volume_moves():
    plan = plan_restore(RestoreWish(MANIFEST), RELEASE, snapshot(), BINDINGS)
    assert plan.services == ("db", "web")
    assert [binding.volume for binding in plan.bindings] == [PGDATA, UPLOADS]
    assert {binding.physical for binding in plan.bindings}.isdisjoint(BINDINGS.values())
    back = {binding.volume: binding.physical for binding in plan.bindings_back}
    assert back == BINDINGS
    assert plan.lost == (
        "pgdata: what was written since 2026-03-01T12:00:00Z",
        "uploads: what was written since 2026-03-01T12:00:03Z",
    )
    assert [step.service for step in plan.steps] == [DB, ""]


def test_one_volume_alone_moves_only_its_services():
    wish = RestoreWish(MANIFEST, only=frozenset({UPLOADS}))
    plan = plan_restore(wish, RELEASE, snapshot(), BINDINGS)
    assert plan.services == ("web",)
    assert [step.copy.volume for step in plan.steps] == [UPLOADS]


def test_a_volume_that_is_misspelt_is_asked_about():
    with pytest.raises(RefusedError) as caught:
        plan_restore(RestoreWish(MANIFEST, frozenset({"pgdta"})), RELEASE, snapshot(), BINDINGS)
    assert caught.value.hint == "Did you mean `pgdata`?"


def test_two_restores_of_one_point_do_not_meet():
    first = plan_restore(RestoreWish(MANIFEST, salt="a"), RELEASE, snapshot(), BINDINGS)
    second = plan_restore(RestoreWish(MANIFEST, salt="b"), RELEASE, snapshot(), BINDINGS)
    assert {b.physical for b in first.bindings}.isdisjoint({b.physical for b in second.bindings})


def test_beside_the_running_one_nothing_moves_and_nothing_is_lost():
    plan = plan_restore(RestoreWish(MANIFEST, beside="check"), RELEASE, snapshot(), BINDINGS)
    assert [step.physical for step in plan.steps] == ["check_pgdata", "check_uploads"]
    assert (plan.bindings, plan.services, plan.lost) == ((), (), ())


def test_data_of_another_release_is_told():
    newer = replace(RELEASE, number=ReleaseNumber(4))
    plan = plan_restore(RestoreWish(MANIFEST), newer, snapshot(), BINDINGS)
    assert "release 3" in plan.remarks[0]


def test_what_cannot_come_back_is_refused():
    fixed = with_volume(VolumeSpec(UPLOADS, "u", driver_opts=(("type", "nfs"),)))
    for wish, release, code in (
        (RestoreWish(MANIFEST), fixed, "backup-volume-fixed"),
        (RestoreWish(MANIFEST, frozenset({"nope"})), RELEASE, "backup-volume-unknown"),
    ):
        with pytest.raises(RefusedError) as caught:
            plan_restore(wish, release, snapshot(), BINDINGS)
        assert caught.value.code == code
