"""What git says of the source an image is built from; a directory without git says little."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from underway.adapters.program import run_program
from underway.errors import UnreachableError
from underway.image.tags import SourceFacts

_TIMEOUT_S: Final = 60.0
_LOCAL_ONLY: Final = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def source_facts(directory: Path, *, environment: Mapping[str, str], now: float) -> SourceFacts:
    """The facts of the checkout that holds `directory`; `now` is seconds since the epoch.

    Files that git ignores do not count; files it does not know yet do. Without a checkout the root
    is `directory`: its own name must not tell two machines apart. Raises UnreachableError
    (`program-timeout`) where git hangs.
    """
    today = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d")
    try:
        commit = _git(directory, environment, "rev-parse", "--verify", "--quiet", "HEAD")
    except UnreachableError as error:
        if error.code != "program-missing":
            raise
        return SourceFacts(date=today, root=str(directory))
    if not commit:
        return SourceFacts(date=today, root=str(directory))
    committed_at = _git(directory, environment, "show", "--no-patch", "--format=%ct", "HEAD")
    changed = _git(directory, environment, "status", "--porcelain", "--untracked-files=normal")
    tags = _git(directory, environment, "tag", "--points-at", "HEAD") or ""
    past = _git(directory, environment, "tag", "--merged", "HEAD") or ""
    return SourceFacts(
        commit=commit,
        is_dirty=changed != "",
        date=datetime.fromtimestamp(int(committed_at or now), UTC).strftime("%Y%m%d"),
        git_tags=tuple(sorted(tags.splitlines())),
        past_tags=tuple(sorted(past.splitlines())),
        root=_git(directory, environment, "rev-parse", "--show-toplevel") or "",
    )


def _git(directory: Path, environment: Mapping[str, str], *arguments: str) -> str | None:
    """What git writes, or None where it refuses (no checkout, no commit)."""
    result = run_program(
        ["git", *arguments],
        env={**environment, **_LOCAL_ONLY},
        cwd=directory,
        timeout_s=_TIMEOUT_S,
    )
    return result.stdout.decode("utf-8", "replace").strip() if result.exit_code == 0 else None
