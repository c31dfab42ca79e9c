"""Records of runs and releases -> JSON documents. Pure: every function is a plain mapping."""

from collections.abc import Sequence

import msgspec

from underway.model.change import Comparison
from underway.model.names import AppName, ReleaseNumber
from underway.model.release import Release, RunRecord
from underway.model.status import ReleaseDetail, ReleaseStatus
from underway.model.testing import proof_of
from underway.report.document_parts import (
    DetailPart,
    ImagePart,
    OriginPart,
    PartChangePart,
    ReleasePart,
    RunPart,
)
from underway.report.documents import (
    HistoryDocument,
    ReleaseDocument,
    ReleasesDocument,
)
from underway.report.look_documents import (
    ComparisonDocument,
    ReleaseDetailDocument,
)


def history_document(app: AppName, runs: Sequence[RunRecord]) -> HistoryDocument:
    """Runs, newest first."""
    return HistoryDocument(
        app=app,
        runs=tuple(_run(run) for run in sorted(runs, key=_number, reverse=True)),
    )


def _run(run: RunRecord) -> RunPart:
    return RunPart(
        number=run.number,
        command=run.command,
        release=run.release,
        actor=run.actor,
        started_at=run.started_at,
        ended_at=run.ended_at,
        outcome=run.outcome,
        exit_code=run.exit_code,
        current=run.current,
        cause=run.cause,
        code=run.code,
    )


def releases_document(
    app: AppName, releases: Sequence[ReleaseStatus], current: ReleaseNumber
) -> ReleasesDocument:
    """Releases, newest first."""
    ordered = sorted(releases, key=lambda known: known.release.number, reverse=True)
    return ReleasesDocument(app, current, tuple(map(_status, ordered)))


def release_detail_document(detail: ReleaseDetail) -> ReleaseDetailDocument:
    """One release in full."""
    release = detail.status.release
    return ReleaseDetailDocument(
        app=release.spec.name,
        release=_status(detail.status),
        suites=release.suites,
        runs=tuple(map(_run, detail.runs)),
        spec=release.spec,
    )


def comparison_document(app: AppName, found: Comparison) -> ComparisonDocument:
    """What differs between two releases."""
    return ComparisonDocument(
        app=app,
        before=found.before,
        after=found.after,
        is_same=not found.parts,
        parts=tuple(
            PartChangePart(
                part.service,
                part.turn,
                tuple(DetailPart(d.kind, d.name, d.turn, d.before, d.after) for d in part.details),
            )
            for part in found.parts
        ),
        unknown=found.unknown,
    )


def _status(known: ReleaseStatus) -> ReleasePart:
    return msgspec.structs.replace(
        _release(known.release),
        standing=known.standing,
        hosts=known.hosts,
        namesakes=known.namesakes,
        tags=known.names,
    )


def release_document(release: Release) -> ReleaseDocument:
    """One release."""
    return ReleaseDocument(app=release.spec.name, release=_release(release))


def _number(entry: RunRecord) -> int:
    return entry.number


def _release(release: Release) -> ReleasePart:
    origin = release.origin
    return ReleasePart(
        number=release.number,
        tag=release.tag,
        commit=release.commit,
        created_at=release.created_at,
        created_by=release.created_by,
        images=tuple(
            ImagePart(
                entry.service,
                entry.image.reference,
                entry.image.config_digest,
                entry.image.manifest_digest,
            )
            for entry in release.images
        ),
        tests=proof_of(release.suites, frozenset()).value,
        tags=release.tags,
        semver=release.version,
        origin=OriginPart(origin.app, origin.environment, origin.release) if origin else None,
    )
