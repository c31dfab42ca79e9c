"""Where images are made and kept, and how they come to hosts: one workshop per run."""

import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from underway import __version__
from underway.api.session import Order, Parcel, Shipped
from underway.errors import UnderwayError, UnreachableError
from underway.kernel.telling import Voice
from underway.model.event import BUILD, Output
from underway.model.image import ImageIdentity
from underway.model.names import (
    LABEL_HOLDER,
    LOCAL_HOST,
    ContainerName,
    HostName,
)
from underway.model.sensitive import SensitiveValues
from underway.model.spec import AppSpec, HostSpec
from underway.ports import Engine, Progress
from underway.wiring.options import SessionOptions

if TYPE_CHECKING:
    from underway.adapters.connector import DockerConnector
    from underway.adapters.engine import DockerEngine
    from underway.image.shipment import Prove
    from underway.image.testing.bench import Bench
    from underway.image.testing.means import LogKeeper
    from underway.image.yard import Yard
    from underway.ports.registry import Registry

TOOLS_REFERENCE: Final = f"underway-tools:{__version__}"
TOOLS_VARIABLE: Final = "UNDERWAY_TOOLS_IMAGE"
TOOLS_BASE_VARIABLE: Final = "UNDERWAY_TOOLS_BASE"
BUILD_NUMBER_VARIABLES: Final = (
    "UNDERWAY_BUILD_NUMBER",
    "GITHUB_RUN_NUMBER",
    "CI_PIPELINE_IID",
    "BUILD_NUMBER",
    "CIRCLE_BUILD_NUM",
    "BUILDKITE_BUILD_NUMBER",
    "DRONE_BUILD_NUMBER",
    "BITBUCKET_BUILD_NUMBER",
    "BUILD_BUILDID",
)
"""The caller's own; GitHub, GitLab, Jenkins, CircleCI, Buildkite, Drone, Bitbucket, Azure."""


