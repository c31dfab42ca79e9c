"""Protocols of all that reaches outside: engines, proxies, builders, ledgers, locks, clocks.

Every call has a deadline and raises only errors of `underway.errors`. Implementations are safe
to use from several threads at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from underway.model.container import ContainerRequest
from underway.model.event import Event
from underway.model.happening import ContainerEvent
from underway.model.image import ImageState
from underway.model.names import AppName, HostName, ReleaseNumber, RunNumber, ServiceName
from underway.model.release import Adjustment, Binding, LedgerState, Limit, Release, RunRecord
from underway.model.sensitive import SensitiveValues
from underway.model.snapshot import ContainerState, EngineFacts, NetworkState, VolumeState
from underway.model.spec import BuildSpec, FileSpec, HostSpec, NetworkSpec, VolumeSpec
from underway.model.tagging import ReleaseTag
from underway.model.testing import Attestation
from underway.model.traffic import EdgeState, Sessions, Upstream
from underway.model.usage import UsageSample
from underway.ports.output import ExecResult, LogLine

Progress = Callable[[float, float, str], None]
"""Called with (done, total or 0, text) while a long call runs."""


class Engine(Protocol):
    """One Docker engine. Knows containers, images, networks and volumes; decides nothing.

    Methods raise UnreachableError (`host-unreachable`) when the engine does not answer in time,
    EngineError when it answers with an error.
    """

    @property
    def host(self) -> HostName:
        """The host this engine serves."""

    def facts(self) -> EngineFacts:
        """What the engine says of itself."""

    def containers(self) -> tuple[ContainerState, ...]:
        """All containers, stopped ones too, sorted by name."""

    def container(self, name: str) -> ContainerState | None:
        """One container inspected (health and restarts exact), or None."""

    def create(self, request: ContainerRequest, values: SensitiveValues) -> None:
        """Create a container and write its files; keeps one of the same name and labels."""

    def start(self, name: str) -> None:
        """Start a container; a running one is left alone."""

    def stop(self, name: str, grace_s: float | None) -> None:
        """Send the stop signal, kill after `grace_s`; a stopped or missing one is left alone.

        None is the grace period that the container was made with.
        """

    def rename(self, name: str, new_name: str) -> None:
        """Rename a container; one already renamed is left alone."""

    def set_restart(self, name: str, restart: str) -> None:
        """Change when a container is started by itself: `no`, `always`, `on-failure:3`."""

    def remove(self, name: str) -> None:
        """Remove a container by force with its anonymous volumes; a missing one is fine."""

    def logs(
        self,
        name: str,
        *,
        tail: int = 0,
        follow: bool = False,
        since_s: float = 0,
        until_s: float = 0,
    ) -> Iterator[LogLine]:
        """The container's output, lines of any length whole; `tail` 0 means all.

        `since_s` and `until_s` are seconds since the epoch, 0 for no limit.
        """

    def execute(
        self, name: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30
    ) -> ExecResult:
        """Run a command in a running container; bytes arrive intact."""

    def read_files(self, name: str, path: str) -> Mapping[str, bytes]:
        """The files at or below a path of a container, one that ended too; {} where none are."""

    def health_log(self, name: str) -> tuple[str, ...]:
        """What a container's health checks said, oldest first; () without any."""

    def inspect(self, name: str) -> Mapping[str, object] | None:
        """All that the engine says of a container, values of its environment too, or None."""

    def usage(self, name: str) -> UsageSample | None:
        """What a container used up to now; None for one that does not run."""

    def container_events(
        self, app: AppName, *, since_s: float, until_s: float = 0
    ) -> Iterator[ContainerEvent]:
        """The last few hundred events of an app's containers; live where `until_s` is 0."""

    def write_files(
        self,
        volume: str,
        image: str,
        files: Sequence[FileSpec],
        values: SensitiveValues,
        labels: Mapping[str, str],
    ) -> None:
        """Fill a volume with files through a container that never starts."""

    def images(self) -> tuple[ImageState, ...]:
        """All images, sorted by id."""

    def image(self, reference: str) -> ImageState | None:
        """One image by id, tag or `repository@digest`, or None."""

    def pull(self, reference: str, progress: Progress | None = None) -> None:
        """Pull `repository@sha256:...` or a tag."""

    def push(self, reference: str, progress: Progress | None = None) -> str:
        """Push a tag; returns the manifest digest."""

    def tag(self, image: str, reference: str) -> None:
        """Give an image another name."""

    def save(self, image: str) -> Iterator[bytes]:
        """The image as a docker-archive stream."""

    def load(self, archive: Iterable[bytes], progress: Progress | None = None) -> None:
        """Load a docker-archive stream."""

    def resolve(self, reference: str) -> str:
        """Ask the registry, through the engine, for the manifest digest of a tag."""

    def remove_image(self, image: str) -> None:
        """Remove an image; one in use or missing is left alone."""

    def networks(self) -> tuple[NetworkState, ...]:
        """All networks, sorted by name."""

    def create_network(self, network: NetworkSpec, labels: Mapping[str, str]) -> None:
        """Create a network with its explicit subnet; an existing one is left alone."""

    def remove_network(self, name: str) -> None:
        """Remove a network; a missing one is fine."""

    def volumes(self) -> tuple[VolumeState, ...]:
        """All volumes, sorted by name."""

    def create_volume(self, volume: VolumeSpec, labels: Mapping[str, str]) -> None:
        """Create a volume; an existing one is left alone."""

    def remove_volume(self, name: str) -> None:
        """Remove a volume; a missing one is fine."""

    def close(self) -> None:
        """Give up the connection."""


