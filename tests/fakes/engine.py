"""An engine in memory: good enough for planners and executors, held to the real one's contract.

It passes `tests/contract/test_engine.py`. `behave` decides what a started container does,
`commands` what a command in one answers, and `faults` makes the next call of a method fail, before
or after its effect, as a dying client or a lost host would.
"""

# ruff: noqa: ARG002 - the port's arguments, whether a fake needs them or not

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime

from tests.fakes import containers
from tests.fakes.containers import IDENTITY, Behaviour, FakeContainer, digest, overlap, pinned
from tests.fakes.faults import Faults
from tests.fakes.images import ImageShelf
from tests.fakes.looking import Looks
from underway.adapters.engine.archives import archive_of
from underway.adapters.engine.body import create_body
from underway.errors import EngineError
from underway.model.container import ContainerRequest
from underway.model.image import ImageState
from underway.model.names import ContainerName, HostName
from underway.model.sensitive import SensitiveValues
from underway.model.snapshot import (
    ContainerState,
    ContainerStatus,
    EngineFacts,
    Health,
    NetworkState,
    VolumeState,
)
from underway.model.spec import FileSpec, MountKind, NetworkSpec, VolumeSpec
from underway.ports import Progress
from underway.ports.output import ExecResult, LogLine


class FakeEngine(Looks):
    """`ports.Engine` in memory. Safe to use from several threads at once."""

    def __init__(self, host: HostName) -> None:
        """An empty engine."""
        self._host = host
        self._guard = threading.RLock()
        self._counter = 0
        self.made: dict[str, FakeContainer] = {}
        self.volume_files: dict[str, dict[str, bytes]] = {}
        self.registry: dict[str, str] = {}
        self.faults = Faults()
        self.behave: Callable[[ContainerRequest], Behaviour] = lambda _: Behaviour()
        self.commands: Callable[[str, Sequence[str], bytes], ExecResult] = (
            lambda _name, _command, stdin: ExecResult(0, stdin, b"")
        )
        self._images = ImageShelf()
        self._networks: dict[str, NetworkState] = {}
        self._volumes: dict[str, VolumeState] = {}

    def add_image(
        self,
        *references: str,
        exposed: tuple[int, ...] = (),
        identity: str = "",
        labels: tuple[tuple[str, str], ...] = (),
    ) -> ImageState:
        """Put an image on the host; without an `identity` its id follows from its first name."""
        return self._images.add(references, exposed, identity, labels)

    @property
    def host(self) -> HostName:
        return self._host

    def facts(self) -> EngineFacts:
        with self._call("facts"):
            clock = datetime.now(UTC).isoformat()
            return EngineFacts("26.1.5", "1.45", architecture="amd64", clock=clock, id="fake")

    def containers(self) -> tuple[ContainerState, ...]:
        with self._call("containers"):
            states = [
                replace(made.state, started_at="", restart_count=0) for made in self.made.values()
            ]
            return tuple(sorted(states, key=lambda state: state.name))

    def container(self, name: str) -> ContainerState | None:
        with self._call("container"):
            made = self.made.get(name)
            return made.state if made else None

    def create(self, request: ContainerRequest, values: SensitiveValues) -> None:
        with self._call("create"):
            body = create_body(request, values)
            archive_of(request.files, values)
            image = self._images.find(request.image)
            if image is None:
                raise self._error("image-missing", f"No such image: {request.image}", 404)
            holder = self.made.get(request.name)
            if holder and any(
                holder.state.label(label) != request.label(label) for label in IDENTITY
            ):
                app = holder.state.app
                raise self._error("name-taken", f"{request.name} is held (app {app})", 409)
            if holder and holder.state.status is not ContainerStatus.CREATED:
                return
            self.made.pop(request.name, None)
            self.made[request.name] = FakeContainer(
                request,
                self._state_of(request, image.id),
                tuple(body["Env"]),
                {file.target: values[file.content].reveal() for file in request.files},
            )

    def start(self, name: str) -> None:
        with self._call("start"):
            made = self._made(name)
            if made.state.status is ContainerStatus.RUNNING:
                return
            self._refuse_collisions(made)
            behaviour = self.behave(made.request)
            addresses = [
                (place.network, place.address or self._address(place.network))
                for place in made.request.networks
            ]
            made.state = replace(
                made.state,
                status=behaviour.status,
                exit_code=behaviour.exit_code,
                health=behaviour.health if made.request.health else Health.NONE,
                started_at=datetime.now(UTC).isoformat(),
                published=containers.published(made.request),
                addresses=tuple(sorted(addresses)),
            )

    def stop(self, name: str, grace_s: float | None) -> None:
        with self._call("stop"):
            made = self.made.get(name)
            if made and made.state.status in {ContainerStatus.RUNNING, ContainerStatus.PAUSED}:
                grace_s = made.request.stop_grace_s if grace_s is None else grace_s
                made.state = replace(
                    made.state,
                    status=ContainerStatus.EXITED,
                    exit_code=137 if grace_s == 0 else 0,
                    published=(),
                    addresses=pinned(made.request),
                )

    def remove(self, name: str) -> None:
        with self._call("remove"):
            self.made.pop(name, None)

    def rename(self, name: str, new_name: str) -> None:
        with self._call("rename"):
            if name not in self.made:
                return
            if new_name in self.made:
                raise self._error("name-taken", f"{new_name} is held", 409)
            made = self.made.pop(name)
            made.state = replace(made.state, name=ContainerName(new_name))
            self.made[new_name] = made

    def set_restart(self, name: str, restart: str) -> None:
        with self._call("set_restart"):
            made = self._made(name)
            made.state = replace(made.state, restart=restart)

    def logs(self, name: str, *, tail: int = 0, **_: object) -> Iterator[LogLine]:
        with self._call("logs"):
            return iter(self.behave(self._made(name).request).output[-tail:])

    def execute(
        self, name: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30
    ) -> ExecResult:
        with self._call("execute"):
            if self._made(name).state.status is not ContainerStatus.RUNNING:
                raise self._error("container-not-running", f"{name} is not running", 409)
            return self.commands(name, command, stdin)

    def read_files(self, name: str, path: str) -> Mapping[str, bytes]:
        with self._call("read_files"):
            return self._made(name).below(path)

    def health_log(self, name: str) -> tuple[str, ...]:
        with self._call("health_log"):
            return self.behave(self.made[name].request).checks if name in self.made else ()

    def write_files(
        self,
        volume: str,
        image: str,
        files: Sequence[FileSpec],
        values: SensitiveValues,
        labels: Mapping[str, str],
    ) -> None:
        with self._call("write_files"):
            archive_of(files, values)
            self._volumes.setdefault(volume, VolumeState(volume))
            self.volume_files.setdefault(volume, {}).update(
                {
                    file.target.removeprefix("/run/secrets/"): values[file.content].reveal()
                    for file in files
                }
            )

    def images(self) -> tuple[ImageState, ...]:
        with self._call("images"):
            return self._images.all()

    def image(self, reference: str) -> ImageState | None:
        with self._call("image"):
            return self._images.find(reference)

    def pull(self, reference: str, progress: Progress | None = None) -> None:
        with self._call("pull"):
            if self._images.find(reference) is None:
                if reference not in self.registry and "@" not in reference:
                    raise self._error("image-missing", f"manifest unknown: {reference}", 404)
                self.add_image(reference)

    def push(self, reference: str, progress: Progress | None = None) -> str:
        with self._call("push"):
            image = self._images.find(reference)
            if image is None:
                raise self._error("image-missing", f"No such image: {reference}", 404)
            self.registry[reference] = digest(f"manifest {image.id}")
            return self.registry[reference]

    def tag(self, image: str, reference: str) -> None:
        with self._call("tag"):
            found = self._images.find(image)
            if found is None:
                raise self._error("image-missing", f"No such image: {image}", 404)
            self._images.name(found.id, reference)

    def save(self, image: str) -> Iterator[bytes]:
        with self._call("save"):
            found = self._images.find(image)
            if found is None:
                raise self._error("image-missing", f"No such image: {image}", 404)
            return iter([found.id.encode(), b"\n", "\n".join(found.repo_tags).encode()])

    def load(self, archive: Iterable[bytes], progress: Progress | None = None) -> None:
        with self._call("load"):
            identity, *tags = b"".join(archive).decode().split("\n")
            self._images.add(tuple(tags or [identity]), (), identity)

    def resolve(self, reference: str) -> str:
        with self._call("resolve"):
            if reference not in self.registry:
                raise self._error("image-missing", f"manifest unknown: {reference}", 404)
            return self.registry[reference]

    def remove_image(self, image: str) -> None:
        with self._call("remove_image"):
            found = self._images.find(image)
            if found is None:
                return
            if image in found.repo_tags and len(found.repo_tags) > 1:
                self._images.unname(found.id, image)
            elif not any(made.state.image_id == found.id for made in self.made.values()):
                self._images.drop(found.id)

    def networks(self) -> tuple[NetworkState, ...]:
        with self._call("networks"):
            return tuple(self._networks[name] for name in sorted(self._networks))

    def create_network(self, network: NetworkSpec, labels: Mapping[str, str]) -> None:
        with self._call("create_network"):
            if network.physical in self._networks:
                return
            taken = [s for known in self._networks.values() for s in known.subnets]
            if network.subnet and any(overlap(network.subnet, subnet) for subnet in taken):
                raise self._error("subnet-taken", f"Pool overlaps: {network.subnet}", 403)
            subnet = network.subnet or f"172.{20 + len(self._networks)}.0.0/16"
            merged = tuple(sorted({**dict(network.labels), **labels}.items()))
            self._networks[network.physical] = NetworkState(network.physical, (subnet,), merged)

    def remove_network(self, name: str) -> None:
        with self._call("remove_network"):
            self._networks.pop(name, None)

    def volumes(self) -> tuple[VolumeState, ...]:
        with self._call("volumes"):
            return tuple(self._volumes[name] for name in sorted(self._volumes))

    def create_volume(self, volume: VolumeSpec, labels: Mapping[str, str]) -> None:
        with self._call("create_volume"):
            merged = tuple(sorted({**dict(volume.labels), **labels}.items()))
            state = VolumeState(volume.physical, volume.driver, merged, volume.driver_opts)
            self._volumes.setdefault(volume.physical, state)

    def remove_volume(self, name: str) -> None:
        with self._call("remove_volume"):
            if any(name in made.state.volumes for made in self.made.values()):
                raise self._error("still-in-use", f"{name}: volume is in use", 409)
            self._volumes.pop(name, None)

    def close(self) -> None:
        """Nothing is held."""

    def _call(self, method: str) -> AbstractContextManager[None]:
        return self.faults.around(method, self._guard, self._host)

    def _error(self, code: str, message: str, status: int) -> EngineError:
        return EngineError(code, f"{self._host}: {message}", status=status)

    def _made(self, name: str) -> FakeContainer:
        if name not in self.made:
            raise self._error("container-missing", f"No such container: {name}", 404)
        return self.made[name]

    def _state_of(self, request: ContainerRequest, image_id: str) -> ContainerState:
        self._counter += 1
        mounted = {m.source for m in request.mounts if m.kind is MountKind.VOLUME and m.source}
        for volume in mounted:
            self._volumes.setdefault(volume, VolumeState(volume))
        return ContainerState(
            id=digest(f"{self._host} {self._counter}").removeprefix("sha256:"),
            name=ContainerName(request.name),
            image_id=image_id,
            status=ContainerStatus.CREATED,
            labels=tuple(sorted(request.labels)),
            addresses=pinned(request),
            volumes=tuple(sorted(mounted)),
        )

    def _running(self) -> list[FakeContainer]:
        return [m for m in self.made.values() if m.state.status is ContainerStatus.RUNNING]

    def _refuse_collisions(self, made: FakeContainer) -> None:
        for place in made.request.networks:
            if place.network not in self._networks:
                raise self._error("engine-refused", f"no network {place.network}", 404)
        for other in self._running():
            if set(containers.published(made.request)) & set(other.state.published):
                raise self._error("port-taken", "port is already allocated", 500)
            if set(pinned(made.request)) & set(other.state.addresses):
                raise self._error("address-taken", "Address already in use", 403)

    def _address(self, network: str) -> str:
        taken = {a for m in self.made.values() for n, a in m.state.addresses if n == network}
        return containers.free_address(self._networks[network].subnets[0], taken)
