"""Loading a project: Compose is asked, files are read, commands are run, then all is understood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from underway.compose.canonical import Tree, read_canonical
from underway.compose.complaints import placed
from underway.compose.interpolation import templates_in, variables_in
from underway.compose.positions import Positions, SourceText
from underway.compose.sources import (
    FileReader,
    Project,
    ProjectComposer,
    SensitiveCommands,
    Understood,
)
from underway.compose.travelling import wanted_paths, wanted_variables
from underway.compose.understanding import understand
from underway.compose.x_underway import (
    KEY,
    command_of,
    sensitive_sources,
    wished_duration_s,
)
from underway.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Sources:
    """The project's Compose files in the order of their merge, each with its text and label."""

    files: tuple[Path, ...]
    texts: tuple[SourceText, ...]
    directory: Path
    environment: str = ""


def load(
    sources: Sources,
    composer: ProjectComposer,
    files: FileReader,
    commands: SensitiveCommands,
) -> Understood:
    """Load and understand a project; raises ConfigurationError."""
    try:
        return understand(_read(sources, composer, files, commands))
    except ConfigurationError as error:
        if error.place or error.code != "compose-invalid":
            raise
        labels = tuple(text.label for text in sources.texts)
        raise placed(error, Positions(sources.texts), labels) from error


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
    canonical_text = composer.canonical(sources.files, interpolate=True, environment=commanded)
    canonical = read_canonical(canonical_text, is_interpolated=True)
    return Project(
        canonical=canonical_text,
        raw=raw_text,
        sources=sources.texts,
        variables=composer.variables(_variables(raw, canonical), environment=commanded),
        commanded=frozenset(commanded),
        files={path: files.read(Path(path)) for path in sorted(set(wanted_paths(canonical, raw)))},
        directory=str(sources.directory),
        environment=sources.environment,
    )


def _variables(raw: Tree, canonical: Tree) -> Sequence[str]:
    """Every variable that the file names anywhere."""
    names = set(wanted_variables(canonical))
    for template in templates_in(raw):
        names |= variables_in(template)
    return sorted(names)


def _commanded(raw: Tree, positions: Positions, commands: SensitiveCommands) -> Mapping[str, str]:
    """What the commands under x-underway `sensitive` print, one line end taken off."""
    values = {}
    for name, source in sensitive_sources(raw, positions).items():
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
