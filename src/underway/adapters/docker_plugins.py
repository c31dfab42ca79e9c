"""Where the Docker program keeps its plugins, as the Docker program itself looks for them.

A plugin called by its own path answers in half the time: the Docker program asks it first who it
is, in a process of its own.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import which
from typing import Final

SYSTEM_DIRECTORIES: Final = (
    Path("/usr/local/lib/docker/cli-plugins"),
    Path("/usr/local/libexec/docker/cli-plugins"),
    Path("/usr/lib/docker/cli-plugins"),
    Path("/usr/libexec/docker/cli-plugins"),
)


def find_plugin(name: str, environment: Mapping[str, str]) -> Path | None:
    """The program of plugin `name` (`docker-compose`) of the Docker program on PATH, or None.

    The order is the Docker program's: its configuration's extra directories, its own, the
    system's.
    """
    if which("docker", path=environment.get("PATH")) is None:
        return None
    for directory in (*_of_the_user(environment), *SYSTEM_DIRECTORIES):
        path = directory / name
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def _of_the_user(environment: Mapping[str, str]) -> Iterator[Path]:
    home = environment.get("HOME")
    named = environment.get("DOCKER_CONFIG")
    if not (named or home):
        return
    directory = Path(named) if named else Path(str(home)) / ".docker"
    try:
        settings = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        settings = {}
    extra = settings.get("cliPluginsExtraDirs") if isinstance(settings, dict) else None
    yield from (Path(str(entry)) for entry in extra or ())
    yield directory / "cli-plugins"
