"""Where the team's signing key comes from: a command, a file or a variable of this machine.

It is read as the user wrote it, before anything is interpolated, as commands for sensitive values
are: the site of an app needs it too, and nothing else of the file may be missing for that.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from underway.compose.canonical import Tree, mapping_of
from underway.compose.notebook import refuse
from underway.compose.positions import Positions
from underway.compose.sources import FileReader, KeySource, SensitiveCommands
from underway.compose.wishes import SigningWish
from underway.compose.x_underway import KEY, command_of, read_wish, wished_duration_s
from underway.errors import ConfigurationError
from underway.model.sensitive import Sensitive

SHORTEST_KEY_BYTES: Final = 32
"""What `openssl rand -base64 24` prints: shorter ones are passwords, and can be guessed."""


def key_source(raw: Tree, positions: Positions, directory: Path) -> KeySource | None:
    """Where the key comes from, None without `signing`; raises ConfigurationError.

    A relative file begins at `directory`.
    """
    written = mapping_of(raw.get(KEY)).get("signing")
    if written is None:
        return None
    wish = read_wish(written, SigningWish, positions, (KEY, "signing")).key
    place = positions.place(KEY, "signing", "key")
    given = [name for name in ("command", "file", "variable") if getattr(wish, name)]
    if len(given) != 1:
        refuse(
            "x-underway-invalid",
            "`x-underway.signing.key` has one of `command`, `file` and `variable`",
            cause=f"it has {' and '.join(given)}" if given else "it has none",
            place=place,
            hint='Write `key: {command: "op read op://libra/signing"}`, for example.',
        )
    return KeySource(
        place,
        command=command_of(wish.command, place) if wish.command else (),
        timeout_s=wished_duration_s(wish.timeout, place),
        file=_path(wish.file, directory) if wish.file else None,
        variable=wish.variable,
    )


def _path(file: str, directory: Path) -> Path:
    """The reader of files knows whose home `~` is."""
    return Path(file) if file.startswith("~") else directory / file


def read_key(
    source: KeySource,
    commands: SensitiveCommands,
    files: FileReader,
    variables: Mapping[str, str],
) -> Sensitive:
    """The key, a line end taken off; raises ConfigurationError. No error holds any of it."""
    if source.command:
        value = _printed(source, commands)
    elif source.file is not None:
        value = _file(source.file, source.place, files)
    else:
        value = _variable(source, variables)
    value = value.removesuffix(b"\n").removesuffix(b"\r")
    if len(value) < SHORTEST_KEY_BYTES:
        refuse(
            "signing-key-weak",
            f"the signing key has {len(value)} bytes, and needs {SHORTEST_KEY_BYTES}",
            cause="whoever reads one record could guess a shorter one",
            place=source.place,
            hint="Make one with `openssl rand -hex 32`.",
        )
    return Sensitive(value)


def _printed(source: KeySource, commands: SensitiveCommands) -> bytes:
    try:
        return commands.output_of(source.command, timeout_s=source.timeout_s)
    except ConfigurationError as error:
        raise ConfigurationError(
            error.code,
            f"{error.message} (for the signing key)",
            cause=error.cause,
            hint=error.hint,
            place=source.place,
            detail=error.detail,
        ) from error


def _file(path: Path, place: str, files: FileReader) -> bytes:
    found = files.read(path)
    if found.problem or found.is_directory:
        refuse(
            "file-unreadable",
            f"the file of the signing key cannot be used: {path}",
            cause=found.problem or "it is a directory",
            place=place,
            hint="Create the file, or correct its path.",
        )
    return found.files[0].content


def _variable(source: KeySource, variables: Mapping[str, str]) -> bytes:
    if not variables.get(source.variable):
        refuse(
            "variable-missing",
            f"the signing key's variable {source.variable} is not set on this machine",
            cause="records cannot be signed or checked without the key",
            place=source.place,
            hint="Set it in the shell, in .env or with --env-file.",
        )
    return variables[source.variable].encode()
