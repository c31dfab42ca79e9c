"""Loading a project: Compose is asked, files are read, commands are run, then all is understood.

Either all of it is loaded, with every value that a deploy needs, or its site alone: the app's name
and its hosts, which is what commands need that look, tidy, or go back to a recorded release.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from underway.compose.canonical import Tree, read_canonical
from underway.compose.complaints import explained, variables_missing
from underway.compose.interpolation import required_variables, templates_in, variables_in
from underway.compose.keeping import kept_project
from underway.compose.positions import Positions, written_name
from underway.compose.signing import key_source
from underway.compose.site import require_site_values, site_of, site_templates
from underway.compose.sources import (
    FileReader,
    Project,
    ProjectComposer,
    SensitiveCommands,
    Sources,
    Understood,
)
from underway.compose.suites import requires_clean
from underway.compose.travelling import wanted_paths, wanted_variables
from underway.compose.understanding import understand
from underway.compose.x_underway import (
    KEY,
    command_of,
    sensitive_sources,
    wished_duration_s,
)
from underway.errors import ConfigurationError
from underway.model.names import AppName

_COMPOSES_CODES: Final = frozenset({"compose-invalid", "file-unreadable", "variable-missing"})
"""What Compose's own complaints become: they name keys, and get their lines here."""


def load(
    sources: Sources,
    composer: ProjectComposer,
    files: FileReader,
    commands: SensitiveCommands,
) -> Understood:
    """Load and understand a project; raises ConfigurationError."""
    with _told_with_places(sources):
        project = _read(sources, composer, files, commands)
        understood = replace(understand(project), signing=project.signing)
        return replace(understood, kept=kept_project(project)) if understood.backup else understood


def load_site(
    sources: Sources, composer: ProjectComposer, commands: SensitiveCommands
) -> Understood:
    """The app's name and its hosts, without services: nothing else of the file is needed for it.

    Values that only services, volumes and the like are made of may be missing on this machine; no
    command for a sensitive value runs unless the site is made of it. Raises ConfigurationError.
    """
    with _told_with_places(sources):
        positions = Positions(sources.texts)
        raw = read_canonical(
            composer.canonical(sources.files, interpolate=False), is_interpolated=False
        )
        templates = site_templates(raw, _name_of(sources))
        names = _variables(templates)
        commanded = _commanded(raw, positions, commands, only=names)
        variables = composer.variables(sorted(names), environment=commanded)
        require_site_values(templates, variables, positions)
        told = composer.interpolated(templates, environment=commanded)
        tree = read_canonical(told, is_interpolated=True)
        # Compose itself tells a name that is written out; an uninterpolated one it mangles.
        name = str((tree if "name" in templates else raw).get("name") or "")
        site = site_of(raw, tree, positions)
        spec = replace(site, name=AppName(name), environment=sources.environment)
        return Understood(
            spec,
            {},
            signing=key_source(raw, positions, sources.directory),
            requires_clean=requires_clean(raw),
        )


@contextmanager
def _told_with_places(sources: Sources) -> Iterator[None]:
    """Give Compose's own complaints their lines and remedies."""
    try:
        yield
    except ConfigurationError as error:
        if error.place or error.code not in _COMPOSES_CODES:
            raise
        raise explained(error, sources.texts, str(sources.directory)) from error


def _name_of(sources: Sources) -> str:
    """The app's name as the last file that has one writes it, if it is interpolated; else ""."""
    own = sources.texts[-len(sources.files) :]
    name = next((name for text in reversed(own) if (name := written_name(text.text))), "")
    return name if "$" in name else ""


def _read(
    sources: Sources,
    composer: ProjectComposer,
    files: FileReader,
    commands: SensitiveCommands,
) -> Project:
    positions = Positions(sources.texts)
    raw_text = composer.canonical(sources.files, interpolate=False)
    raw = read_canonical(raw_text, is_interpolated=False)
    commanded = _commanded(raw, positions, commands)
    try:
        canonical_text = composer.canonical(sources.files, interpolate=True, environment=commanded)
    except ConfigurationError as error:
        if error.code != "variable-missing":
            raise
        variables = composer.variables(sorted(_variables(raw)), environment=commanded)
        raise _all_missing(error, raw, variables) from error
    canonical = read_canonical(canonical_text, is_interpolated=True)
    templates = site_templates(raw, _name_of(sources))
    names = {*wanted_variables(canonical), *_variables(raw), *_variables(templates)}
    variables = composer.variables(sorted(names), environment=commanded)
    require_site_values(templates, variables, positions)
    return Project(
        canonical=canonical_text,
        raw=raw_text,
        sources=sources.texts,
        variables=variables,
        commanded=frozenset(commanded),
        files={path: files.read(Path(path)) for path in sorted(set(wanted_paths(canonical, raw)))},
        directory=str(sources.directory),
        environment=sources.environment,
        signing=key_source(raw, positions, sources.directory),
    )


def _all_missing(
    error: ConfigurationError, raw: Tree, variables: Mapping[str, str]
) -> ConfigurationError:
    """The same error with every variable that is required and missing: Compose may tell the first.

    Without any (a required one in an environment file, say) it stays as it is.
    """
    texts = templates_in(raw)
    names = {name for text in texts for name in required_variables(text, variables)}
    if not names:
        return error
    return variables_missing(names, cause=error.cause, detail=error.detail)


def _variables(tree: Tree) -> set[str]:
    """Every variable that a tree of templates names anywhere."""
    return {name for template in templates_in(tree) for name in variables_in(template)}


def _commanded(
    raw: Tree,
    positions: Positions,
    commands: SensitiveCommands,
    *,
    only: Collection[str] | None = None,
) -> Mapping[str, str]:
    """What the commands under x-underway `sensitive` print (`only` these), a line end taken off."""
    values = {}
    for name, source in sensitive_sources(raw, positions).items():
        if only is not None and name not in only:
            continue
        place = positions.place(KEY, "sensitive", name)
        argv = command_of(source.command, place)
        timeout_s = wished_duration_s(source.timeout, place)
        try:
            output = commands.output_of(argv, timeout_s=timeout_s)
            values[name] = output.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except ConfigurationError as error:
            raise ConfigurationError(
                error.code,
                f"{error.message} (for {name})",
                cause=error.cause,
                hint=error.hint,
                place=place,
                detail=error.detail,
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                "sensitive-command-failed",
                f"the command for {name} printed bytes that are not UTF-8",
                place=place,
                hint="Print text; take binary content from a secret's file.",
            ) from error
    return values
