"""JSON documents of commands that only look; `underway.report.documents` has them among all."""

from typing import Literal

import msgspec

from underway.model.spec import AppSpec
from underway.model.testing import ReleasedSuite
from underway.report.document_parts import (
    PartChangePart,
    ReleasePart,
    RunPart,
    TagPart,
    UrlPart,
    UsagePart,
)


class ReleaseDetailDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="release-detail"):
    """`underway show --json`. `spec` follows this version of Underway alone."""

    app: str
    release: ReleasePart
    suites: tuple[ReleasedSuite, ...]
    runs: tuple[RunPart, ...]
    spec: AppSpec
    version: Literal[1] = 1


class ComparisonDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="comparison"):
    """`underway diff --json`; release 0 is the file, `unknown` what only a build tells."""

    app: str
    before: int
    after: int
    is_same: bool
    parts: tuple[PartChangePart, ...]
    unknown: tuple[str, ...]
    version: Literal[1] = 1


class TagsDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="tags"):
    """`underway tag list --json`, newest first."""

    app: str
    tags: tuple[TagPart, ...]
    version: Literal[1] = 1


class UsageDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="usage"):
    """`underway top --json`: rates are over one interval; `lost` hosts did not answer."""

    app: str
    taken_at: float
    replicas: tuple[UsagePart, ...]
    lost: tuple[str, ...]
    version: Literal[1] = 1


class UrlsDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="urls"):
    """`underway open --json`."""

    app: str
    urls: tuple[UrlPart, ...]
    version: Literal[1] = 1


class CompletionDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="completion"):
    """`underway completion SHELL --json`."""

    shell: str
    script: str
    version: Literal[1] = 1


class ReportDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="report"):
    """`underway report --json`: the bundle, and the files in it."""

    app: str
    run: int
    path: str
    files: tuple[str, ...]
    left_out: tuple[str, ...]
    version: Literal[1] = 1


class HappeningDocument(msgspec.Struct, frozen=True, tag_field="kind", tag="happening"):
    """`underway events --json`, one line each. `time` is seconds since the epoch.

    `action` is the Engine API's of a container, with what it came to as `detail`, or `run-start`
    and `run-end`, with the outcome.
    """

    app: str
    time: float
    host: str
    action: str
    detail: str
    service: str
    container: str
    role: str
    run: int
    command: str
    release: int
    actor: str
    version: Literal[1] = 1
