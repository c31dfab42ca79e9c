"""How backups stand, as Prometheus reads it: the text format, for a file that is collected. Pure.

Ages are moments here, as is the custom: `time() - METRIC` is an age.
"""

from collections.abc import Sequence

from underway.backup.due import Duty, Standing
from underway.model.names import AppName, VolumeName
from underway.model.restore_point import PointSummary
from underway.report.amounts import moment_of

_HELP = {
    "last_good_timestamp_seconds": "The moment of the data in the newest good restore point.",
    "duration_seconds": "How long the newest restore point took to make.",
    "size_bytes": "The size of the newest restore point's data.",
    "points": "How many complete restore points there are.",
    "verified_timestamp_seconds": "When a restore point was last restored whole for a trial.",
    "verification_failed": "1 if the last verification failed.",
    "overdue": "1 if a backup is late by more than two hours, or there is no good point.",
    "unverified": "1 if the verification is late by more than two hours.",
}

Sample = tuple[str, VolumeName, float]


def metrics_text(
    app: AppName,
    volumes: Sequence[VolumeName],
    points: Sequence[PointSummary],
    duties: Sequence[Duty],
) -> str:
    """All metrics of an app; what is not known has no line. `points` are the oldest first."""
    samples = [*_of_points(volumes, points), *_of_duties(duties)]
    lines = []
    for name, text in _HELP.items():
        found = [sample for sample in samples if sample[0] == name]
        if not found:
            continue
        full = f"underway_backup_{name}"
        lines += [f"# HELP {full} {text}", f"# TYPE {full} gauge"]
        lines += [f"{full}{_labels(app, volume)} {value:.15g}" for _, volume, value in found]
    return "".join(f"{one}\n" for one in lines)


def _labels(app: AppName, volume: VolumeName) -> str:
    return f'{{app="{app}",volume="{volume}"}}' if volume else f'{{app="{app}"}}'


def _of_points(volumes: Sequence[VolumeName], points: Sequence[PointSummary]) -> list[Sample]:
    nothing = VolumeName("")
    found: list[Sample] = [("points", nothing, len(points))]
    good = [point for point in points if not point.has_failed]
    for volume in sorted(volumes):
        moments = [moment_of(point.moment) or 0.0 for point in good if volume in point.volumes]
        found += [("last_good_timestamp_seconds", volume, max(moments))] if moments else []
    newest = points[-1] if points else None
    if newest:
        found.append(("duration_seconds", nothing, newest.duration_s))
        found.append(("size_bytes", nothing, newest.bytes))
    proofs = sorted((p.proof for p in points if p.proof), key=lambda proof: proof.moment)
    passed = [moment_of(proof.moment) or 0.0 for proof in proofs if proof.has_passed]
    found += [("verified_timestamp_seconds", nothing, max(passed))] if passed else []
    if proofs:
        found.append(("verification_failed", nothing, 0.0 if proofs[-1].has_passed else 1.0))
    return found


def _of_duties(duties: Sequence[Duty]) -> list[Sample]:
    return [
        ("overdue", duty.volume, float(duty.standing is Standing.OVERDUE))
        if duty.volume
        else ("unverified", duty.volume, float(duty.standing is Standing.UNVERIFIED))
        for duty in duties
    ]