class CommandRunner(Protocol):
    """Runs commands in containers of one host: an engine, or a quicker way to one container."""

    @property
    def host(self) -> HostName:
        """The host."""

    def execute(
        self, name: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30
    ) -> ExecResult:
        """See `Engine.execute`; every command may be run again if its answer is lost."""


class Proxy(Protocol):
    """The proxy of one edge.

    Every change happens under the edge lock, is checked by the proxy itself before use, and is
    refused if a newer run wrote (RefusedError `newer-run`).
    """

    @property
    def host(self) -> HostName:
        """The edge."""

    def state(self, *, wait_s: float = 0.0) -> EdgeState | None:
        """What the running proxy serves, all apps; None where none runs for `wait_s` seconds."""

    def apply(self, upstream: Upstream, run: RunNumber) -> None:
        """Make files and running proxy know exactly these servers of this service."""

    def remove(self, app: AppName, service: ServiceName | None, run: RunNumber) -> None:
        """Forget a service, or with None the whole app."""

    def retire(self) -> bool:
        """Whether the proxy may be removed: no app's files are there. Then it takes no changes.

        True where no proxy runs.
        """

    def succeed(self) -> None:
        """Wait until the successor that was started serves in place of the proxy before.

        StepFailedError `edge-renewal-failed` where it gave up: then the one before serves on.
        """

    def sessions(self, app: AppName, service: ServiceName) -> Mapping[str, Sessions]:
        """What each server of a service still has, over all workers, old ones included."""


class Ledger(Protocol):
    """Releases and runs of one app on one host, in its anchor."""

    @property
    def host(self) -> HostName:
        """The host."""

    def read(self) -> LedgerState | None:
        """All that is recorded; None where there is no anchor. IntegrityError if altered.

        Nothing is written after a record that is in doubt: the state's `doubts` tell.
        """

    def accept(self, actor: str, accepted_at: str) -> None:
        """Sign that all records so far are the right ones; IntegrityError without a team key."""

    def record_release(self, release: Release) -> None:
        """Write a release's record; the same again is fine, another content is refused."""

    def set_current(
        self,
        release: ReleaseNumber,
        bindings: Sequence[Binding],
        asked: Sequence[Adjustment] = (),
        limit: Limit | None = None,
    ) -> None:
        """Write which release the app runs, on which hosts alone, and what was asked beside it."""

    def record_run(self, run: RunRecord) -> None:
        """Write or complete a run's record."""

    def record_attestation(self, attestation: Attestation) -> None:
        """Write that a suite passed; one whose definition is attested already is fine."""

    def record_tag(self, tag: ReleaseTag) -> None:
        """Write that a tag was given to a release or taken from it; the same again is fine."""


class Vault(Protocol):
    """Sensitive values of one app on one host, in its anchor, readable by root only."""

    @property
    def host(self) -> HostName:
        """The host."""

    def key(self) -> bytes | None:
        """The app's digest key; None where there is no anchor yet."""

    def releases(self) -> tuple[int, ...]:
        """The numbers of the releases whose values stand here."""

    def read(self, release: ReleaseNumber) -> SensitiveValues | None:
        """A release's values; None where they are missing."""

    def write(self, release: ReleaseNumber, values: SensitiveValues, key: bytes) -> None:
        """Write a release's values and the digest key, whole or not at all."""


class Builder(Protocol):
    """Builds images with buildx, or with the engine's own builder where it is missing."""

    def build(self, build: BuildSpec, tags: Sequence[str], progress: Callable[[str], None]) -> str:
        """Build, tag, and return the image id on the building engine."""


class Composer(Protocol):
    """Docker Compose, as the loader of files."""

    def canonical(self, files: Sequence[Path], *, interpolate: bool) -> str:
        """Compose's canonical YAML of the project."""


class Connector(Protocol):
    """Opens engines."""

    def connect(self, host: HostSpec) -> Engine:
        """Connect; UnreachableError if the engine does not answer in time."""


class Clock(Protocol):
    """Time, so that tests own it."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds that only grow, suspended time included where the system tells it."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class EventSink(Protocol):
    """Takes events as they happen; never raises, never blocks for long."""

    def __call__(self, event: Event) -> None:
        """Take one."""
