"""Docker Compose itself as the loader of files: found, checked for its version, run with limits.

Compose parses what anybody may write, so it gets a deadline and an address space: a file of nested
aliases would otherwise take the machine with it.
"""

import json
import re
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Final

from underway.adapters.compose_refusal import checked, too_large
from underway.adapters.docker_plugins import find_plugin
from underway.adapters.program import ProgramResult, run_program
from underway.compose.canonical import mapping_of, read_canonical
from underway.errors import UnreachableError

MINIMUM: Final = (2, 24)
_TIMEOUT_S: Final = 30.0
_VERSION_TIMEOUT_S: Final = 10.0
_ADDRESS_SPACE_KIB: Final = 2 * 1024 * 1024
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_LIMITED: Final = ("sh", "-c", 'ulimit -v "$1" 2>/dev/null; shift; exec "$@"', "sh")


@dataclass(frozen=True, slots=True)
class ComposeBinary:
    """A Compose that is new enough: how it is called, and its version."""

    argv: tuple[str, ...]
    version: str


@dataclass(slots=True)
class ComposeProgram:
    """Compose for one project. Implements the Composer port.

    Attributes:
        directory: the project directory: relative paths and `.env` begin here.
        environment: the variables Compose sees, before `.env` and `env_files`.
        env_files: `--env-file`s, which replace `.env`.
        timeout_s: the deadline of one call.
    """

    directory: Path
    environment: Mapping[str, str] = field(repr=False)
    env_files: tuple[Path, ...] = ()
    profiles: tuple[str, ...] = ()
    project_name: str = ""
    timeout_s: float = _TIMEOUT_S
    _binary: ComposeBinary | None = field(default=None, repr=False)

    def canonical(
        self,
        files: Sequence[Path],
        *,
        interpolate: bool,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """Compose's canonical YAML; uninterpolated, paths stay as written.

        Raises ConfigurationError (`compose-invalid`, `compose-too-large`), UnreachableError
        (`compose-missing`).
        """
        options = [] if interpolate else ["--no-interpolate", "--no-path-resolution"]
        named = [f"--file={file}" for file in files]
        arguments = [*named, "config", "--format=yaml", *options]
        result = self._run(arguments, environment or {}, name=self.project_name)
        return result.stdout.decode("utf-8", "replace")

    def variables(
        self, names: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> Mapping[str, str]:
        """Those of `names` that are set, as Compose's own interpolation sees them.

        A project of nothing but these variables is loaded: its output keeps line ends and quotes,
        which `config --environment` does not.
        """
        if not names:
            return {}
        probe = {name: [f"${{{name}+set}}", f"${{{name}-}}"] for name in names}
        text = self._of_probe({"name": "probe", "x-probe": probe}, environment or {}, name="")
        answers = mapping_of(read_canonical(text, is_interpolated=True).get("x-probe"))
        return {name: str(answers[name][1] or "") for name in names if answers[name][0] == "set"}

    def interpolated(
        self, tree: Mapping[str, object], *, environment: Mapping[str, str] | None = None
    ) -> str:
        """Compose's canonical YAML of a project whose top has nothing but `tree`.

        Its name is the one that Compose gives such a project here. Raises ConfigurationError
        (`variable-missing` among others).
        """
        return self._of_probe(tree, environment or {}, name=self.project_name)

    def _of_probe(
        self, tree: Mapping[str, object], environment: Mapping[str, str], *, name: str
    ) -> str:
        """A project needs a service: it gets one that nobody runs."""
        project = {**tree, "services": {"probe": {"image": "probe"}}}
        result = self._run(
            ["--file=-", "config", "--format=yaml"],
            environment,
            name=name,
            stdin=json.dumps(project).encode(),
        )
        return result.stdout.decode("utf-8", "replace")

    def binary(self) -> ComposeBinary:
        """The Compose that is used; raises UnreachableError `compose-missing`."""
        if self._binary is None:
            self._binary = find_compose(self.environment)
        return self._binary

    def _run(
        self,
        arguments: Sequence[str],
        overlay: Mapping[str, str],
        *,
        name: str,
        stdin: bytes | None = None,
    ) -> ProgramResult:
        argv = [
            *_LIMITED,
            str(_ADDRESS_SPACE_KIB),
            *self.binary().argv,
            f"--project-directory={self.directory}",
            *([f"--project-name={name}"] if name else []),
            *(f"--env-file={file}" for file in self.env_files),
            *(f"--profile={profile}" for profile in self.profiles),
            *arguments,
        ]
        environment = {**self.environment, **overlay}
        try:
            result = run_program(
                argv, stdin=stdin, env=environment, cwd=self.directory, timeout_s=self.timeout_s
            )
        except UnreachableError as error:
            if error.code != "program-timeout":
                raise
            raise too_large(f"Compose did not finish within {self.timeout_s:g} s") from error
        return checked(result)


def find_compose(environment: Mapping[str, str]) -> ComposeBinary:
    """The plugin, else `docker-compose` on PATH, else the one beside this Python.

    Raises UnreachableError `compose-missing`, which names the too old ones that were found.
    """
    too_old = []
    for argv in _candidates(environment):
        version = _version_of(argv, environment)
        if version is None:
            continue
        if version[:2] >= MINIMUM:
            return ComposeBinary(argv, ".".join(map(str, version)))
        too_old.append(f"`{' '.join(argv)}` is {'.'.join(map(str, version))}")
    raise UnreachableError(
        "compose-missing",
        f"Docker Compose {MINIMUM[0]}.{MINIMUM[1]} or newer is not on this machine",
        cause="; ".join(too_old),
        hint="Install the Compose plugin of Docker, or `pip install 'underway[compose]'`.",
    )


def _candidates(environment: Mapping[str, str]) -> list[tuple[str, ...]]:
    path = environment.get("PATH")
    candidates: list[tuple[str, ...]] = []
    docker = which("docker", path=path)
    if docker:
        plugin = find_plugin("docker-compose", environment)
        candidates.append((str(plugin),) if plugin else (docker, "compose"))
    standalone = which("docker-compose", path=path)
    if standalone:
        candidates.append((standalone,))
    for directory in (sysconfig.get_path("scripts"), str(Path(sys.executable).parent)):
        packaged = which("docker-compose", path=directory)
        if packaged and (packaged,) not in candidates:
            candidates.append((packaged,))
    return candidates


def _version_of(
    argv: tuple[str, ...], environment: Mapping[str, str]
) -> tuple[int, int, int] | None:
    try:
        result = run_program(
            [*argv, "version", "--short"], env=environment, timeout_s=_VERSION_TIMEOUT_S
        )
    except UnreachableError:
        return None
    match = _VERSION.search(result.stdout.decode("utf-8", "replace"))
    if result.exit_code != 0 or match is None:
        return None
    return int(match[1]), int(match[2]), int(match[3])
