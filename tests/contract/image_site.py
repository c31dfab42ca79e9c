"""A host of the laboratory as the ship's tests need it: an engine, builders, a context."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from lab.laboratory import Laboratory
from underway.adapters.buildx import BuildxBuilder, find_buildx
from underway.adapters.engine import Connection, DockerEngine, UnixRoute
from underway.adapters.engine_builder import EngineBuilder
from underway.model.names import HostName, SensitiveName
from underway.model.sensitive import Sensitive, SensitiveValues
from underway.model.spec import BuildSpec

TOKEN = f"tok-{3141592653}"
SECRET = f"sec-{2718281828}"
VALUES: SensitiveValues = {
    SensitiveName("build/web/TOKEN"): Sensitive(TOKEN.encode()),
    SensitiveName("secret/pass"): Sensitive(SECRET.encode()),
}


@dataclass(frozen=True, slots=True)
class Site:
    """One engine of a laboratory and what builds on it."""

    laboratory: Laboratory
    host: str = "h1"

    @property
    def environment(self) -> dict[str, str]:
        tools = self.laboratory.describe()["tools"]
        return {
            **os.environ,
            "PATH": f"{tools['path']}:{os.environ['PATH']}",
            "DOCKER_CONFIG": tools["docker_config"],
        }

    @property
    def connection(self) -> Connection:
        name = HostName(self.host)
        return Connection(name, UnixRoute(name, Path(self.laboratory.host(self.host).socket)))

    @property
    def engine(self) -> DockerEngine:
        return DockerEngine(self.connection)

    @property
    def base(self) -> str:
        """A base image, present on the engine: 20.10's BuildKit knows no plain-HTTP registry."""
        reference = self.laboratory.images["debian"]
        if self.engine.image(reference) is None:
            self.engine.pull(reference)
        return reference

    def buildx(self) -> BuildxBuilder:
        found = find_buildx(self.environment)
        assert found is not None
        path = self.connection.socket_path
        return BuildxBuilder(found, path, environment=self.environment, values=VALUES)

    def classic(self) -> EngineBuilder:
        return EngineBuilder(self.connection, values=VALUES)


def write_context(directory: Path, dockerfile: str, **files: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "Dockerfile").write_text(dockerfile)
    for name, text in files.items():
        (directory / name).write_text(text)
    return directory


def build_of(context: Path, **definition: object) -> BuildSpec:
    whole = {"context": str(context), "dockerfile": "Dockerfile", **definition}
    return BuildSpec(str(context), "Dockerfile", json.dumps(whole))
