"""What a complaint of Compose is told with: the user's files, and the parts of an error.

A value that Compose quotes is shown only where the user's own files spell it: one that comes from
outside the file may be sensitive.
"""

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, NamedTuple

from underway.compose.positions import Positions, SourceText

STEP: Final = re.compile(r"[^.\[\]]+")
"""A step of a path as Compose writes it: `services.web.ports[0]`, `services[web].ports`."""
_INVALID: Final = "compose-invalid"
_FOUND_BY_COMPOSE: Final = re.compile(
    r"^(?:failed to parse \S+: |validating \S+: +|error while interpolating )"
    r"|: invalid compose project$"
)


class Told(NamedTuple):
    """What is told of a complaint: the parts of an error."""

    message: str
    hint: str
    place: str = ""
    cause: str = ""
    code: str = _INVALID


@dataclass(frozen=True, slots=True)
class Scene:
    """The files that Compose complains of."""

    positions: Positions
    texts: tuple[SourceText, ...]
    directory: str = ""

    def at(self, path: str, *more: str) -> str:
        """`file:line` of a path as Compose writes it: `services.web.ports[0]`."""
        return self.positions.place(*STEP.findall(path), *more)

    def shown(self, value: str) -> str:
        """The value, if the files spell it; it may be sensitive otherwise."""
        is_written = any(value in source.text for source in self.texts)
        return f"`{value}`" if is_written else "a value from outside the file"

    def shortened(self, sentence: str) -> str:
        """Compose's sentence without what everybody knows: the project's directory, its opening."""
        near = sentence.replace(f"{self.directory}/", "") if self.directory else sentence
        return _FOUND_BY_COMPOSE.sub("", near)

    def path(self, written: str) -> str:
        """A file's path as seen from the project's directory."""
        path = PurePath(written)
        is_below = self.directory and path.is_relative_to(self.directory)
        return path.relative_to(self.directory).as_posix() if is_below else written

    def naming(self, key: str, file: str) -> str:
        """`file:line` of what names `file` below a `key`."""
        parts = PurePath(file).parts

        def is_meant(word: str) -> bool:
            own = PurePath(word).parts
            return bool(own) and parts[-len(own) :] == own

        return self.positions.holding(key, is_meant)
