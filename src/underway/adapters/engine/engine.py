"""`ports.Engine` for one Docker engine: each method hands over to the calls of its kind."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from underway.adapters.engine.connection import Connection
from underway.adapters.engine.containers import ContainerCalls
from underway.adapters.engine.execution import Execution
from underway.adapters.engine.happenings import container_events
from underway.adapters.engine.images import ImageCalls
from underway.adapters.engine.inspection import Inspection
from underway.adapters.engine.networks_volumes import NetworkCalls, VolumeCalls
from underway.adapters.engine.states import engine_facts
from underway.model.container import ContainerRequest
from underway.model.happening import ContainerEvent
from underway.model.image import ImageState
from underway.model.names import AppName, HostName, VolumeName
from underway.model.sensitive import SensitiveValues
from underway.model.snapshot import ContainerState, EngineFacts, NetworkState, VolumeState
from underway.model.spec import FileSpec, NetworkSpec, VolumeSpec
from underway.model.usage import UsageSample
from underway.ports import Progress
from underway.ports.output import ExecResult, LogLine


class DockerEngine:
    """One Docker engine behind a connection. Safe to use from several threads at once."""

    def __init__(self, connection: Connection) -> None:
        """Use `connection`, and close it in the end."""
        self.connection = connection
        self._containers = ContainerCalls(connection)
        self._execution = Execution(connection)
        self._images = ImageCalls(connection)
        self._inspection = Inspection(connection)
        self._networks = NetworkCalls(connection)
        self._volumes = VolumeCalls(connection)

    @property
    def host(self) -> HostName:
        """The host this engine serves."""
        return self.connection.host

    def facts(self) -> EngineFacts:
        """What the engine says of itself."""
        version = self.connection.read("/version", "ask the engine's version")
        info = self.connection.read("/info", "ask the engine's state")
        return engine_facts(version, info, self.connection.api_version)

    def containers(self) -> tuple[ContainerState, ...]:
        """All containers, stopped ones too, sorted by name."""
        return self._containers.all()

    def container(self, name: str) -> ContainerState | None:
        """One container inspected, or None."""
        return self._containers.one(name)

    def create(self, request: ContainerRequest, values: SensitiveValues) -> None:
        """Create a container and write its files; EngineError `name-taken` names a stranger."""
        self._containers.create(request, values)

    def start(self, name: str) -> None:
        """Start a container; a running one is left alone."""
        self._containers.start(name)

    def stop(self, name: str, grace_s: float | None) -> None:
        """Send the stop signal, kill after `grace_s` (None: the container's own)."""
        self._containers.stop(name, grace_s)

    def rename(self, name: str, new_name: str) -> None:
        """Rename a container; one that is gone or renamed already is left alone."""
        self._containers.rename(name, new_name)

    def set_restart(self, name: str, restart: str) -> None:
        """Change when a container is started by itself: `no`, `always`, `on-failure:3`."""
        self._containers.set_restart(name, restart)

    def remove(self, name: str) -> None:
        """Remove a container by force with its anonymous volumes; a missing one is fine."""
        self._containers.remove(name)

    def logs(
        self,
        name: str,
        *,
        tail: int = 0,
        follow: bool = False,
        since_s: float = 0,
        until_s: float = 0,
    ) -> Iterator[LogLine]:
        """The container's output; closing the iterator ends the call."""
        return self._execution.logs(
            name, tail=tail, follow=follow, since_s=since_s, until_s=until_s
        )

    def execute(
        self, name: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30
    ) -> ExecResult:
        """Run a command in a running container; EngineError `command-timeout` if it takes long."""
        return self._execution.execute(name, command, stdin=stdin, timeout_s=timeout_s)

    def read_files(self, name: str, path: str) -> Mapping[str, bytes]:
        """The files at or below a path of a container, by their path."""
        return self._inspection.read_files(name, path)

    def health_log(self, name: str) -> tuple[str, ...]:
        """What a container's health checks said, oldest first."""
        return self._inspection.health_log(name)

    def inspect(self, name: str) -> Mapping[str, object] | None:
        """All that the engine says of a container, values of its environment too, or None."""
        return self._inspection.inspect(name)

    def usage(self, name: str) -> UsageSample | None:
        """What a container used up to now; None for one that does not run."""
        return self._inspection.usage(name)

    def container_events(
        self, app: AppName, *, since_s: float, until_s: float = 0
    ) -> Iterator[ContainerEvent]:
        """What happened to an app's containers, oldest first; live where `until_s` is 0."""
        return container_events(self.connection, app, since_s=since_s, until_s=until_s)

    def write_files(
        self,
        volume: str,
        image: str,
        files: Sequence[FileSpec],
        values: SensitiveValues,
        labels: Mapping[str, str],
    ) -> None:
        """Fill a volume with files; a `target` is a path in the volume or below `/run/secrets`.

        The volume is made with `labels` if it is missing, so that it can be found and removed.
        """
        self._volumes.create(VolumeSpec(VolumeName(volume), volume), labels)
        self._containers.write_files(volume, image, files, values, labels)

    def images(self) -> tuple[ImageState, ...]:
        """All images, sorted by id."""
        return self._images.all()

    def image(self, reference: str) -> ImageState | None:
        """One image inspected, or None."""
        return self._images.one(reference)

    def pull(self, reference: str, progress: Progress | None = None) -> None:
        """Pull `repository@sha256:...` or a tag; UnreachableError if the registry is silent."""
        self._images.pull(reference, progress)

    def push(self, reference: str, progress: Progress | None = None) -> str:
        """Push a tag; returns the manifest digest."""
        return self._images.push(reference, progress)

    def tag(self, image: str, reference: str) -> None:
        """Give an image another name."""
        self._images.tag(image, reference)

    def save(self, image: str) -> Iterator[bytes]:
        """The image as a docker-archive stream."""
        return self._images.save(image)

    def load(self, archive: Iterable[bytes], progress: Progress | None = None) -> None:
        """Load a docker-archive stream."""
        self._images.load(archive, progress)

    def resolve(self, reference: str) -> str:
        """Ask the registry, through the engine, for the manifest digest of a tag."""
        return self._images.resolve(reference)

    def remove_image(self, image: str) -> None:
        """Remove an image; one in use or missing is left alone."""
        self._images.remove(image)

    def networks(self) -> tuple[NetworkState, ...]:
        """All networks, sorted by name."""
        return self._networks.all()

    def create_network(self, network: NetworkSpec, labels: Mapping[str, str]) -> None:
        """Create a network with its explicit subnet; an existing one is left alone."""
        self._networks.create(network, labels)

    def remove_network(self, name: str) -> None:
        """Remove a network; a missing one is fine."""
        self._networks.remove(name)

    def volumes(self) -> tuple[VolumeState, ...]:
        """All volumes, sorted by name."""
        return self._volumes.all()

    def create_volume(self, volume: VolumeSpec, labels: Mapping[str, str]) -> None:
        """Create a volume; an existing one is left alone."""
        self._volumes.create(volume, labels)

    def remove_volume(self, name: str) -> None:
        """Remove a volume; a missing one is fine."""
        self._volumes.remove(name)

    def close(self) -> None:
        """Give up the connection."""
        self.connection.close()
