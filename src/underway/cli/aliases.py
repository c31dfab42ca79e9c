"""The team's own commands, as the file names them: a word for a command with its arguments.

Whether a file has any is looked up without understanding it: most have none, and a command line
that needs none must not wait.
"""

# ruff: noqa: PTH100, PTH118, PTH120, PTH123, PTH208
# A help page looks for aliases, and pathlib takes longer to load than that.

import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from underway.cli.options import GlobalOptions

if TYPE_CHECKING:
    from underway.model.outline import Alias
    from underway.wiring.options import SessionOptions

_MARK: Final = b"aliases"
_NAME: Final = r"[a-z][a-z0-9-]*"


def project_aliases(options: GlobalOptions) -> "tuple[Alias, ...]":
    """The aliases that the project's files name, by name; none where they cannot be read."""
    if not any(map(_mentions_aliases, _candidates(options))):
        return ()
    from underway.wiring.outline import written_aliases

    return written_aliases(session_options(options))


def session_options(options: GlobalOptions) -> "SessionOptions":
    """Which project, as wiring takes it."""
    from pathlib import Path

    from underway.wiring.options import SessionOptions

    directory = options.project_directory
    return SessionOptions(
        files=tuple(map(Path, options.files)),
        environment=options.environment,
        env_files=tuple(map(Path, options.env_files)),
        profiles=options.profiles,
        project_directory=Path(directory) if directory else None,
        project_name=options.project_name,
    )


def require_free_aliases(options: GlobalOptions, commands: Collection[str]) -> None:
    """Raise ConfigurationError for an alias that is a command's name, or stands for none."""
    for alias in project_aliases(options):
        expanded(alias, commands)


def expanded(alias: "Alias", commands: Collection[str]) -> list[str]:
    """The words an alias stands for; raises ConfigurationError `alias-taken`, `alias-invalid`."""
    import re
    import shlex

    from underway.errors import ConfigurationError
    from underway.errors.suggestion import meant_hint

    if alias.name in commands:
        raise ConfigurationError(
            "alias-taken",
            f"`{alias.name}` is a command of Underway, and cannot be an alias",
            place=alias.place,
            hint="Give the alias another name.",
        )
    try:
        words = shlex.split(alias.text)
    except ValueError:
        words = []
    if not re.fullmatch(_NAME, alias.name):
        raise ConfigurationError(
            "alias-invalid",
            f"`{alias.name}` cannot be the name of an alias",
            place=alias.place,
            hint="Write lower-case letters, digits and dashes.",
        )
    if not words or words[0] not in commands:
        raise ConfigurationError(
            "alias-invalid",
            f"alias `{alias.name}` stands for `{alias.text}`, which is no command",
            place=alias.place,
            hint=meant_hint(
                words[0] if words else "",
                commands,
                "Write a command with what it is given: `again: deploy --recreate`.",
            ),
        )
    return words


def _candidates(options: GlobalOptions) -> Iterator[str]:
    """Files in which aliases may stand: those named, or those beside the first Compose file."""
    named = [*options.files, *os.environ.get("COMPOSE_FILE", "").split(os.pathsep)]
    if any(named):
        yield from filter(None, named)
    place = os.path.abspath(options.project_directory or ".")
    while True:
        found = [name for name in _names_in(place) if _is_compose_file(name)]
        if found:
            yield from (os.path.join(place, name) for name in found)
            return
        above = os.path.dirname(place)
        if above == place:
            return
        place = above


def _names_in(place: str) -> list[str]:
    try:
        return os.listdir(place)
    except OSError:
        return []


def _is_compose_file(name: str) -> bool:
    return name.startswith(("compose.", "docker-compose.")) and name.endswith((".yaml", ".yml"))


def _mentions_aliases(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return _MARK in file.read()
    except OSError:
        return False
