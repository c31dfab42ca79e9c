"""Every volume is copied in the way its declaration says, left out aloud, or refused."""

import pytest

from tests.unit.backup.sample import (
    DB,
    DECLARED,
    HOST,
    PGDATA,
    UPLOADS,
    WEB,
    policy,
    replica,
    scene,
    snapshot,
    with_volume,
)
from underway.backup.plan import plan_backup
from underway.backup.steps import CopyVolumes, DumpVolume
from underway.errors import RefusedError
from underway.model.backup import Consistency, VolumePolicy
from underway.model.snapshot import ContainerStatus
from underway.model.spec import VolumeKind, VolumeSpec

DUMPED = VolumePolicy(PGDATA, Consistency.DUMP)


def test_dumps_come_before_the_files_that_their_rows_name():
    """A row that is in the dump has its file in the later copy of the files."""
    first, second = plan_backup(scene()).steps
    assert isinstance(first, DumpVolume)
    assert (first.host, first.container, first.preset) == (HOST, "libra-db-1", "postgres")
    assert isinstance(second, CopyVolumes)
    assert second.consistency is Consistency.PAUSE


def test_a_database_without_a_declaration_is_refused():
    with pytest.raises(RefusedError, match="does not say how to copy it") as caught:
        plan_backup(scene(policy()))
    assert caught.value.code == "backup-undeclared"
    assert "consistency: dump" in caught.value.hint


def test_a_database_declared_as_plain_files_is_its_users_own_choice():
    chosen = policy(VolumePolicy(PGDATA, Consistency.FILES))
    (step,) = plan_backup(scene(chosen)).steps
    assert isinstance(step, CopyVolumes)
    assert step.consistency is Consistency.FILES
    assert [ref.volume for ref in step.volumes] == [PGDATA, UPLOADS]


def test_a_plain_volume_without_a_declaration_is_copied_as_it_is():
    steps = plan_backup(scene(policy(DUMPED))).steps
    assert [s.consistency for s in steps if isinstance(s, CopyVolumes)] == [Consistency.FILES]


def test_what_is_left_out_is_named():
    chosen = policy(DUMPED, VolumePolicy(UPLOADS, Consistency.NONE))
    plan = plan_backup(scene(chosen))
    assert plan.left_out == ((UPLOADS, "the file says so"),)
    plan = plan_backup(scene(), frozenset({UPLOADS}))
    assert plan.left_out == ((PGDATA, "not asked for"),)


def test_a_cache_of_each_host_is_left_out():
    cache = with_volume(VolumeSpec(UPLOADS, "libra_uploads", VolumeKind.PER_HOST))
    plan = plan_backup(scene(release=cache))
    assert plan.left_out == ((UPLOADS, "each host has its own: a cache"),)


def test_a_dump_needs_its_service_to_run():
    stopped = snapshot(replica(DB, "libra_pgdata", ContainerStatus.EXITED))
    with pytest.raises(RefusedError) as caught:
        plan_backup(scene(seen=stopped), frozenset({PGDATA}))
    assert caught.value.code == "backup-service-down"


def test_a_dump_of_an_unknown_image_needs_commands():
    with pytest.raises(RefusedError) as caught:
        plan_backup(scene(policy(DUMPED, VolumePolicy(UPLOADS, Consistency.DUMP))))
    assert caught.value.code == "backup-no-preset"


def test_quiesce_runs_its_commands_where_the_volume_is_mounted():
    quiet = VolumePolicy(UPLOADS, Consistency.QUIESCE, before=("hold",), after=("go",))
    steps = plan_backup(scene(policy(DUMPED, quiet))).steps
    (step,) = [one for one in steps if isinstance(one, CopyVolumes)]
    assert step.quiesce is not None
    assert step.quiesce.container == "libra-web-1"


def test_a_command_of_a_service_that_does_not_mount_the_volume_is_refused():
    with pytest.raises(RefusedError) as caught:
        plan_backup(scene(policy(VolumePolicy(PGDATA, Consistency.DUMP, service=WEB))))
    assert caught.value.code == "backup-service"


def test_the_same_scene_gives_the_same_plan():
    assert plan_backup(scene(DECLARED)) == plan_backup(scene(DECLARED))
