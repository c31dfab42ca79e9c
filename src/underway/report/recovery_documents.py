"""JSON documents of coming back; `underway.report.documents` has them among all."""

from typing import Literal

import msgspec


class RecoveryPart(msgspec.Struct, frozen=True):
    """One part of a recovery, and how long it took, in seconds."""

    what: str
    took_s: float


class RecoveryDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="recovery"):
    """`underway recover --json`: how long it took, and how old the data is (seconds).

    What was written since `moment` is lost. `left_out` are volumes that have a place of their own.
    """

    app: str
    point: str
    release: int
    hosts: tuple[str, ...]
    moment: str
    age_s: float
    took_s: float
    parts: tuple[RecoveryPart, ...]
    left_out: tuple[str, ...]
    version: Literal[1] = 1


class CredentialPart(msgspec.Struct, frozen=True):
    """A variable that the store reads, and where it comes from."""

    name: str
    origin: str


class KitDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="recovery-kit"):
    """`underway backup kit --json`: what is needed to come back, and no secret of it."""

    app: str
    repository: str
    is_on_host: bool
    password: str
    credentials: tuple[CredentialPart, ...]
    variables: tuple[str, ...]
    files: tuple[str, ...]
    hosts: tuple[str, ...]
    command: str
    version: Literal[1] = 1


class DrillPart(msgspec.Struct, frozen=True):
    """One app's newest point. `code` and `why` say what failed, "" where it came back."""

    app: str
    point: str
    moment: str
    took_s: float
    age_s: float
    code: str
    why: str


class DrillDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="drill"):
    """`underway backup drill --json`; `exit_code` is the command's."""

    app: str
    drills: tuple[DrillPart, ...]
    exit_code: int
    version: Literal[1] = 1


class ImageSnapshotPart(msgspec.Struct, frozen=True):
    """A container's file system, kept as an image. `point` holds its data, or is ""."""

    name: str
    reference: str
    created_at: str
    service: str
    release: int
    size_bytes: int
    hosts: tuple[str, ...]
    point: str


class ImageSnapshotsDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="image-snapshots"):
    """`underway image snapshot create --json` and `list --json`, newest first."""

    app: str
    snapshots: tuple[ImageSnapshotPart, ...]
    version: Literal[1] = 1
