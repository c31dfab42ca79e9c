"""The parts that JSON documents are made of: stable names, apart from the model's own.

A field is never renamed or removed within a version; new ones may come. Times are RFC 3339 as
they were recorded, durations are seconds, absent is `null` or `""` as declared.
"""

import msgspec


class ImagePart(msgspec.Struct, frozen=True):
    """The image one service runs."""

    service: str
    reference: str
    config_digest: str
    manifest_digest: str


class OriginPart(msgspec.Struct, frozen=True):
    """The release that one was promoted from."""

    app: str
    environment: str
    release: int


class ReleasePart(msgspec.Struct, frozen=True):
    """A release without its configuration.

    `history --releases` tells more: `standing` is `current`, `ran`, `shipped`, `not finished` or
    `failed` (it never served), `hosts` those that run it, `namesakes` others with the same tag.
    `tests` is `passed` or `untested`, or "" where none were declared when it was shipped. `tags`
    are all its tags, `semver` its version or "", `origin` what it was promoted from.
    """

    number: int
    tag: str
    commit: str
    created_at: str
    created_by: str
    images: tuple[ImagePart, ...]
    standing: str = ""
    hosts: tuple[str, ...] = ()
    namesakes: tuple[int, ...] = ()
    tests: str = ""
    tags: tuple[str, ...] = ()
    semver: str = ""
    origin: OriginPart | None = None


class TagPart(msgspec.Struct, frozen=True):
    """A tag of a repository. `tag_kind` is `own`, `given`, `moving` or `foreign`.

    `digest` is the manifest's in a registry, else the configuration's; `release` 0 where no
    recorded release has this image; `hosts` those that run it.
    """

    repository: str
    tag: str
    tag_kind: str
    digest: str
    created_at: str
    size_bytes: int
    release: int
    hosts: tuple[str, ...]


class ErrorPart(msgspec.Struct, frozen=True):
    """The error that ended a run."""

    code: str
    exit_code: int
    message: str
    cause: str
    hint: str
    place: str
    detail: tuple[str, ...]


class SuitePart(msgspec.Struct, frozen=True):
    """A suite of tests: `outcome` tells why it is good or bad, `exit_code` is its container's.

    `error` is null where it passed now (`passed`) or before (`attested`).
    """

    name: str
    service: str
    outcome: str
    exit_code: int | None
    duration_s: float
    error: ErrorPart | None


class RunPart(msgspec.Struct, frozen=True):
    """A recorded run. `outcome` is "" while it runs; `current` serves once it is over.

    `code` is that of the error it ended with, or "".
    """

    number: int
    command: str
    release: int
    actor: str
    started_at: str
    ended_at: str
    outcome: str
    exit_code: int
    current: int
    cause: str
    code: str


class StepPart(msgspec.Struct, frozen=True):
    """A step of a plan."""

    number: int
    stage: int
    host: str
    kind: str
    subject: str
    detail: str
    cause: str


class DetailPart(msgspec.Struct, frozen=True):
    """One thing that differs; `before` and `after` are `(sensitive)` where a value is hidden."""

    kind: str
    name: str
    turn: str
    before: str
    after: str


class PartChangePart(msgspec.Struct, frozen=True):
    """What differs of a service, or of the app where `service` is ""; `turn` is its own."""

    service: str
    turn: str
    details: tuple[DetailPart, ...]


class DifferencePart(msgspec.Struct, frozen=True):
    """One thing that differs. `kind` is Compose's key (`environment`), `name` which one, or "".

    `change` is `added`, `removed` or `changed`. Values are never told.
    """

    kind: str
    name: str
    change: str


class ChangePart(msgspec.Struct, frozen=True):
    """Why replicas of a service are made or ended.

    `since` is the release that serves, or 0; `differences` is empty where the service is the same.
    """

    service: str
    cause: str
    since: int
    differences: tuple[DifferencePart, ...]


