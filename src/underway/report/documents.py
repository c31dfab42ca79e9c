"""JSON documents: what `--json` prints on stdout, one per command, each with `kind` and `version`.

`version` changes when a field changes its meaning or goes away; new fields may come at any time.
The JSON Schemas in the reference are generated from these classes.
"""

from typing import Final, Literal, get_args

import msgspec

from underway.model.outline import Alias
from underway.model.spec import AppSpec
from underway.model.testing import Suites
from underway.report.backup_parts import CoveragePart, PointPart, VolumeCopyPart
from underway.report.document_parts import (
    ChangePart,
    CheckPart,
    CodePart,
    DriftPart,
    EdgePart,
    ErrorPart,
    FailurePart,
    HostPart,
    InterruptionPart,
    LimitPart,
    LockPart,
    NotePart,
    ReleasePart,
    RunPart,
    ServicePart,
    StagePart,
    StepPart,
    SuitePart,
)
from underway.report.look_documents import (
    ComparisonDocument,
    CompletionDocument,
    HappeningDocument,
    ReleaseDetailDocument,
    ReportDocument,
    TagsDocument,
    UrlsDocument,
    UsageDocument,
)
from underway.report.recovery_documents import (
    DrillDocument,
    ImageSnapshotsDocument,
    KitDocument,
    RecoveryDocument,
)
from underway.report.schedule_documents import (
    ScheduleDocument,
    ScheduledRunDocument,
    TimerDocument,
)


class StatusDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="status"):
    """`underway status --json`. `exit_code` is the command's."""

    app: str
    environment: str
    release: int
    tag: str
    taken_at: float
    exit_code: int
    hosts: tuple[HostPart, ...]
    services: tuple[ServicePart, ...]
    edges: tuple[EdgePart, ...]
    drift: tuple[DriftPart, ...]
    tests: str = ""
    limit: LimitPart | None = None
    version: Literal[1] = 1


class PlanDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="plan"):
    """`underway plan --json`. `interrupts` are the services of `interruptions`."""

    app: str
    release: int
    goal: str
    is_empty: bool
    changes: tuple[ChangePart, ...]
    stages: tuple[StagePart, ...]
    steps: tuple[StepPart, ...]
    interrupts: tuple[str, ...]
    interruptions: tuple[InterruptionPart, ...]
    left: tuple[str, ...]
    remarks: tuple[str, ...]
    version: Literal[1] = 1


class RunDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="run"):
    """`--json` of every command that changes hosts (`deploy`, `rollback`, `repair`, ...).

    `release` serves when the command is over; `exit_code` is the command's.
    """

    command: str
    app: str
    run: str
    release: int
    outcome: str
    exit_code: int
    duration_s: float
    steps: int
    text: str
    undo_cause: str
    interrupts: tuple[str, ...]
    failures: tuple[FailurePart, ...]
    notes: tuple[NotePart, ...]
    error: ErrorPart | None
    version: Literal[1] = 1


class HistoryDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="history"):
    """`underway history --json`, newest first."""

    app: str
    runs: tuple[RunPart, ...]
    version: Literal[1] = 1


class ReleasesDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="releases"):
    """`underway releases --json` and `history --releases --json`, newest first."""

    app: str
    current: int
    releases: tuple[ReleasePart, ...]
    version: Literal[1] = 1


class ReleaseDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="release"):
    """`underway ship --json`."""

    app: str
    release: ReleasePart
    version: Literal[1] = 1


class CheckDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="check"):
    """`underway check --json`; `exit_code` 0 or 4, and 6 where a host does not answer.

    By host in the file's order: a topic may stand several times, or not at all where nothing can
    be wrong with it.
    """

    app: str
    exit_code: int
    results: tuple[CheckPart, ...]
    version: Literal[1] = 1


class SuitesDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="test"):
    """`underway test --json`; `exit_code` is the command's.

    `logs` is the directory with what every container wrote, `junit` the file that was asked for.
    """

    app: str
    exit_code: int
    duration_s: float
    logs: str
    junit: str
    suites: tuple[SuitePart, ...]
    version: Literal[1] = 1


class LockDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="lock"):
    """`underway lock show --json`; nobody holds it where `holders` is empty."""

    app: str
    holders: tuple[LockPart, ...]
    version: Literal[1] = 1


class BackupsDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="backups"):
    """`underway backup list --json`, newest first: complete restore points only."""

    app: str
    points: tuple[PointPart, ...]
    version: Literal[1] = 1


class RestorePointDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="restore-point"):
    """`underway backup create --json` and `backup show --json`."""

    app: str
    point: PointPart
    created_by: str
    volumes: tuple[VolumeCopyPart, ...]
    version: Literal[1] = 1


class RetentionDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="retention"):
    """`underway backup prune --json`: what stays and what goes.

    `held` says why nothing goes this time, or ""; `is_done` is false for a dry run.
    """

    app: str
    keep: tuple[str, ...]
    forget: tuple[str, ...]
    held: str
    is_done: bool
    version: Literal[1] = 1


class CoverageDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="coverage"):
    """`underway backup coverage --json`."""

    app: str
    volumes: tuple[CoveragePart, ...]
    version: Literal[1] = 1


class ConfigDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="config"):
    """`underway config --json`. `spec` and `tests` follow this version of Underway alone."""

    app: str
    spec: AppSpec
    tests: Suites = msgspec.field(default_factory=Suites)
    aliases: tuple[Alias, ...] = ()
    version: Literal[1] = 1


class InitDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="init"):
    """`underway init --json`. `files` were written, none with --print; `text` is the file's."""

    app: str
    service: str
    files: tuple[str, ...]
    text: str
    version: Literal[1] = 1


class SetupDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="setup"):
    """`underway setup --json`. `commands` were run; `url` is how a file names the host."""

    host: str
    url: str
    commands: tuple[str, ...]
    engine: str
    way: str
    version: Literal[1] = 1


class LogDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="log"):
    """`underway logs --json`, one line each. `time` is RFC 3339 with nanoseconds, or "".

    `data` is the line in base64 where `text` cannot hold all of its bytes, else "".
    """

    host: str
    service: str
    container: str
    time: str
    text: str
    is_stderr: bool
    replica: int = 0
    data: str = ""
    version: Literal[1] = 1


class ErrorDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="error"):
    """What stands on stdout instead of a command's document when it failed before its run."""

    error: ErrorPart
    version: Literal[1] = 1


class CodeDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="error-code"):
    """`underway errors CODE --json`."""

    code: str
    exit_code: int
    meaning: str
    remedy: str
    version: Literal[1] = 1


class CodesDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="error-codes"):
    """`underway errors --json`, by code."""

    codes: tuple[CodePart, ...]
    version: Literal[1] = 1


Document = (
    StatusDocument
    | PlanDocument
    | RunDocument
    | HistoryDocument
    | ReleasesDocument
    | ReleaseDocument
    | ReleaseDetailDocument
    | ComparisonDocument
    | CheckDocument
    | SuitesDocument
    | TagsDocument
    | LockDocument
    | BackupsDocument
    | RestorePointDocument
    | RetentionDocument
    | CoverageDocument
    | RecoveryDocument
    | KitDocument
    | DrillDocument
    | ScheduleDocument
    | ScheduledRunDocument
    | TimerDocument
    | ImageSnapshotsDocument
    | UsageDocument
    | UrlsDocument
    | ConfigDocument
    | InitDocument
    | CompletionDocument
    | ReportDocument
    | HappeningDocument
    | SetupDocument
    | LogDocument
    | ErrorDocument
    | CodeDocument
    | CodesDocument
)

DOCUMENTS: Final[dict[str, type[Document]]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(Document)
}
"""Every document by its `kind`."""


def encode_document(document: Document) -> str:
    """The document as indented JSON, ended by a newline."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def encode_line(document: Document) -> str:
    """The document on one line, without its newline."""
    return msgspec.json.encode(document).decode()


def schema_text(kind: str) -> str:
    """The JSON Schema (2020-12) of a document, ended by a newline; raises KeyError."""
    schema = msgspec.json.schema(DOCUMENTS[kind])
    own = schema["$defs"][DOCUMENTS[kind].__name__]
    own["required"].append("version")
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
