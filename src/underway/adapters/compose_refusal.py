"""What Compose says when it refuses a project, as errors: its sentences are read here only."""

import re
from collections.abc import Sequence
from typing import Final

from underway.adapters.program import ProgramResult
from underway.compose.complaints import WITHOUT_VALUES, variables_missing
from underway.errors import ConfigurationError

_OUTPUT_LIMIT_BYTES: Final = 16 * 1024 * 1024
_LOG_LINE: Final = re.compile(r"^time=\"[^\"]*\" level=(?:warning|info|debug)")
_REQUIRED: Final = re.compile(r"required variable (?P<name>\S+) is missing a value")
_ENV_FILE: Final = re.compile(r"env file (?P<path>.+) not found")


def checked(result: ProgramResult) -> ProgramResult:
    """The result of a call that went well.

    Raises ConfigurationError: `compose-invalid`, `compose-too-large`, `variable-missing`,
    `file-unreadable`.
    """
    if len(result.stdout) > _OUTPUT_LIMIT_BYTES:
        raise too_large(f"the resolved file has {len(result.stdout)} bytes")
    if result.exit_code == 0:
        return result
    if "out of memory" in result.stderr_text or result.exit_code < 0:
        raise too_large("Compose ran out of the memory it is given")
    lines = [line.strip() for line in result.stderr_text.splitlines() if line.strip()]
    lines = [line for line in lines if not _LOG_LINE.match(line)]
    raise _refusal(lines, result.exit_code)


def too_large(cause: str) -> ConfigurationError:
    """The error of a file that takes more time or memory than a file may."""
    return ConfigurationError(
        "compose-too-large",
        "the file is too large to load",
        cause=cause,
        hint="Look for aliases (`*name`) that repeat one another, and for huge includes.",
    )


def _refusal(lines: Sequence[str], exit_code: int) -> ConfigurationError:
    missing = sorted({match["name"] for line in lines if (match := _REQUIRED.search(line))})
    if missing:
        return variables_missing(missing, cause=lines[0], detail=tuple(lines[1:]))
    lost = next((match for line in lines if (match := _ENV_FILE.search(line))), None)
    if lost is not None:
        return ConfigurationError(
            "file-unreadable",
            f"there is no environment file {lost['path']}",
            cause=lines[-1],
            hint=f"Create it, or correct `env_file`. {WITHOUT_VALUES}",
        )
    return ConfigurationError(
        "compose-invalid",
        "Docker Compose refuses the file",
        cause=lines[-1] if lines else f"it ended with {exit_code}",
        hint="Correct the file; `docker compose config` shows the same.",
        detail=tuple(lines[:-1]),
    )
