"""Which project a run is about, as Compose users say it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Reading(StrEnum):
    """How much of the file a command needs.

    WHOLE: services with every value, for what ships or shows the file. SITE: the app's name and
    its hosts, for what looks, tidies, or goes back to what was recorded. BEST: the whole file, or
    the site where only values are missing on this machine.
    """

    WHOLE = "whole"
    SITE = "site"
    BEST = "best"


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