class InterruptionPart(msgspec.Struct, frozen=True):
    """A service that does not serve for a moment, and why.

    `kind` is `recreate`, `single-writer`, `port`, `route`, `proxy` or `removal`.
    """

    service: str
    kind: str
    reason: str


class StagePart(msgspec.Struct, frozen=True):
    """A stage of a plan. From the one with `is_commit` on, a failure goes forward."""

    index: int
    title: str
    is_commit: bool


class LockPart(msgspec.Struct, frozen=True):
    """Who holds the lock on a host."""

    host: str
    holder: str
    since: str
    run: str


class HostPart(msgspec.Struct, frozen=True):
    """A host; `reason` tells why it could not be reached."""

    name: str
    url: str
    is_reachable: bool
    reason: str
    engine_version: str
    release: int
    lock: LockPart | None


class TrafficPart(msgspec.Struct, frozen=True):
    """What one edge does with a replica: live, drain, standby, down or none."""

    edge: str
    state: str


class ReplicaPart(msgspec.Struct, frozen=True):
    """A replica. `standing`: `current`, `new`, `being replaced`, `stopping` or `left over`."""

    name: str
    host: str
    status: str
    health: str
    release: int
    is_current: bool
    standing: str
    started_at: str
    restart_count: int
    traffic: tuple[TrafficPart, ...]


class ServicePart(msgspec.Struct, frozen=True):
    """A service with its replicas.

    `is_stopped`: on purpose. `instead_of` is the number that its release says, where it was scaled
    to another one, else 0.
    """

    name: str
    strategy: str
    image: str
    wished: int
    ready: int
    generation: str
    replicas: tuple[ReplicaPart, ...]
    is_stopped: bool = False
    instead_of: int = 0


class EdgePart(msgspec.Struct, frozen=True):
    """The proxy on an edge; `version` is "" where none runs.

    `is_outdated`: an older Underway made it, and the next deploy renews it.
    """

    host: str
    version: str
    http_port: int
    names: tuple[str, ...]
    is_outdated: bool = False


class DriftPart(msgspec.Struct, frozen=True):
    """A difference, and the command that ends it."""

    kind: str
    subject: str
    explanation: str
    remedy: str


class FailurePart(msgspec.Struct, frozen=True):
    """A step that failed. `host` is null on the machine that ran the command."""

    host: str | None
    kind: str
    subject: str
    code: str
    message: str
    hint: str
    detail: tuple[str, ...]
    is_in_undo: bool


class NotePart(msgspec.Struct, frozen=True):
    """Something worth saying."""

    level: str
    code: str
    text: str
    host: str | None


class CheckPart(msgspec.Struct, frozen=True):
    """One check. `host` "" is the machine that ran the command.

    `verdict` is `ok`, `warn` or `fail`. `topic` is one of `reaching`, `identity`, `engine`,
    `disk`, `containers`, `clock`, `live-restore`, `image store`, `architecture`, `userns`,
    `registry`, `address`, `edge`, `connections`, and `tools image` for no host.
    """

    host: str
    topic: str
    verdict: str
    text: str
    remedy: str


class CodePart(msgspec.Struct, frozen=True):
    """An error code: the exit code it leads to, what it means, and what to do."""

    code: str
    exit_code: int
    meaning: str
    remedy: str


class UsagePart(msgspec.Struct, frozen=True):
    """What one replica uses; null is what could not be told, a limit of 0 is none.

    `cpus` and `cpu_limit` are in processors, rates in bytes per second.
    """

    name: str
    host: str
    service: str
    cpus: float | None
    cpu_limit: float
    memory_bytes: int | None
    memory_limit_bytes: int
    received_per_s: float | None
    sent_per_s: float | None
    processes: int | None


class UrlPart(msgspec.Struct, frozen=True):
    """Where users reach a service."""

    service: str
    url: str


class LimitPart(msgspec.Struct, frozen=True):
    """The hosts that the current release stands on alone; others keep release `others`."""

    hosts: tuple[str, ...]
    others: int
