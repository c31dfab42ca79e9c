"""Restore points as parts of JSON documents."""

import msgspec

from underway.model.restore_point import Manifest, PointSummary, VolumeCopy


class PointPart(msgspec.Struct, frozen=True):
    """A restore point. `moment` is RFC 3339; `bytes` is its size before the store made it small."""

    id: str
    moment: str
    release: int
    bytes: int
    entries: int
    volumes: tuple[str, ...]
    is_fuzzy: bool
    duration_s: float
    proof: "ProofPart | None"


class VolumeCopyPart(msgspec.Struct, frozen=True):
    """One volume in a restore point. `moved` are files that changed while they were read.

    `databases` are SQLite's, by their percent-encoded path in the volume; each is sound by itself.
    """

    volume: str
    physical: str
    host: str
    consistency: str
    moment: str
    bytes: int
    entries: int
    is_fuzzy: bool
    moved: tuple[str, ...]
    freeze_s: float
    parts: tuple[str, ...]
    databases: tuple[str, ...]


class CoveragePart(msgspec.Struct, frozen=True):
    """How one volume is backed up. `code` is what refuses it, or ""."""

    volume: str
    consistency: str
    text: str
    code: str


class ProofPart(msgspec.Struct, frozen=True):
    """The last verification of a point."""

    moment: str
    has_passed: bool
    duration_s: float


def point_part(point: PointSummary) -> PointPart:
    """A summary as it is printed."""
    said = point.proof
    return PointPart(
        id=point.point,
        moment=point.moment,
        release=point.release,
        bytes=point.bytes,
        entries=point.entries,
        volumes=tuple(point.volumes),
        is_fuzzy=point.is_fuzzy,
        duration_s=point.duration_s,
        proof=ProofPart(said.moment, said.has_passed, said.duration_s) if said else None,
    )


def volume_parts(manifest: Manifest) -> tuple[VolumeCopyPart, ...]:
    """The volumes of a point as they are printed."""
    return tuple(_volume(copy) for copy in manifest.volumes)


def _volume(copy: VolumeCopy) -> VolumeCopyPart:
    return VolumeCopyPart(
        volume=copy.volume,
        physical=copy.physical,
        host=copy.host,
        consistency=copy.consistency.value,
        moment=copy.moment,
        bytes=copy.bytes,
        entries=copy.entries,
        is_fuzzy=copy.is_fuzzy,
        moved=copy.moved,
        freeze_s=copy.freeze_s,
        parts=tuple(part.name or part.path for part in copy.parts),
        databases=copy.databases,
    )
