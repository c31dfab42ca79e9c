"""The names of a project, read from its files and from what was seen last. No host is asked."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from underway.adapters.compose_files import find_sources
from underway.compose.outline import outline_of
from underway.errors import ConfigurationError
from underway.model.outline import Alias, Outline
from underway.wiring.options import SessionOptions

if TYPE_CHECKING:
    from underway.adapters.known_names import KnownNames


def written_names(options: SessionOptions) -> Outline:
    """What the project's files write out; nothing where they cannot be read."""
    chosen = options.project_directory
    try:
        found = find_sources(
            Path.cwd() if options.files or chosen is None else chosen,
            files=options.files,
            environment_name=options.environment,
            environ=options.environ,
        )
    except ConfigurationError:
        return Outline()
    outline = outline_of(found.texts)
    named = options.project_name or options.environ.get("COMPOSE_PROJECT_NAME", "")
    app = named or outline.app or found.directory.name.lower()
    return Outline(app, outline.services, outline.hosts, aliases=outline.aliases)


def known_names(options: SessionOptions) -> Outline:
    """What the files write out, and what the app's hosts told last."""
    written = written_names(options)
    seen = names_of(options.environ).recall(written.app)
    return Outline(
        written.app,
        tuple(sorted({*written.services, *seen.services})),
        tuple(sorted({*written.hosts, *seen.hosts})),
        seen.releases,
        written.aliases,
    )


def written_aliases(options: SessionOptions) -> tuple[Alias, ...]:
    """The commands of the team's own that the files name."""
    return written_names(options).aliases


def names_of(environ: Mapping[str, str]) -> "KnownNames":
    """Where names that were seen are kept."""
    from underway.adapters.heads import heads_directory
    from underway.adapters.known_names import KnownNames

    heads = heads_directory(environ)
    return KnownNames(heads.parent / "names" if heads else None)
