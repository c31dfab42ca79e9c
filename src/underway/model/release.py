"""Releases and runs: what is recorded on the hosts, immutable once written."""

from dataclasses import dataclass
from typing import Final

from underway.model.history import Doubt
from underway.model.image import ImageIdentity
from underway.model.names import (
    NO_RELEASE,
    AppName,
    HostName,
    ReleaseNumber,
    RunNumber,
    ServiceName,
)
from underway.model.sensitive import SensitiveDigest
from underway.model.spec import AppSpec
from underway.model.tagging import ReleaseTag
from underway.model.testing import Attestation, ReleasedSuite


@dataclass(frozen=True, slots=True, order=True)
class ServiceImage:
    """The image one service runs in a release."""

    service: ServiceName
    image: ImageIdentity


DIRTY: Final = "-dirty"
"""Ends the commit of a release that holds work which was not committed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The release that another one was promoted from: the same images, elsewhere."""

    app: AppName
    release: ReleaseNumber
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """Image digests + resolved configuration + a number: what deploys and rolls back.

    `created_at` is an RFC 3339 time in UTC, `tag` the name people use, `commit` the source
    revision or "", `sensitive` the keyed digests of the values that stand in the vault, `suites`
    the tests that its images were to pass. `tags` are all names that built images got, `tag` first;
    `version` is its semantic version or ""; `origin` tells what it was promoted from.
    """

    number: ReleaseNumber
    spec: AppSpec
    images: tuple[ServiceImage, ...]
    sensitive: tuple[SensitiveDigest, ...] = ()
    tag: str = ""
    commit: str = ""
    created_at: str = ""
    created_by: str = ""
    suites: tuple[ReleasedSuite, ...] = ()
    tags: tuple[str, ...] = ()
    version: str = ""
    origin: Origin | None = None

    @property
    def is_committed(self) -> bool:
        """Whether a commit alone names what it was built from; True where nothing was built."""
        is_built = any(service.build for service in self.spec.services)
        return not is_built or (bool(self.commit) and not self.commit.endswith(DIRTY))

    def image_of(self, service: ServiceName) -> ImageIdentity:
        """The image `service` runs; raises KeyError."""
        for entry in self.images:
            if entry.service == service:
                return entry.image
        raise KeyError(service)


@dataclass(frozen=True, slots=True, order=True)
class Binding:
    """Which physical volume stands behind a Compose volume now."""

    volume: str
    physical: str


@dataclass(frozen=True, slots=True, order=True)
class Adjustment:
    """What was asked of a service between releases, and stands apart from them.

    `replicas` is the number asked for where releases say `instead_of`, 0 where none was asked.
    """

    service: ServiceName
    replicas: int = 0
    instead_of: int = 0
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """That the current release stands on `hosts` (sorted) alone so far, on purpose.

    All others keep release `others`.
    """

    hosts: tuple[HostName, ...]
    others: ReleaseNumber


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of a command that changed hosts. `outcome` is "" while it runs.

    `current` is the release the app runs once the run is over.
    """

    number: RunNumber
    command: str
    release: ReleaseNumber
    actor: str
    started_at: str
    ended_at: str = ""
    outcome: str = ""
    exit_code: int = 0
    current: ReleaseNumber = NO_RELEASE
    cause: str = ""

    @property
    def code(self) -> str:
        """The code of the error that it ended with, or ""."""
        head, _, code = self.cause.rpartition(" [")
        return code.removesuffix("]") if head and code.endswith("]") else ""


@dataclass(frozen=True, slots=True)
class LedgerState:
    """What one host's ledger holds, and the hash of its newest record.

    `hashes` are those of all its records, oldest first; `doubts` say why it is not believed.
    """

    host: HostName
    releases: tuple[Release, ...] = ()
    runs: tuple[RunRecord, ...] = ()
    bindings: tuple[Binding, ...] = ()
    current: ReleaseNumber = NO_RELEASE
    head: str = ""
    attestations: tuple[Attestation, ...] = ()
    tags: tuple[ReleaseTag, ...] = ()
    hashes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    limit: Limit | None = None
