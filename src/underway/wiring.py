"""The only place that constructs adapters: from options to a session with open connections."""

import getpass
import os
import platform
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from underway import __version__
from underway.api.session import Session, Shipped, Workshop
from underway.errors import UnderwayError, UnreachableError
from underway.kernel.telling import Voice
from underway.kernel.world import World
from underway.model.event import Level, Output
from underway.model.image import ImageIdentity
from underway.model.names import LOCAL_HOST, HostName, ServiceName
from underway.model.release import Release
from underway.model.sensitive import SensitiveValues
from underway.model.spec import AppSpec, HostSpec
from underway.ports import Engine, EventSink, Progress

if TYPE_CHECKING:
    from underway.adapters.connector import DockerConnector
    from underway.adapters.engine import DockerEngine
    from underway.compose.sources import Understood
    from underway.image.shipment import Yard

TOOLS_REFERENCE: Final = f"underway-tools:{__version__}"
TOOLS_VARIABLE: Final = "UNDERWAY_TOOLS_IMAGE"
TOOLS_BASE_VARIABLE: Final = "UNDERWAY_TOOLS_BASE"
BUILD_NUMBER_VARIABLES: Final = (
    "UNDERWAY_BUILD_NUMBER",
    "GITHUB_RUN_NUMBER",
    "CI_PIPELINE_IID",
    "BUILD_NUMBER",
)


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Which project, as Compose users say it; `environ` is the process's environment."""

    files: tuple[Path, ...] = ()
    environment: str = ""
    env_files: tuple[Path, ...] = ()
    profiles: tuple[str, ...] = ()
    project_directory: Path | None = None
    project_name: str = ""
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


class SystemClock:
    """`ports.Clock` of this machine; `monotonic` counts suspended time where Linux tells it."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only grow."""
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def understand(options: SessionOptions) -> "Understood":
    """Load and understand the project; raises ConfigurationError. No host is asked."""
    from underway.adapters.compose_commands import CommandOutputs
    from underway.adapters.compose_files import LocalFiles, find_sources
    from underway.adapters.compose_program import ComposeProgram
    from underway.compose.loading import load

    start = options.project_directory or Path.cwd()
    sources = find_sources(
        Path.cwd() if options.files else start,
        files=options.files,
        environment_name=options.environment,
        environ=options.environ,
    )
    program = ComposeProgram(
        directory=options.project_directory or sources.directory,
        environment=options.environ,
        env_files=options.env_files,
        profiles=options.profiles,
        project_name=options.project_name,
    )
    return load(sources, program, LocalFiles(), CommandOutputs(options.environ))


@contextmanager
def open_session(options: SessionOptions, sink: EventSink) -> Iterator[Session]:
    """Understand the file, connect to every host at once, and close all in the end.

    A host that does not answer is no error here: it is observed as unreachable.
    """
    from underway.adapters.connector import DockerConnector

    warming = threading.Thread(target=_warm_up, daemon=True)
    warming.start()
    understood = understand(options)
    warming.join()
    voice = Voice(secrets.token_hex(6), actor(), sink, SystemClock())
    for remark in understood.spec.remarks:
        where = f"{remark.place}: " if remark.place else ""
        voice.note(Level.INFO, remark.code, where + remark.message)
    with DockerConnector() as connector:
        yield _session(options, understood, connector, voice)


def _warm_up() -> None:
    """Load what speaks to engines while Compose reads the file: neither waits for the other."""
    import underway.adapters.engine_builder
    import underway.adapters.haproxy
    import underway.adapters.ledger
    import underway.adapters.lock
    import underway.adapters.vault
    import underway.image.shipment  # noqa: F401


