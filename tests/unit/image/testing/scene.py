"""A small app to test: `web` with a database that it depends on, on an engine in memory."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event as Flag

from tests.fakes.containers import Behaviour
from tests.fakes.engine import FakeEngine
from tests.fakes.time import FakeClock
from underway.image.testing.bench import Bench, Caller, run_suites
from underway.kernel.telling import Voice
from underway.model.container import ContainerRequest
from underway.model.event import Event, Note, Output
from underway.model.image import ImageIdentity
from underway.model.names import (
    LABEL_SINCE,
    AppName,
    ContainerName,
    HostName,
    SensitiveName,
    ServiceName,
)
from underway.model.sensitive import Sensitive
from underway.model.snapshot import ContainerStatus
from underway.model.spec import (
    AppSpec,
    Dependency,
    DependencyCondition,
    EnvVar,
    FileSpec,
    HealthSpec,
    Mount,
    MountKind,
    ServiceSpec,
)
from underway.model.testing import SuiteResult, SuiteSpec
from underway.ports.output import LogLine

WEB, DB = ServiceName("web"), ServiceName("db")
PASSWORD = SensitiveName("env/web/PASSWORD")
KEY = SensitiveName("secret/key")
VALUES = {PASSWORD: Sensitive(b"open sesame"), KEY: Sensitive(b"first line\nsecond line\n")}
WEB_SERVICE = ServiceSpec(
    WEB,
    "",
    (),
    engine='{"Config":{"Cmd":["serve"]},"HostConfig":{"RestartPolicy":{"Name":"always"}}}',
    environment=(EnvVar("MODE", "live"), EnvVar("PASSWORD", sensitive=PASSWORD)),
    mounts=(
        Mount(MountKind.VOLUME, "uploads", "/uploads"),
        Mount(MountKind.BIND, "/srv/data", "/data"),
        Mount(MountKind.BIND, "/etc/ssl", "/etc/ssl", read_only=True),
    ),
    files=(FileSpec(KEY, "/run/secrets/key", is_secret=True),),
    labels=(("traefik.enable", "true"),),
    depends_on=(Dependency(DB, DependencyCondition.HEALTHY),),
)
DB_SERVICE = ServiceSpec(
    DB,
    "postgres:17",
    (),
    engine='{"Config":{},"HostConfig":{"RestartPolicy":{"Name":"unless-stopped"}}}',
    mounts=(Mount(MountKind.VOLUME, "pgdata", "/var/lib/postgresql/data"),),
    health=HealthSpec(("CMD", "pg_isready")),
)
SPEC = AppSpec(AppName("libra"), (DB_SERVICE, WEB_SERVICE), ())
SUITE = SuiteSpec("web", WEB, ("/app/test.sh",), needs=(DB,), timeout_s=60, needs_timeout_s=30)
IMAGES = {
    WEB: ImageIdentity("libra:1", "sha256:web"),
    DB: ImageIdentity("postgres:17", "sha256:db"),
}


def said(*lines: str, is_stderr: bool = False) -> tuple[LogLine, ...]:
    return tuple(LogLine(line, is_stderr=is_stderr) for line in lines)


def ended(exit_code: int, *lines: str) -> Behaviour:
    return Behaviour(ContainerStatus.EXITED, exit_code, output=said(*lines))


@dataclass
class KeptLines:
    """Keeps in memory."""

    directory: str = "/logs"
    lines: list[tuple[str, str, str]] = field(default_factory=list)
    documents: dict[str, str] = field(default_factory=dict)

    def line(self, suite: str, service: str, line: LogLine) -> None:
        self.lines.append((suite, service, line.text))

    def document(self, suite: str, name: str, text: str) -> None:
        self.documents[f"{suite}/{name}"] = text


@dataclass
class Scene:
    """An engine, and what was told and kept; `behaviours` by the end of the container's name."""

    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    engine: FakeEngine = field(default_factory=lambda: FakeEngine(HostName("local")))
    kept: KeptLines = field(default_factory=KeptLines)
    events: list[Event] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)
    cancel: Flag = field(default_factory=Flag)
    once_marked: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        for image in (*IMAGES.values(), ImageIdentity("tools", "sha256:tools")):
            self.engine.add_image(image.reference, identity=image.config_digest)
        self.engine.behave = self._behave

    def _behave(self, request: ContainerRequest) -> Behaviour:
        found = (b for end, b in self.behaviours.items() if request.name.endswith(end))
        return next(found, Behaviour())

    def bench(self) -> Bench:
        return Bench(self.engine, lambda image: image.config_digest, self._hold, VALUES, self.kept)

    @contextmanager
    def _hold(self, name: ContainerName, labels: Mapping[str, str]) -> Iterator[None]:
        since = (LABEL_SINCE, "2026-01-01T00:00:00+00:00")
        request = ContainerRequest(
            name, "sha256:tools", labels=tuple(sorted([*labels.items(), since]))
        )
        self.engine.create(request, {})
        self.engine.start(name)
        self.once_marked()
        yield
        self.engine.remove(name)

    def run(self, *suites: SuiteSpec, spec: AppSpec = SPEC) -> tuple[SuiteResult, ...]:
        voice = Voice("cafe0123", "tester", self.events.append, self.clock)
        caller = Caller("cafe0123", voice, self.clock, self.cancel)
        chosen = suites or (SUITE,)
        benches = {suite.host: self.bench() for suite in chosen}
        return run_suites(spec, chosen, IMAGES, benches, caller)

    def one(self, suite: SuiteSpec = SUITE) -> SuiteResult:
        (result,) = self.run(suite)
        return result

    def left(self) -> list[str]:
        """Whatever stands on the engine."""
        return [
            *(container.name for container in self.engine.containers()),
            *(network.name for network in self.engine.networks()),
            *(volume.name for volume in self.engine.volumes()),
        ]

    def notes(self) -> dict[str, str]:
        return {e.body.code: e.body.text for e in self.events if isinstance(e.body, Note)}

    def output(self) -> list[str]:
        return [e.body.line for e in self.events if isinstance(e.body, Output)]


def with_service(**changes: object) -> AppSpec:
    """The app with another `web`."""
    return replace(SPEC, services=(DB_SERVICE, replace(WEB_SERVICE, **changes)))  # type: ignore[arg-type]
