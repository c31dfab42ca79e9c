"""Which project a run is about, as Compose users say it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


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
