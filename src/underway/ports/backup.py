"""Protocols of backups: a store of restore points, opened beside the data of one host.

A store works in a sidecar that stands on the host as long as it is open, so that no byte of the
data passes this machine. Calls raise StepFailedError, RefusedError, IntegrityError or
UnreachableError with codes that start with `backup-`.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from underway.model.names import AppName, HostName
from underway.model.restore_point import Part, PointId, PointSummary, Proof

BytesProgress = Callable[[float, float, str], None]
"""Called with (bytes done, bytes in all or 0, what is said of rate and time left)."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Which containers stand still while a tree is copied, by id.

    `bystanders` mount a volume and do not write. Whoever else runs with one of `volumes` at the
    end of the copy is an intruder.
    """

    containers: tuple[str, ...]
    bystanders: tuple[str, ...]
    volumes: tuple[str, ...]
    limit_s: float


@dataclass(frozen=True, slots=True)
class Tree:
    """Directories of the sidecar, and files in them that are left out, by percent-encoded path.

    `name` says which pass it is: one called `hot` only brings the bulk into the store.
    """

    name: str
    directories: tuple[str, ...]
    leave_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedTree:
    """A copy of directories in the store.

    `moved` are paths that changed since the pass before; `intruders` ids of containers that wrote
    although all writers should have stood still. `frozen_s` is how long they stood.
    """

    snapshot: str
    added_bytes: int
    moved: tuple[str, ...] = ()
    intruders: tuple[str, ...] = ()
    frozen_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SavedDatabases:
    """Sound copies of the SQLite databases that were found in directories.

    `sizes` tells each by its path, percent-encoded because names are bytes, with its size in bytes.
    """

    snapshot: str
    sizes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class StreamCommand:
    """A command in a container of the host whose output is kept, or that reads what was kept."""

    container: str
    command: tuple[str, ...]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Counted:
    """How much stands below a directory: entries of every kind, and bytes of regular files."""

    entries: int
    bytes: int


class BackupStore(Protocol):
    """Restore points of apps, seen from one host."""

    @property
    def host(self) -> HostName:
        """The host whose data it reads and writes."""

    def initialise(self) -> bool:
        """Make the repository; False if it is there already (and the password fits)."""

    def open(self) -> None:
        """Look that the repository is there and the password fits; RefusedError if not."""

    def save_tree(
        self,
        point: PointId,
        tree: Tree,
        *,
        parent: str = "",
        freeze: Freeze | None = None,
        progress: BytesProgress | None = None,
    ) -> SavedTree:
        """Copy directories of the sidecar; with `freeze`, while those containers stand still."""

    def save_databases(
        self,
        point: PointId,
        directories: Sequence[str],
        *,
        progress: BytesProgress | None = None,
    ) -> SavedDatabases | None:
        """Copy the SQLite databases in directories, sound while they are written; None if none.

        StepFailedError `backup-sqlite-failed` names one that cannot be read, or is damaged.
        """

    def check_databases(self, directory: str) -> None:
        """Have SQLite look at what was restored; IntegrityError `backup-damaged` if it is not."""

    def count(self, snapshot: str, directory: str) -> Counted:
        """What a saved tree holds below a directory."""

    def save_stream(
        self,
        point: PointId,
        name: str,
        source: StreamCommand,
        *,
        progress: BytesProgress | None = None,
    ) -> Part:
        """Keep a command's output as `name`; StepFailedError `backup-dump-failed` if it failed."""

    def ask(self, source: StreamCommand) -> bytes:
        """A command's output, not kept; StepFailedError unless it ended with 0."""

    def seal(self, summary: PointSummary, manifest: bytes) -> None:
        """Write the manifest: from now on the point exists."""

    def record_proof(self, point: PointId, proof: Proof) -> None:
        """Write beside a point what its verification came to."""

    def apps(self) -> tuple[AppName, ...]:
        """The apps that have restore points in the repository, sorted."""

    def points(self, app: AppName) -> tuple[PointSummary, ...]:
        """The complete points of an app, oldest first."""

    def manifest(self, point: PointId) -> bytes:
        """A point's manifest; IntegrityError if it cannot be read."""

    def restore_tree(
        self, part: Part, directory: str, *, progress: BytesProgress | None = None
    ) -> Counted:
        """Bring a tree back into an empty directory; what stands there then."""

    def restore_stream(
        self, part: Part, sink: StreamCommand, *, progress: BytesProgress | None = None
    ) -> None:
        """Feed a stream to a command; IntegrityError where it is not what was kept."""

    def examine(self, *, progress: BytesProgress | None = None) -> None:
        """Read every byte of the repository; IntegrityError `backup-damaged` names what is."""

    def partials(self, app: AppName) -> tuple[PointId, ...]:
        """What interrupted backups left: points without a manifest, or without all it needs."""

    def unlock(self) -> None:
        """Take away the store's locks that dead runs left; only with the app's own lock held."""

    def forget(
        self, app: AppName, points: Iterable[PointId], *, progress: BytesProgress | None = None
    ) -> None:
        """Take points out, manifest first, and free what nothing needs any more."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a store works: the volumes that its sidecar sees, by directory below `/volumes`.

    `is_writable` for restoring. `may_command` gives it the host's engine, for dumps and freezes.
    `is_looking`: only restore points are read, without the lock, beside whatever else runs.
    """

    host: HostName
    volumes: tuple[tuple[str, str], ...] = ()
    is_writable: bool = False
    may_command: bool = False
    is_looking: bool = False


class Watchdog(Protocol):
    """Undoes a freeze or a quiesce on its host, should whoever made it be gone."""

    def __call__(
        self,
        host: HostName,
        *,
        limit_s: float,
        thaw: Sequence[str] = (),
        after: Sequence[tuple[str, str]] = (),
    ) -> AbstractContextManager[None]:
        """Stand guard on a host while the block runs; ready when it is entered."""


OpenStore = Callable[[Workplace], AbstractContextManager[BackupStore]]
"""Opens a store beside the data of a host; what it set up there goes when the block ends."""
