"""Where images are made and kept, and how they come to hosts: one workshop per run."""

import threading
import time
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

from underway import __version__
from underway.api.session import Shipped
from underway.errors import UnderwayError, UnreachableError
from underway.kernel.telling import Voice
from underway.model.event import Output
from underway.model.image import ImageIdentity
from underway.model.names import LOCAL_HOST, HostName, ServiceName
from underway.model.release import Release
from underway.model.sensitive import SensitiveValues
from underway.model.spec import AppSpec, HostSpec
from underway.ports import Engine, Progress
from underway.wiring.options import SessionOptions

if TYPE_CHECKING:
    from underway.adapters.connector import DockerConnector
    from underway.adapters.engine import DockerEngine
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
        except UnderwayError as error:
            if self._engines:
                return self._engines[min(self._engines)]
            raise UnreachableError(
                "no-engine",
                "no engine answers: neither one on this machine nor any host of the app",
                cause=error.message,
                hint=error.hint,
            ) from None

    def _say(self, line: str) -> None:
        if self._voice is not None:
            self._voice.say(Output("build", line))


def tools_directory() -> Path:
    """Where the tools image is built from: in the package, or beside it in a checkout."""
    packaged = Path(str(resources.files("underway") / "tools_image"))
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[3] / "tools-image"
