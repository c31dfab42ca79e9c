"""A project written to a directory and loaded by the real Compose."""

import os
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from underway.adapters.compose_commands import CommandOutputs
from underway.adapters.compose_files import LocalFiles, find_sources
from underway.adapters.compose_program import ComposeBinary, ComposeProgram, find_compose
from underway.compose.loading import load
from underway.compose.sources import Understood
from underway.model.names import ServiceName
from underway.model.spec import ServiceSpec

PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
# Another Compose than the first one found: `UNDERWAY_TEST_COMPOSE=/path/to/docker-compose`.
CHOSEN = os.environ.get("UNDERWAY_TEST_COMPOSE")
BINARY = ComposeBinary((CHOSEN,), "chosen") if CHOSEN else find_compose(PATH)


def write(directory: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))


def understood(
    directory: Path,
    text: str = "",
    *,
    files: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    environment: str = "",
    profiles: Sequence[str] = (),
) -> Understood:
    write(directory, {**({"compose.yaml": text} if text else {}), **(files or {})})
    variables = {**PATH, **(environ or {})}
    sources = find_sources(directory, environment_name=environment, environ=variables)
    composer = ComposeProgram(
        sources.directory, variables, profiles=tuple(profiles), _binary=BINARY
    )
    return load(sources, composer, LocalFiles(), CommandOutputs(variables))


def service(project: Understood, name: str = "web") -> ServiceSpec:
    return project.spec.service(ServiceName(name))


def remarks(project: Understood, code: str) -> list[str]:
    return [entry.message for entry in project.spec.remarks if entry.code == code]
