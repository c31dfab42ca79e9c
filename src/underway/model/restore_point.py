"""Restore points: one complete copy of an app's data, described by a manifest that is written last.

Without its manifest a point does not exist: what an interrupted backup left is never listed.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from underway.model.backup import BackupPolicy, Consistency
from underway.model.kept_project import KeptProject
from underway.model.names import AppName, HostName, ReleaseNumber, VolumeName
from underway.model.release import Release

PointId = NewType("PointId", str)
"""`20261121-105500-3f2a1c`: the moment in UTC, and digits that tell two of one second apart."""

MANIFEST_VERSION = 1


class PartKind(StrEnum):
    """What a part of a volume's copy holds."""

    FILES = "files"
    DUMP = "dump"
    SQLITE = "sqlite"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing in the store. `path` is where it stands in `snapshot`, `name` what a stream is.

    Copies of databases are a tree, too. `entries` counts files, directories and all else; `sha256`
    is that of a stream, "" for a tree.
    """

    kind: PartKind
    snapshot: str
    path: str
    bytes: int
    entries: int = 1
    sha256: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class VolumeCopy:
    """One volume in a restore point.

    `moment` is RFC 3339: what was written before it is in the copy. `moved` are files that changed
    while they were read: the copy is `is_fuzzy` then, and wherever nothing made it sound.
    `databases` are SQLite's, by their percent-encoded path in the volume: each is sound by itself.
    """

    volume: VolumeName
    physical: str
    host: HostName
    consistency: Consistency
    moment: str
    parts: tuple[Part, ...]
    preset: str = ""
    is_fuzzy: bool = False
    moved: tuple[str, ...] = ()
    freeze_s: float = 0.0
    labels: tuple[tuple[str, str], ...] = ()
    databases: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """The size of what was copied, before the store made it smaller."""
        return sum(part.bytes for part in self.parts)

    @property
    def entries(self) -> int:
        """How many files, directories and streams."""
        return sum(part.entries for part in self.parts)


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that a restore point is. `release` holds no sensitive value, only digests by a key.

    `policy` and `project` are for hosts that know nothing of the app: how its data comes back, and
    where its values come from. Points of older versions have neither.
    """

    app: AppName
    point: PointId
    created_at: str
    created_by: str
    duration_s: float
    release: Release
    volumes: tuple[VolumeCopy, ...]
    version: int = MANIFEST_VERSION
    policy: BackupPolicy | None = None
    project: KeptProject | None = None

    def volume(self, name: VolumeName) -> VolumeCopy | None:
        """The copy of a volume, or None."""
        return next((copy for copy in self.volumes if copy.volume == name), None)

    @property
    def summary(self) -> "PointSummary":
        """What a list shows."""
        return PointSummary(
            app=self.app,
            point=self.point,
            moment=min((copy.moment for copy in self.volumes), default=self.created_at),
            release=self.release.number,
            bytes=sum(copy.bytes for copy in self.volumes),
            entries=sum(copy.entries for copy in self.volumes),
            volumes=tuple(copy.volume for copy in self.volumes),
            is_fuzzy=any(copy.is_fuzzy for copy in self.volumes),
            duration_s=self.duration_s,
            snapshots=tuple(sorted({p.snapshot for copy in self.volumes for p in copy.parts})),
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """A verification: when, whether the point was restored whole, and how long that took."""

    moment: str
    has_passed: bool
    duration_s: float


@dataclass(frozen=True, slots=True)
class PointSummary:
    """One complete restore point as a list shows it.

    `moment` is the oldest of its volumes'; `snapshots` are what it needs in the store. `proof` is
    the last verification, or None where nobody tried.
    """

    app: AppName
    point: PointId
    moment: str
    release: ReleaseNumber
    bytes: int
    entries: int
    volumes: tuple[VolumeName, ...]
    is_fuzzy: bool
    duration_s: float
    snapshots: tuple[str, ...] = ()
    proof: Proof | None = None

    @property
    def has_failed(self) -> bool:
        """Whether the last verification found that it does not restore."""
        return self.proof is not None and not self.proof.has_passed

    @property
    def is_proven(self) -> bool:
        """Whether the last verification restored it whole."""
        return self.proof is not None and self.proof.has_passed
