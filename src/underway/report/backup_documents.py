"""Restore points -> JSON documents. Pure."""

from collections.abc import Sequence

from underway.backup.plan import Coverage
from underway.backup.retention import Retention
from underway.model.names import AppName
from underway.model.restore_point import Manifest, PointSummary
from underway.report.backup_parts import CoveragePart, point_part, volume_parts
from underway.report.documents import (
    BackupsDocument,
    CoverageDocument,
    RestorePointDocument,
    RetentionDocument,
)


def points_document(app: AppName, points: Sequence[PointSummary]) -> BackupsDocument:
    """Complete restore points, newest first."""
    return BackupsDocument(app, tuple(point_part(point) for point in reversed(points)))


def point_document(manifest: Manifest) -> RestorePointDocument:
    """One restore point."""
    return RestorePointDocument(
        manifest.app, point_part(manifest.summary), manifest.created_by, volume_parts(manifest)
    )


def retention_document(app: AppName, chosen: Retention, *, is_done: bool) -> RetentionDocument:
    """What stays and what goes."""
    return RetentionDocument(app, chosen.keep, chosen.forget, chosen.held, is_done)


def coverage_document(app: AppName, found: Sequence[Coverage]) -> CoverageDocument:
    """How each volume is backed up."""
    return CoverageDocument(
        app,
        tuple(CoveragePart(c.volume, c.consistency.value, c.text, c.code) for c in found),
    )
