"""What a schedule asks of backups now."""

from datetime import datetime

import pytest

from tests.unit.backup.sample import APP, PGDATA, UPLOADS, policy
from underway.backup.due import Standing, duties_of
from underway.model.backup import BackupPolicy, Consistency, VolumePolicy
from underway.model.names import ReleaseNumber, VolumeName
from underway.model.restore_point import PointId, PointSummary, Proof
from underway.model.schedule import Schedule

DAILY = Schedule("0 3 * * *", "UTC", "03:00")
WEEKLY = Schedule("0 5 * * 1", "UTC", "0 5 * * 1")
HOURLY = Schedule("0 * * * *", "UTC", "0 * * * *")


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def point(moment: str, *volumes: VolumeName, proof: Proof | None = None) -> PointSummary:
    return PointSummary(
        APP,
        PointId(moment),
        moment,
        ReleaseNumber(1),
        1,
        1,
        volumes or (UPLOADS,),
        is_fuzzy=False,
        duration_s=1.0,
        proof=proof,
    )


def scheduled(*volumes: VolumePolicy, verify: Schedule | None = None) -> BackupPolicy:
    made = policy(*volumes)
    return BackupPolicy(made.repository, made.password, volumes=volumes, every=DAILY, verify=verify)


@pytest.mark.parametrize(
    ("now", "standing", "is_due"),
    [
        ("2026-12-01T23:00:00Z", Standing.ON_TIME, False),
        ("2026-12-02T02:59:59Z", Standing.ON_TIME, False),
        ("2026-12-02T03:00:00Z", Standing.DUE, True),
        ("2026-12-02T05:00:00Z", Standing.DUE, True),
        ("2026-12-02T05:00:01Z", Standing.OVERDUE, True),
        ("2027-01-02T12:00:00Z", Standing.OVERDUE, True),
    ],
)
def test_a_backup_is_due_from_its_moment_on_and_late_after_two_hours(
    now: str, standing: Standing, *, is_due: bool
) -> None:
    points = (point("2026-11-30T03:00:09Z"), point("2026-12-01T03:00:09Z"))
    (duty,) = duties_of(scheduled(), (UPLOADS,), points, seconds(now))
    assert (duty.standing, duty.is_due) == (standing, is_due)
    assert duty.due_at == seconds("2026-12-02T03:00:00Z")
    assert duty.last == "2026-12-01T03:00:09Z"


def test_without_a_good_point_a_backup_is_late_at_once() -> None:
    failed = Proof("2026-12-01T04:00:00Z", has_passed=False, duration_s=1)
    for points in ((), (point("2026-12-01T03:00:00Z", proof=failed),)):
        (duty,) = duties_of(scheduled(), (UPLOADS,), points, seconds("2026-12-01T04:00:00Z"))
        assert (duty.standing, duty.last, duty.is_due) == (Standing.OVERDUE, "", True)


def test_a_volume_follows_its_own_schedule_and_counts_points_that_hold_it() -> None:
    hourly = VolumePolicy(UPLOADS, Consistency.PAUSE, every=HOURLY)
    points = (
        point("2026-12-01T03:00:00Z", PGDATA, UPLOADS),
        point("2026-12-01T09:00:05Z", UPLOADS),
    )
    pgdata, uploads = duties_of(
        scheduled(hourly), (UPLOADS, PGDATA), points, seconds("2026-12-01T10:00:00Z")
    )
    assert (pgdata.volume, pgdata.standing) == (PGDATA, Standing.ON_TIME)
    assert (uploads.volume, uploads.standing) == (UPLOADS, Standing.DUE)


def test_an_hourly_backup_that_stopped_is_late() -> None:
    hourly = VolumePolicy(UPLOADS, Consistency.PAUSE, every=HOURLY)
    points = (point("2026-12-01T09:00:05Z"),)
    (duty,) = duties_of(scheduled(hourly), (UPLOADS,), points, seconds("2026-12-01T12:30:00Z"))
    assert duty.standing is Standing.OVERDUE


@pytest.mark.parametrize(
    ("proof", "now", "standing", "is_due"),
    [
        (None, "2026-12-06T00:00:00Z", Standing.ON_TIME, False),
        (None, "2026-12-07T05:00:00Z", Standing.DUE, True),
        (None, "2026-12-07T09:00:00Z", Standing.UNVERIFIED, True),
        (True, "2026-12-07T09:00:00Z", Standing.UNVERIFIED, True),
        (True, "2026-12-02T00:00:00Z", Standing.ON_TIME, False),
        (False, "2026-12-02T00:00:00Z", Standing.FAILED, False),
        (False, "2026-12-07T09:00:00Z", Standing.FAILED, True),
    ],
)
def test_a_verification_is_due_by_its_own_schedule_and_a_failed_one_is_told(
    *, proof: bool | None, now: str, standing: Standing, is_due: bool
) -> None:
    tried = None if proof is None else Proof("2026-12-01T05:00:00Z", proof, 9.0)
    points = (point("2026-12-01T03:00:09Z", proof=tried),)
    found = duties_of(scheduled(verify=WEEKLY), (UPLOADS,), points, seconds(now))
    assert (found[-1].volume, found[-1].standing, found[-1].is_due) == ("", standing, is_due)


def test_what_has_no_schedule_is_not_asked_for() -> None:
    assert duties_of(policy(), (UPLOADS,), (), 0.0) == ()