def actor() -> str:
    """Who runs this: `user@machine`."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "somebody"
    return f"{name}@{platform.node()}"


def _session(
    options: SessionOptions, understood: "Understood", connector: "DockerConnector", voice: Voice
) -> Session:
    from underway.adapters.engine import DockerEngine
    from underway.adapters.lock import AttachedLocks

    spec = understood.spec
    opened = connector.connect_all(spec.hosts)
    engines = {n: e for n, e in opened.items() if isinstance(e, DockerEngine)}
    lost = {n: str(e.message) for n, e in opened.items() if isinstance(e, UnderwayError)}
    workshop = _Workshop(options, spec, understood.values, engines, connector)
    return Session(
        spec=spec,
        values=understood.runtime_values,
        world=_world(spec, engines, lost, workshop),
        locks=AttachedLocks(list(engines.values()), lambda _: workshop.tools_reference()),
        workshop=Workshop(
            ship=workshop.ship, tools=workshop.tools, pull=workshop.pull, send=workshop.send
        ),
        clock=SystemClock(),
        voice=voice,
        way_to=lambda name: engines[name].connection.way,
    )


def _world(
    spec: AppSpec,
    engines: "Mapping[HostName, DockerEngine]",
    lost: dict[HostName, str],
    workshop: "_Workshop",
) -> World:
    """The ports of every host that was reached."""
    from underway.adapters.engine import CommandServer
    from underway.adapters.haproxy import HaproxyProxy
    from underway.adapters.ledger import AnchorLedger
    from underway.adapters.vault import AnchorVault
    from underway.rollout.edge import EDGE_CONTAINER
    from underway.rollout.naming import anchor_name

    anchor = anchor_name(spec.name)
    anchors = {name: CommandServer(engine, anchor) for name, engine in engines.items()}
    return World(
        app=spec.name,
        engines=engines,
        proxies={
            name: HaproxyProxy(CommandServer(engine, EDGE_CONTAINER))
            for name, engine in engines.items()
        },
        ledgers={name: AnchorLedger(runner, spec.name) for name, runner in anchors.items()},
        vaults={name: AnchorVault(runner, spec.name) for name, runner in anchors.items()},
        lost=lost,
        revive=workshop.revive,
    )


class _Workshop:
    """Where images are made and kept: the local engine if it answers, else the first host."""

    def __init__(
        self,
        options: SessionOptions,
        spec: AppSpec,
        values: SensitiveValues,
        engines: "Mapping[HostName, DockerEngine]",
        connector: "DockerConnector",
    ) -> None:
        self._options = options
        self._spec = spec
        self._values = values
        self._engines = engines
        self._connector = connector
        self._guard = threading.Lock()
        self._engine: DockerEngine | None = None
        self._made: Yard | None = None
        self._tools: ImageIdentity | None = None
        self._voice: Voice | None = None

    def ship(
        self,
        spec: AppSpec,
        previous: Release | None,
        refresh: frozenset[ServiceName],
        voice: Voice,
    ) -> Shipped:
        """See `api.session.Ship`."""
        from underway.adapters.source import source_facts
        from underway.image.shipment import ShipWish, ship
        from underway.image.tags import TagContext

        self._voice = voice
        environ = self._options.environ
        context = next((s.build.context for s in spec.services if s.build), "")
        directory = Path(context) if context and Path(context).is_dir() else Path.cwd()
        number = next((environ[n] for n in BUILD_NUMBER_VARIABLES if environ.get(n)), "")
        wish = ShipWish(
            spec=spec,
            source=source_facts(directory, environment=environ, now=time.time()),
            context=TagContext(self._options.environment, number),
            previous=previous,
            refresh=refresh,
        )
        made = ship(wish, self._yard())
        return Shipped(made.spec, made.images, made.tag, made.commit)

    def tools(self) -> ImageIdentity:
        """The tools image, present on the workshop's engine; made once a run."""
        from underway.image.tools import ensure_tools_image

        with self._guard:
            if self._tools is None:
                environ = self._options.environ
                self._tools = ensure_tools_image(
                    self._yard(),
                    reference=self._spec.tools or environ.get(TOOLS_VARIABLE) or TOOLS_REFERENCE,
                    directory=tools_directory(),
                    base=environ.get(TOOLS_BASE_VARIABLE, ""),
                )
            return self._tools

    def tools_reference(self) -> str:
        """What an engine finds the tools image by."""
        tools = self.tools()
        return tools.pull_reference or tools.config_digest

    def revive(self, host: HostName) -> bool:
        """See `World.revive`."""
        from underway.adapters.revival import revive_anchor

        engine = self._engines[host]

        def bring_tools() -> ImageIdentity:
            tools = self.tools()
            fetch = self.pull if tools.pull_reference else self.send
            fetch(engine, tools, lambda _done, _total, _text: None)
            return tools

        return revive_anchor(engine, self._spec.name, bring_tools)

    def pull(self, engine: Engine, image: ImageIdentity, progress: Progress) -> None:
        """Bring an image from its registry."""
        from underway.image.apply import pull_image

        pull_image(engine, image, progress)

    def send(self, engine: Engine, image: ImageIdentity, progress: Progress) -> None:
        """Bring an image over the engine connections, from whichever engine holds it."""
        from underway.image.apply import send_from_any

        send_from_any((self._workbench(), *self._engines.values()), engine, image, progress)

    def _yard(self) -> "Yard":
        from underway.adapters.engine_builder import choose_builder
        from underway.image.shipment import Yard

        if self._made is None:
            engine = self._workbench()
            builder = choose_builder(
                engine.connection, environment=self._options.environ, values=self._values
            )
            self._made = Yard(builder, engine, self._engines, self._say)
        return self._made

    def _workbench(self) -> "DockerEngine":
        if self._engine is None:
            self._engine = self._find_workbench()
        return self._engine

    def _find_workbench(self) -> "DockerEngine":
        if LOCAL_HOST in self._engines:
            return self._engines[LOCAL_HOST]
        try:
            return self._connector.connect(HostSpec(LOCAL_HOST, ""))
        except UnderwayError:
            if self._engines:
                return self._engines[min(self._engines)]
            raise UnreachableError(
                "no-engine",
                "no engine answers: neither one on this machine nor any host of the app",
                hint="start Docker here, or bring a host back",
            ) from None

    def _say(self, line: str) -> None:
        if self._voice is not None:
            self._voice.say(Output("build", line))


def tools_directory() -> Path:
    """Where the tools image is built from: in the package, or beside it in a checkout."""
    packaged = Path(str(resources.files("underway") / "tools_image"))
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[2] / "tools-image"