class HostWorkshop:
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
        self._logs: LogKeeper | None = None
        self._registry: Registry | None = None

    def ship(self, spec: AppSpec, order: Order, voice: Voice, prove: "Prove") -> Shipped:
        """See `api.session.Ship`."""
        from underway.adapters.source import source_facts
        from underway.image.shipment import ShipWish, ship
        from underway.image.tags import TagContext
        from underway.image.versions import Bump

        self._voice = voice
        environ = self._options.environ
        context = next((s.build.context for s in spec.services if s.build), "")
        directory = Path(context) if context and Path(context).is_dir() else Path.cwd()
        asked = order.version.bump or (Bump(spec.bump) if spec.bump else None)
        wish = ShipWish(
            spec=spec,
            source=source_facts(directory, environment=environ, now=time.time()),
            context=TagContext(
                self._options.environment,
                build=next((environ[n] for n in BUILD_NUMBER_VARIABLES if environ.get(n)), ""),
                version=order.version.given,
                bump=asked,
                shipped=order.shipped,
            ),
            previous=order.previous,
            refresh=order.refresh,
            requires_clean=order.requires_clean,
            only=order.only,
            values=self._values,
        )
        made = ship(wish, self._yard(), prove)
        return Shipped(made.spec, made.images, made.tag, made.commit, made.tags, made.version)

    def carry(self, spec: AppSpec, parcel: Parcel, voice: Voice) -> Shipped:
        """See `api.session.Workshop.carry`."""
        from underway.image.promotion import Promotion, promote

        self._voice = voice
        given = (parcel.origin, parcel.previous, parcel.sources)
        wish = Promotion(spec, *given, is_moved=parcel.is_moved)
        made = promote(wish, self._yard(), self.registry())
        return Shipped(made.spec, made.images, made.tag, made.commit, made.tags, made.version)

    def registry(self) -> "Registry":
        """The registries of images, asked by this machine with Docker's credentials."""
        from underway.adapters.registry import HttpRegistry, is_insecure

        if self._registry is None:

            def said() -> Mapping[str, Any]:
                connection = self._workbench().connection
                return dict(connection.read("/info", "ask the engine's state"))

            self._registry = HttpRegistry(lambda name: is_insecure(said, name))
        return self._registry

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
        return revive_anchor(engine, self._spec.name, lambda: self.bring_tools(engine))

    def bring_tools(self, engine: Engine) -> ImageIdentity:
        """The tools image, present on `engine`."""
        tools = self.tools()
        fetch = self.pull if tools.pull_reference else self.send
        fetch(engine, tools, lambda _done, _total, _text: None)
        return tools

    def pull(self, engine: Engine, image: ImageIdentity, progress: Progress) -> None:
        """Bring an image from its registry."""
        from underway.image.apply import pull_image

        pull_image(engine, image, progress)

    def send(self, engine: Engine, image: ImageIdentity, progress: Progress) -> None:
        """Bring an image over the engine connections, from whichever engine holds it."""
        from underway.image.apply import send_from_any

        send_from_any((self._workbench(), *self._engines.values()), engine, image, progress)

    def bench(self, host: HostName | None, voice: Voice) -> "Bench":
        """See `api.session.Workshop.bench`."""
        from underway.adapters.kept_logs import DirectoryLogs
        from underway.adapters.mark import held_mark
        from underway.image.testing.bench import Bench

        self._voice = voice
        if host is not None and host not in self._engines:
            raise UnreachableError("host-unreachable", f"{host} does not answer: no test runs")
        engine = self._testbed() if host is None else self._engines[host]
        if self._logs is None:
            self._logs = DirectoryLogs.fresh(self._spec.name, voice.run, self._options.environ)

        def hold(name: ContainerName, labels: Mapping[str, str]) -> AbstractContextManager[object]:
            tools = self.bring_tools(engine)
            image = tools.pull_reference or tools.config_digest
            return held_mark(engine, name, image, {**labels, LABEL_HOLDER: voice.actor})

        def bring(image: ImageIdentity) -> str:
            return self._brought(engine, image)

        return Bench(engine, bring, hold, self._values, self._logs)

    def _testbed(self) -> "DockerEngine":
        """The workshop's engine; a host where images are built for another platform."""
        workbench = self._workbench()
        others = [self._engines[name] for name in sorted(self._engines)]
        if workbench in others or not others:
            return workbench
        kind = workbench.facts().architecture
        if any(engine.facts().architecture == kind for engine in others):
            return workbench
        return others[0]

    def _brought(self, engine: "DockerEngine", image: ImageIdentity) -> str:
        """What `engine` finds the image by, after it was brought there."""
        from underway.image.apply import find_image, image_gone

        if find_image(engine, image) is None:
            self._say(f"bringing {image.reference} to {engine.host}")
            fetch = self.pull if image.pull_reference else self.send
            fetch(engine, image, lambda _done, _total, _text: None)
        found = find_image(engine, image)
        if found is None:
            raise image_gone(image, f"{engine.host} does not hold it right after it came")
        return found.id

    def _yard(self) -> "Yard":
        from underway.adapters.engine_builder import choose_builder
        from underway.image.yard import Yard

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
        silent = []
        for host in (HostSpec(LOCAL_HOST, ""), *self._spec.hosts):
            try:
                return self._connector.connect(host)
            except UnderwayError as error:
                silent.append(error)
                if self._engines:
                    return self._engines[min(self._engines)]
        raise UnreachableError(
            "no-engine",
            "no engine answers: neither one on this machine nor any host of the app",
            cause="\n".join(dict.fromkeys(error.message for error in silent)),
            hint="\n".join(dict.fromkeys(error.hint for error in silent if error.hint)),
        )

    def _say(self, line: str) -> None:
        if self._voice is not None:
            self._voice.say(Output(BUILD, line))


def tools_directory() -> Path:
    """Where the tools image is built from: in the package, or beside it in a checkout."""
    packaged = Path(str(resources.files("underway") / "tools_image"))
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[3] / "tools-image"
