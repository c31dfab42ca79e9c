"""A user's Compose file as it is written, byte for byte, and written anew as a whole."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from underway.errors import ConfigurationError


def exact_text(path: Path) -> str:
    """The file's text with its own line ends; raises ConfigurationError `file-unreadable`."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            "file-unreadable",
            f"{path} cannot be read",
            cause=getattr(error, "strerror", "") or "it is not UTF-8",
            hint="Look at its owner, its mode and its encoding.",
        ) from error


@contextmanager
def trial(path: Path, text: str) -> Iterator[Path]:
    """A file of this text beside `path`, so that it can be loaded before it counts."""
    try:
        descriptor, name = tempfile.mkstemp(
            prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent
        )
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
        yield Path(name)
    finally:
        with suppress(OSError):
            Path(name).unlink()


def write_whole(path: Path, text: str) -> None:
    """Put this text in the place of the file, at once, its mode kept; raises `file-unwritable`.

    A link stays one: what it leads to is written.
    """
    target = Path(os.path.realpath(path))
    try:
        with trial(target, text) as part:
            if target.exists():
                shutil.copymode(target, part)
            else:
                part.chmod(0o644)
            part.replace(target)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        "file-unwritable",
        f"{path} cannot be written",
        cause=error.strerror or str(error),
        hint="Look at the owner and the mode of its directory, or use --print.",
    )
