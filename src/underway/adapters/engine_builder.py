"""`ports.Builder` over the engine's own classic builder: where this machine has no buildx.

It knows no build secrets, no SSH, no cache mounts and no further contexts; a build that needs one
is refused by name. `.dockerignore` is honoured by docker-py, which packs the context.
"""

import errno
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import docker
import requests

from underway.adapters.build_log import BuildLog
from underway.adapters.buildx import (
    BUILD_TIMEOUT_S,
    BuildxBuilder,
    build_failed,
    checked_context,
    find_buildx,
    masked_values,
    sensitive_value,
)
from underway.adapters.engine import Connection
from underway.adapters.engine.border import border
from underway.errors import RefusedError
from underway.image.definition import BuildDefinition, read_definition
from underway.model.sensitive import SensitiveValues
from underway.model.spec import BuildSpec
from underway.ports import Builder

MISSING_TEXT: Final = (
    "buildx-missing: this machine has no buildx; the engine's classic builder builds, without"
    " build secrets, SSH and cache mounts. Install the docker-buildx plugin for them."
)
_UNREADABLE: Final = "Can not read file in context"
_OF_FILES: Final = {
    errno.EACCES,
    errno.EIO,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENOENT,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
}
_MOUNT: Final = re.compile(r"^\s*RUN\s+(?:--\S+\s+)*--mount\b", re.IGNORECASE | re.MULTILINE)


def choose_builder(
    connection: Connection, *, environment: Mapping[str, str], values: SensitiveValues
) -> Builder:
    """Buildx on the engine behind `connection` where this machine has it, else the engine's own."""
    buildx = find_buildx(environment)
    if buildx is None:
        return EngineBuilder(connection, values=values)
    return BuildxBuilder(buildx, connection.socket_path, environment=environment, values=values)


class EngineBuilder:
    """Builds with the Engine API's `POST /build`."""

    def __init__(self, connection: Connection, *, values: SensitiveValues) -> None:
        """Use `connection`; `values` are this release's."""
        self._connection = connection
        self._values = values

    def build(self, build: BuildSpec, tags: Sequence[str], progress: Callable[[str], None]) -> str:
        """Build, tag, return the image id; RefusedError `build-failed`, `build-needs-buildx`."""
        definition = read_definition(build)
        _refuse_unknown(definition)
        log = BuildLog(progress, masked_values(definition, self._values))
        log.say(MISSING_TEXT)
        client = self._connection.open()
        image_id = ""
        with tempfile.TemporaryDirectory(prefix="underway-build-") as directory:
            dockerfile = _dockerfile(definition, Path(directory))
            with border(self._connection.host, "build an image"):
                for message in self._messages(client, definition, dockerfile, log):
                    if message.get("error"):
                        reason = log.mask(str(message["error"]).strip())
                        raise build_failed(definition, log.tail(), reason)
                    for line in str(message.get("stream") or "").splitlines():
                        log.say(line)
                    image_id = (message.get("aux") or {}).get("ID", image_id)
            for tag in tags:
                repository, _, name = tag.rpartition(":")
                with border(self._connection.host, f"tag {tag}"):
                    client.tag(image_id, repository, name)
        return image_id

    def _messages(
        self,
        client: docker.APIClient,
        definition: BuildDefinition,
        dockerfile: str,
        log: BuildLog,
    ) -> Iterator[dict[str, Any]]:
        try:
            yield from client.build(
                path=checked_context(definition),
                dockerfile=dockerfile,
                buildargs=self._arguments(definition),
                labels=dict(definition.labels),
                target=definition.target or None,
                network_mode=definition.network or None,
                platform=definition.platform or None,
                cache_from=[ref for ref in definition.cache_from if "=" not in ref] or None,
                extra_hosts=dict(entry.split("=", 1) for entry in definition.extra_hosts) or None,
                shmsize=definition.shm_size_bytes or None,
                nocache=definition.no_cache,
                pull=definition.pull,
                timeout=int(BUILD_TIMEOUT_S),
                rm=True,
                forcerm=True,
                decode=True,
            )
        except (docker.errors.APIError, docker.errors.BuildError, TypeError) as error:
            reason = getattr(error, "explanation", None) or str(error)
            raise build_failed(definition, log.tail(), log.mask(str(reason))) from error
        except OSError as error:
            if not _is_local(error):
                raise
            # The context is packed on this machine, before the engine is asked.
            raise build_failed(definition, log.tail(), log.mask(str(error))) from error

    def _arguments(self, definition: BuildDefinition) -> dict[str, str | None]:
        return {
            argument.name: (
                sensitive_value(self._values, argument.sensitive).reveal().decode()
                if argument.sensitive
                else argument.value
            )
            for argument in definition.arguments
        }


def _is_local(error: OSError) -> bool:
    """Whether a file of this machine could not be read, rather than the engine be spoken to."""
    if type(error) is OSError and error.errno is None:
        return str(error).startswith(_UNREADABLE)
    return error.errno in _OF_FILES and not isinstance(error, requests.RequestException)


def _dockerfile(definition: BuildDefinition, directory: Path) -> str:
    """A Dockerfile docker-py can pack: the one in the file stands outside the context."""
    if not definition.inline:
        return definition.dockerfile or "Dockerfile"
    path = directory / "Dockerfile"
    path.write_text(definition.inline)
    return str(path)


def _refuse_unknown(definition: BuildDefinition) -> None:
    """Refuse by name what only BuildKit can do."""
    needs = {
        "build.secrets": bool(definition.secrets),
        "build.ssh": bool(definition.ssh),
        "build.additional_contexts": bool(definition.contexts),
        "build.cache_to": bool(definition.cache_to),
        "build.ulimits": bool(definition.ulimits),
        "build.entitlements": bool(definition.entitlements),
        "`RUN --mount` in the Dockerfile": _has_mounts(definition),
    }
    for name, is_needed in needs.items():
        if is_needed:
            raise RefusedError(
                "build-needs-buildx",
                f"{name} needs buildx, which this machine does not have",
                hint="Install the docker-buildx plugin (package `docker-buildx`), then run again.",
            )


def _has_mounts(definition: BuildDefinition) -> bool:
    if definition.is_remote:
        return False
    path = Path(definition.dockerfile_path)
    text = definition.inline or (path.read_text(errors="replace") if path.is_file() else "")
    return _MOUNT.search(text) is not None
