"""The project's files on this machine: which Compose files belong to it, and what they point at."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from underway.compose.positions import SourceText, included_files
from underway.compose.sources import TRAVEL_LIMIT_BYTES, FileSet, Sources, TravellingFile
from underway.errors import ConfigurationError
from underway.errors.suggestion import meant_hint

MAIN_NAMES: Final = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDES: Final = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
_SUFFIXES: Final = (".yaml", ".yml")
_MAX_FILES: Final = 200
_INCLUDE_DEPTH: Final = 5


def find_sources(
    directory: Path,
    *,
    files: Sequence[Path] = (),
    environment_name: str = "",
    environ: Mapping[str, str] | None = None,
) -> Sources:
    """The Compose files of a project, in the order of their merge, as Compose finds them.

    `files` are those named on the command line, else `COMPOSE_FILE`, else the first of MAIN_NAMES
    in `directory` or above it, with its override. `environment_name` adds
    `compose.NAME.yaml` beside the main file, and leaves the laptop's override out. Raises
    ConfigurationError: `file-missing`, `environment-missing`, `file-unreadable`.
    """
    named = [directory / file for file in files] or _from_variable(directory, environ or {})
    chosen = list(named) if named else [_main_file(directory)]
    main = Path(os.path.normpath(chosen[0].absolute()))
    if environment_name:
        chosen.append(_environment_file(main, environment_name))
    elif not named:
        chosen += [main.parent / name for name in _OVERRIDES if (main.parent / name).is_file()][:1]
    paths = tuple(Path(os.path.normpath(path.absolute())) for path in chosen)
    texts = [SourceText(_label(path, main.parent), _text(path)) for path in paths]
    included = [text for path in paths for text in _included(path, main.parent, _INCLUDE_DEPTH)]
    return Sources(paths, (*included, *texts), main.parent, environment_name)


def _included(path: Path, directory: Path, depth: int) -> Iterator[SourceText]:
    """The files that `path` includes, for their lines only: Compose itself loads them."""
    for name in included_files(_text(path)) if depth else ():
        below = path.parent / name
        if below.is_file():
            yield from _included(below, directory, depth - 1)
            yield SourceText(_label(below, directory), _text(below))


class LocalFiles:
    """Reads files and small directories of this machine. Implements FileReader."""

    def read(self, path: Path) -> FileSet:
        """What stands at `path`; symbolic links are followed, `~` is this user's home."""
        try:
            found = path.expanduser()
            if found.is_dir():
                return _directory(found)
            return FileSet((_file(found, ""),))
        except _Unfit as error:
            return FileSet(problem=str(error))
        except OSError as error:
            return FileSet(problem=(error.strerror or str(error)).lower())


class _Unfit(Exception):  # noqa: N818 - a verdict within this module, not an error
    """Why something cannot travel."""


def _directory(path: Path) -> FileSet:
    files: list[TravellingFile] = []
    size = 0
    for file in _files_below(path):
        travelling = _file(file, file.relative_to(path).as_posix())
        size += len(travelling.content)
        files.append(travelling)
        if size > TRAVEL_LIMIT_BYTES or len(files) > _MAX_FILES:
            raise _Unfit(f"it holds more than {_MAX_FILES} files or {_limit()}")
    if not files:
        raise _Unfit("it is an empty directory")
    return FileSet(tuple(sorted(files, key=lambda entry: entry.path)), is_directory=True)


def _files_below(path: Path) -> Iterator[Path]:
    for directory, names, files in os.walk(path):
        names.sort()
        for name in sorted(files):
            yield Path(directory) / name


def _file(path: Path, name: str) -> TravellingFile:
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise _Unfit(f"{path.name} is not a regular file")
    if facts.st_size > TRAVEL_LIMIT_BYTES:
        raise _Unfit(f"{path.name} holds more than {_limit()}")
    return TravellingFile(name, stat.S_IMODE(facts.st_mode) & 0o777, path.read_bytes())


def _limit() -> str:
    return f"{TRAVEL_LIMIT_BYTES // 1024} KiB"


def _from_variable(directory: Path, environ: Mapping[str, str]) -> list[Path]:
    value = environ.get("COMPOSE_FILE", "")
    separator = environ.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    return [directory / name for name in value.split(separator) if name]


def _main_file(directory: Path) -> Path:
    for place in (directory.absolute(), *directory.absolute().parents):
        for name in MAIN_NAMES:
            if (place / name).is_file():
                return place / name
    raise ConfigurationError(
        "file-missing",
        f"there is no Compose file in {directory.absolute()} or above it",
        cause=f"none of {', '.join(MAIN_NAMES)} is there",
        hint=f"Create {MAIN_NAMES[0]}, or name the file with --file.",
    )


def _environment_file(main: Path, name: str) -> Path:
    stem = "docker-compose" if main.name.startswith("docker-compose") else "compose"
    stems = dict.fromkeys((stem, "compose", "docker-compose"))
    for candidate in (f"{one}.{name}{suffix}" for one in stems for suffix in _SUFFIXES):
        if (main.parent / candidate).is_file():
            return main.parent / candidate
    known = environment_names(main.parent)
    raise ConfigurationError(
        "environment-missing",
        f"there is no environment `{name}`: {stem}.{name}.yaml is not beside {main.name}",
        cause=f"there is {', '.join(known)}" if known else "there is none yet",
        hint=meant_hint(name, known, f"Create {stem}.{name}.yaml with what differs in `{name}`."),
    )


def environment_names(directory: Path) -> list[str]:
    """The environments that have a file in a directory, sorted."""
    names = set()
    for stem in ("compose", "docker-compose"):
        for suffix in _SUFFIXES:
            for path in directory.glob(f"{stem}.*{suffix}"):
                names.add(path.name.removeprefix(f"{stem}.").removesuffix(suffix))
    return sorted(names - {"override", ""})


def _neighbours(path: Path) -> list[str]:
    """The YAML files where `path` would be."""
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    return [one.name for one in beside if one.suffix in _SUFFIXES]


def _label(path: Path, directory: Path) -> str:
    return path.relative_to(directory).as_posix() if path.is_relative_to(directory) else str(path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigurationError(
            "file-missing",
            f"there is no file {path}",
            cause="no such file or directory",
            hint=meant_hint(path.name, _neighbours(path), "Correct the name after --file."),
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            "file-unreadable",
            f"{path} cannot be read",
            place=path.name,
            cause=getattr(error, "strerror", "") or "it is not UTF-8",
            hint="Look at its owner, its mode and its encoding.",
        ) from error
