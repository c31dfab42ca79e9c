"""What Prometheus reads: moments, sizes and alarms, and no line for what is not known."""

from tests.unit.backup.sample import APP, PGDATA, UPLOADS
from tests.unit.backup.test_due import WEEKLY, point, scheduled, seconds
from underway.backup.due import duties_of
from underway.model.restore_point import Proof
from underway.report.metrics_text import metrics_text

PASSED = Proof("2026-12-01T05:00:00Z", has_passed=True, duration_s=9.0)


def test_metrics_tell_moments_and_alarms() -> None:
    points = (point("2026-12-01T03:00:09Z", UPLOADS, proof=PASSED),)
    volumes = (UPLOADS, PGDATA)
    now = seconds("2026-12-01T06:00:00Z")
    duties = duties_of(scheduled(verify=WEEKLY), volumes, points, now)
    lines = metrics_text(APP, volumes, points, duties).splitlines()
    told = dict(one.rsplit(" ", 1) for one in lines if not one.startswith("#"))
    assert float(told['underway_backup_last_good_timestamp_seconds{app="libra",volume="uploads"}'])
    assert told == {
        'underway_backup_last_good_timestamp_seconds{app="libra",volume="uploads"}': "1796094009",
        'underway_backup_duration_seconds{app="libra"}': "1",
        'underway_backup_size_bytes{app="libra"}': "1",
        'underway_backup_points{app="libra"}': "1",
        'underway_backup_verified_timestamp_seconds{app="libra"}': "1796101200",
        'underway_backup_verification_failed{app="libra"}': "0",
        'underway_backup_overdue{app="libra",volume="pgdata"}': "1",
        'underway_backup_overdue{app="libra",volume="uploads"}': "0",
        'underway_backup_unverified{app="libra"}': "0",
    }
    helps = [one for one in lines if one.startswith("# HELP")]
    assert len(helps) == len([one for one in lines if one.startswith("# TYPE")]) == 8


def test_what_is_not_known_has_no_line() -> None:
    text = metrics_text(APP, (UPLOADS,), (), ())
    assert [one for one in text.splitlines() if not one.startswith("#")] == [
        'underway_backup_points{app="libra"} 0'
    ]
