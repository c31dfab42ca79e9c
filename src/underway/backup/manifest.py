"""Manifests as bytes: JSON that other tools can read, checked when it is read back."""

from datetime import datetime
from typing import Final

import msgspec

from underway.errors import IntegrityError
from underway.model.restore_point import MANIFEST_VERSION, Manifest, PointId, PointSummary

_DIGITS: Final = 6


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode_manifest(data: bytes, point: PointId) -> Manifest:
    """The manifest of `point`; IntegrityError `backup-manifest` if it is not one, or another's."""
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unreadable(point, "it is no manifest of this form") from error
    if manifest.version != MANIFEST_VERSION:
        raise _unreadable(point, f"it has version {manifest.version}, this knows 1")
    if manifest.point != point:
        raise _unreadable(point, f"it describes {manifest.point}")
    return manifest


def point_id(moment: str, digits: str) -> PointId:
    """The id of a point made at `moment` (RFC 3339, UTC); `digits` tell two of one second apart."""
    compact = moment.replace("-", "").replace(":", "").replace("T", "-").removesuffix("Z")
    return PointId(f"{compact}-{digits[:_DIGITS]}")


def chosen_point(points: tuple[PointSummary, ...], name: str) -> PointSummary | None:
    """The point that `name` means: `latest`, its id, or the beginning of one; None if none does."""
    if name == "latest":
        return max(points, key=lambda point: (point.moment, point.point), default=None)
    found = [point for point in points if name and point.point.startswith(name)]
    exact = [point for point in found if point.point == name]
    return exact[0] if exact else found[0] if len(found) == 1 else None


def point_at(points: tuple[PointSummary, ...], at_s: float) -> PointSummary | None:
    """The newest point whose data is of `at_s` (seconds since the epoch) or before, or None."""
    before = [p for p in points if datetime.fromisoformat(p.moment).timestamp() <= at_s]
    return chosen_point(tuple(before), "latest")


def _unreadable(point: PointId, why: str) -> IntegrityError:
    return IntegrityError(
        "backup-manifest",
        f"the manifest of {point} cannot be read",
        cause=why,
        hint="take another point (`underway backup list`); a newer Underway may know this one",
    )
