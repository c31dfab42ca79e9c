"""Restore points as people read them."""

from dataclasses import replace

from tests.unit.backup.sample import MANIFEST, policy, scene
from underway.backup.plan import plan_coverage
from underway.backup.retention import Retention
from underway.model.restore_point import PointId, Proof
from underway.report.amounts import moment_of
from underway.report.backup_text import (
    coverage_lines,
    created_lines,
    intent_lines,
    point_lines,
    points_lines,
    proven_lines,
    retention_lines,
)
from underway.report.line import draw

NOW = moment_of("2026-03-01T13:00:00Z") or 0.0
PROOF = Proof("2026-03-01T12:30:00Z", has_passed=True, duration_s=61.0)


def test_a_list_shows_age_size_and_proof():
    failed = replace(PROOF, has_passed=False)
    points = (MANIFEST.summary, replace(MANIFEST.summary, is_fuzzy=True, proof=failed))
    text = draw(points_lines(points, NOW))
    assert "20260301-120000-abcdef  2026-03-01 12:00:00  1h 00m  3" in text
    assert "600 B  pgdata, uploads  fuzzy       failed 30m 00s ago" in text
    assert text.rstrip().endswith("consistent  not verified")


def test_no_point_says_how_to_make_one():
    assert "underway backup create" in draw(points_lines((), NOW))


def test_a_point_shows_how_each_volume_was_made_sound():
    text = draw(point_lines(MANIFEST))
    assert "pgdata   dump (postgres)  100 B  2        -       consistent" in text
    assert "uploads  pause            500 B  7        0.20s   consistent" in text


def test_a_point_names_its_sqlite_databases():
    found = replace(MANIFEST.volumes[1], databases=("a%20b.db", "raw%FF.db"))
    text = draw(point_lines(replace(MANIFEST, volumes=(found,))))
    assert "sqlite: uploads/a b.db" in text
    assert "sqlite: uploads/raw\\xff.db" in text


def test_a_backup_tells_freeze_and_what_moved():
    moved = replace(MANIFEST.volumes[1], moved=("/volumes/uploads/a",), is_fuzzy=True)
    text = draw(created_lines(replace(MANIFEST, volumes=(moved,))))
    assert "writers stood still for 0.20s" in text
    assert "uploads: 1 file changed while it was read" in text


def test_what_is_lost_is_said_before_anything_else():
    text = draw(intent_lines("libra", ("uploads: since noon",), ("db", "web"), ("older",)))
    assert text.splitlines()[0] == "lost: uploads: since noon"
    assert "db, web of libra move" in text


def test_a_proof_tells_recovery_time_and_age():
    text = draw(proven_lines(MANIFEST, PROOF, NOW))
    assert "restored whole in 1m 01s  its data is 1h 00m old" in text


def test_a_held_retention_says_why():
    chosen = Retention((PointId("a"),), (), ((PointId("a"), ("floor",)),), "it shrank")
    text = draw(retention_lines(chosen, is_done=True))
    assert "a  stays  floor" in text
    assert "nothing was forgotten: it shrank" in text
    gone = Retention((), (PointId("b"),), ())
    assert "would be forgotten" in draw(retention_lines(gone, is_done=False))


def test_coverage_names_what_is_not_covered():
    text = draw(coverage_lines(plan_coverage(scene(policy()))))
    assert "not covered" in text
    assert "backup-undeclared" in text
    assert "(nothing is declared)" in text
