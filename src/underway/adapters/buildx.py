"""`ports.Builder` over Docker buildx, as a program, building with one engine's own BuildKit.

The builder `default` under a `DOCKER_HOST` is that engine itself (buildx's docker driver): what
is built is in the engine at once, and nothing stays behind. Values never stand in arguments:
build arguments and secrets travel in the program's environment, or in a file only its owner reads.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from underway.adapters.build_log import BuildLog
from underway.adapters.docker_plugins import find_plugin
from underway.adapters.engine.border import is_registry_silence
from underway.adapters.program import run_program
from underway.errors import ConfigurationError, RefusedError, UnreachableError
from underway.image.definition import BuildDefinition, read_definition
from underway.model.names import SensitiveName
from underway.model.sensitive import Sensitive, SensitiveValues
from underway.model.spec import BuildSpec

BUILD_TIMEOUT_S: Final = 3600.0
_ASK_TIMEOUT_S: Final = 20.0
_WAYS: Final = (("docker", "buildx"), ("docker-buildx",), ("buildx",))
_VERSION: Final = re.compile(r"\bv?(\d+)\.(\d+)\.(\d+)")
_RAWJSON_SINCE: Final = (0, 13)
_OF_THE_CLIENT: Final = ("DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "BUILDX_BUILDER")
_KEPT_NAMES: Final = re.compile(
    r"PATH|HOME|USER|TMPDIR|LANG|LC_.*|LD_.*|SSH_.*|DOCKER_.*|BUILDX_.*|BUILDKIT_.*|XDG_.*|GODEBUG"
)
_ENVIRONMENT_LIMIT: Final = 100_000


@dataclass(frozen=True, slots=True)
class Buildx:
    """How buildx is started on this machine, and its version."""

    argv: tuple[str, ...]
    version: tuple[int, int]

    @property
    def progress(self) -> str:
        """The progress format it knows: one JSON object a line, else plain text."""
        return "rawjson" if self.version >= _RAWJSON_SINCE else "plain"


def find_buildx(environment: Mapping[str, str]) -> Buildx | None:
    """Buildx as a plugin of the Docker program, or as a program of its own; None without one."""
    plugin = find_plugin("docker-buildx", environment)
    for argv in ((str(plugin),), *_WAYS) if plugin else _WAYS:
        try:
            asked = run_program([*argv, "version"], env=environment, timeout_s=_ASK_TIMEOUT_S)
        except UnreachableError:
            continue
        found = _VERSION.search(asked.stdout.decode("utf-8", "replace"))
        if asked.exit_code == 0 and found:
            return Buildx(argv, (int(found[1]), int(found[2])))
    return None


class BuildxBuilder:
    """Builds on one engine. `socket_path` gives the engine's local socket, anew for each build."""

    def __init__(
        self,
        buildx: Buildx,
        socket_path: Callable[[], Path],
        *,
        environment: Mapping[str, str],
        values: SensitiveValues,
    ) -> None:
        """Nothing is started. `environment` is this process's; `values` of this release."""
        self._buildx = buildx
        self._socket_path = socket_path
        self._environment = environment
        self._values = values

    def build(self, build: BuildSpec, tags: Sequence[str], progress: Callable[[str], None]) -> str:
        """Build, tag, and return the image id; RefusedError (`build-failed`) if it does not."""
        definition = read_definition(build)
        log = BuildLog(progress, masked_values(definition, self._values))
        with tempfile.TemporaryDirectory(prefix="underway-build-") as directory:
            metadata = Path(directory) / "metadata.json"
            hidden = _Hidden(self._values, Path(directory))
            argv = [
                *self._buildx.argv,
                "build",
                "--builder=default",
                f"--progress={self._buildx.progress}",
                f"--metadata-file={metadata}",
                "--load",
                *(f"--tag={tag}" for tag in tags),
                *_options(definition),
                *hidden.options(definition),
                checked_context(definition),
            ]
            result = run_program(
                argv,
                stdin=definition.inline.encode() if definition.inline else None,
                env={**self._client_environment(), **hidden.environment},
                timeout_s=BUILD_TIMEOUT_S,
                on_line=log.feed,
            )
            if result.exit_code != 0:
                raise build_failed(definition, log.tail(), log.reason)
            return _image_id(metadata)

    def _client_environment(self) -> dict[str, str]:
        mine = {
            name: value for name, value in self._environment.items() if name not in _OF_THE_CLIENT
        }
        return {
            **mine,
            "DOCKER_HOST": f"unix://{self._socket_path()}",
            "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        }


def build_failed(
    definition: BuildDefinition, tail: Sequence[str], reason: str
) -> RefusedError | UnreachableError:
    """The error for a build that failed, or for a registry that kept it from beginning."""
    name = "the Dockerfile in the file" if definition.inline else definition.dockerfile_path
    said = (*tail, *reason.splitlines())
    silent = next((line for line in reversed(said) if _is_silence(line)), "")
    if silent:
        return UnreachableError(
            "registry-unreachable",
            f"the image could not be built from {name}: a registry does not answer",
            cause=silent,
            hint="Check from the building host that the registry's name and port can be reached.",
            detail=tuple(tail),
        )
    return RefusedError(
        "build-failed",
        f"the image could not be built from {name}",
        cause=reason,
        hint="Mend what the last lines show; no host was changed.",
        detail=tuple(tail),
    )


def _is_silence(line: str) -> bool:
    """Whether the builder says that it cannot reach a registry; a `RUN` has no such words."""
    told = line.lower()
    is_request = "failed to do request" in told or "failed to resolve source metadata" in told
    return is_request and is_registry_silence(told)


def sensitive_value(values: SensitiveValues, name: SensitiveName) -> Sensitive:
    """A value the build needs; ConfigurationError (`build-value`) where it is missing."""
    if name not in values:
        raise ConfigurationError(
            "build-value",
            f"the build needs `{name}`, which has no value here",
            hint="Give it in the environment or the secret's file, then run again.",
        )
    return values[name]


def masked_values(definition: BuildDefinition, values: SensitiveValues) -> tuple[str, ...]:
    """The sensitive texts of a build, which its output must not show."""
    names = [argument.sensitive for argument in definition.arguments]
    names += [secret.content for secret in definition.secrets]
    found = [
        values[name].reveal().decode("utf-8", "replace")
        for name in names
        if name and name in values
    ]
    return tuple(line for text in found for line in (text, *text.splitlines()))


class _Hidden:
    """Arguments and secrets of a build: names in the arguments, values beside them."""

    def __init__(self, values: SensitiveValues, directory: Path) -> None:
        self.environment: dict[str, str] = {}
        self._values = values
        self._directory = directory

    def options(self, definition: BuildDefinition) -> Iterator[str]:
        """`--build-arg` and `--secret` options; fills `environment` on the way."""
        for argument in definition.arguments:
            if _KEPT_NAMES.fullmatch(argument.name):
                if argument.sensitive:
                    raise ConfigurationError(
                        "build-key",
                        f"`build.args.{argument.name}` is sensitive, and its name is taken by the"
                        " programs that build",
                        hint="Give the argument another name, or use a build secret.",
                    )
                yield f"--build-arg={argument.name}={argument.value}"
                continue
            value = argument.value
            if argument.sensitive:
                value = sensitive_value(self._values, argument.sensitive).reveal().decode()
            self.environment[argument.name] = value
            yield f"--build-arg={argument.name}"
        for number, secret in enumerate(definition.secrets):
            content = sensitive_value(self._values, secret.content).reveal()
            yield f"--secret=id={secret.id},{self._source(number, content)}"

    def _source(self, number: int, content: bytes) -> str:
        """Where buildx reads a secret: the environment, or a file for what cannot stand there."""
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" not in text and len(content) < _ENVIRONMENT_LIMIT:
            name = f"UNDERWAY_BUILD_SECRET_{number}"
            self.environment[name] = text
            return f"env={name}"
        path = self._directory / f"secret-{number}"
        path.touch(mode=0o600)
        path.write_bytes(content)
        return f"src={path}"


def _options(definition: BuildDefinition) -> Iterator[str]:
    """All options whose values may be seen."""
    yield f"--file={'-' if definition.inline else definition.dockerfile_path}"
    singles = {
        "target": definition.target,
        "network": definition.network,
        "platform": definition.platform,
        "provenance": definition.provenance,
        "sbom": definition.sbom,
        "shm-size": str(definition.shm_size_bytes or ""),
    }
    yield from (f"--{name}={value}" for name, value in singles.items() if value)
    lists = {
        "label": tuple(f"{name}={value}" for name, value in definition.labels),
        "build-context": tuple(f"{name}={source}" for name, source in definition.contexts),
        "ssh": definition.ssh,
        "cache-from": definition.cache_from,
        "cache-to": definition.cache_to,
        "add-host": definition.extra_hosts,
        "allow": definition.entitlements,
        "ulimit": tuple(f"{name}={soft}:{hard}" for name, soft, hard in definition.ulimits),
        "tag": definition.tags,
    }
    for name, values in lists.items():
        yield from (f"--{name}={value}" for value in values)
    if definition.no_cache:
        yield "--no-cache"
    if definition.pull:
        yield "--pull"


def checked_context(definition: BuildDefinition) -> str:
    """The context; ConfigurationError (`build-context`) if it is no directory of this machine."""
    if not definition.is_remote and not Path(definition.context).is_dir():
        raise ConfigurationError(
            "build-context",
            f"the build context {definition.context} is no directory",
            cause="nothing is there" if not Path(definition.context).exists() else "it is a file",
            hint="Correct `build.context`, or check the source out.",
        )
    return definition.context


def _image_id(metadata: Path) -> str:
    """The id in buildx's metadata: the digest under which the engine knows what it loaded."""
    told: dict[str, Any] = json.loads(metadata.read_text())
    for key in ("containerimage.digest", "containerimage.config.digest"):
        if told.get(key):
            return str(told[key])
    raise UnreachableError(
        "build-untold",
        "buildx built an image and did not tell which",
        hint="Update buildx to 0.10 or newer.",
    )
