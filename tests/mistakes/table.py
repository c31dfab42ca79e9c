"""Ways to be wrong, as data: files, a command, and the error that it ends with, word for word.

    === what is wrong
    --- compose.yaml
    services: ...
    $ underway config
    error[code]: what happened
      at    compose.yaml:1
      why   the cause
      help: what to do next
    exit 3

A name behind `---` is a file of the directory where the command is run; `(latin-1)` behind it is
its encoding. `%` begins a command that is run before. Variables may stand before `underway`. `…`
stands for anything within a line.
"""

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_FILE = re.compile(r"^--- (?P<name>\S+)(?: \((?P<encoding>[\w-]+)\))?$")
_COMMAND = re.compile(r"^\$ (?P<assigned>(?:\w+=\S* )*)underway ?(?P<words>.*)$")
_ERROR = re.compile(r"^error\[(?P<code>[a-z-]+)\]: ")


@dataclass(frozen=True)
class Mistake:
    """One row."""

    name: str
    files: dict[str, bytes]
    environment: dict[str, str]
    words: tuple[str, ...]
    shown: tuple[str, ...]
    exit_code: int
    first: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        match = _ERROR.match(self.shown[0])
        assert match is not None, self.name
        return match["code"]

    def part(self, label: str) -> str:
        """What stands behind `at`, `why` or `help:` of the error; "" without it."""
        lines = [line.strip() for line in self.shown]
        return next(
            (line.removeprefix(label).strip() for line in lines if line.startswith(label)), ""
        )


def mistakes(*names: str) -> list[Mistake]:
    """The rows of the tables of these names."""
    blocks = [
        block
        for name in names
        for block in (HERE / f"{name}.txt").read_text("utf-8").split("=== ")[1:]
    ]
    return [_mistake(block) for block in blocks]


def _mistake(block: str) -> Mistake:
    name, *lines = block.rstrip("\n").split("\n")
    start = next(n for n, line in enumerate(lines) if _COMMAND.match(line))
    command = _COMMAND.match(lines[start])
    assert command is not None
    *shown, end = lines[start + 1 :]
    assert end.startswith("exit "), name
    first = tuple(line.removeprefix("% ") for line in lines[:start] if line.startswith("% "))
    return Mistake(
        name,
        dict(_files([line for line in lines[:start] if not line.startswith("% ")])),
        dict(word.split("=", 1) for word in command["assigned"].split()),
        tuple(command["words"].split()),
        tuple(shown),
        int(end.removeprefix("exit ")),
        first,
    )


def _files(lines: list[str]) -> list[tuple[str, bytes]]:
    found: list[tuple[str, str, list[str]]] = []
    for line in lines:
        head = _FILE.match(line)
        if head is not None:
            found.append((head["name"], head["encoding"] or "utf-8", []))
        else:
            found[-1][2].append(line)
    return [(name, "".join(f"{one}\n" for one in text).encode(code)) for name, code, text in found]
