"""Where things stand in the user's own files: paths in the tree to `file:line`.

Compose's canonical output has no lines, so the files are read once more, for their marks only. A
list entry is found by its text, since overrides shift its index.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import yaml

Path = tuple[str | int, ...]

_MAX_NODES: Final = 50_000
_MAX_DEPTH: Final = 40
_MAX_TEXTS: Final = 100
_WORD: Final = re.compile(r"[^\s:]+")
_MAX_TEXT_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class SourceText:
    """One of the user's files: how it is shown to them, and its text."""

    label: str
    text: str


@dataclass(slots=True)
class _Index:
    """The lines of one file, by path.

    `texts` are the scalars of each list entry, and of each value that is a scalar itself.
    """

    label: str
    lines: dict[Path, int] = field(default_factory=dict)
    texts: dict[Path, list[tuple[int, str]]] = field(default_factory=dict)
    nodes: int = 0


class Positions:
    """Looks up `file:line`; a later file wins over an earlier one, as in Compose's merge."""

    __slots__ = ("_indexes",)

    def __init__(self, sources: Sequence[SourceText]) -> None:
        """Index every file; one that PyYAML cannot read is known by its name only."""
        self._indexes = [_index_of(source) for source in sources]

    def place(self, *path: str | int) -> str:
        """`file:line` of the deepest part of `path` that stands in a file, or ""."""
        for length in range(len(path), 0, -1):
            for index in reversed(self._indexes):
                line = index.lines.get(path[:length])
                if line is not None:
                    return f"{index.label}:{line}"
        return self._indexes[0].label if self._indexes else ""

    def item(self, *path: str | int, holds: str) -> str:
        """`file:line` of the entry of the list at `path` one of whose words is `holds`."""
        for index in reversed(self._indexes):
            for line, text in index.texts.get(path, ()):
                if holds in (text, *_WORD.findall(text)):
                    return f"{index.label}:{line}"
        return self.place(*path)

    def text(self, *path: str | int) -> str:
        """What is written at `path` where that is a single value; "" else."""
        for index in reversed(self._indexes):
            for _, text in index.texts.get(path, ()) if path in index.lines else ():
                return text
        return ""

    def holding(self, key: str, is_meant: Callable[[str], bool]) -> str:
        """`file:line` of the first value or list entry below a `key` with a word that is meant."""
        for index in reversed(self._indexes):
            for path, entries in index.texts.items():
                for line, text in entries if path[-1] == key else ():
                    if any(map(is_meant, (text, *_WORD.findall(text)))):
                        return f"{index.label}:{line}"
        return ""

    def spelling(self, path: Path, text: str) -> str:
        """`file:line` of the first value or list entry below `path` that holds the word `text`."""
        for index in reversed(self._indexes):
            for known, entries in index.texts.items():
                for line, written in entries if known[: len(path)] == path else ():
                    if text in written.split():
                        return f"{index.label}:{line}"
        return self.place(*path)

    def below(self, *path: str | int) -> tuple[str, ...]:
        """The keys and plain list entries that any file has at `path`, sorted."""
        depth = len(path)
        found = {
            str(step)
            for index in self._indexes
            for known in index.lines
            if len(known) == depth + 1 and known[:depth] == path
            for step in known[depth:]
            if isinstance(step, str)
        }
        return tuple(sorted(found))

    def has(self, *path: str | int) -> bool:
        """Whether a file says anything at `path`."""
        return any(path in index.lines for index in self._indexes)


def included_files(text: str) -> tuple[str, ...]:
    """The paths that a Compose file names under `include`; interpolated ones are left out."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError):
        return ()
    if not isinstance(root, yaml.MappingNode):
        return ()
    paths = [
        path
        for key, value in root.value
        if key.value == "include" and isinstance(value, yaml.SequenceNode)
        for entry in value.value
        for path in _include_paths(entry)
    ]
    return tuple(path for path in paths if "$" not in path and "://" not in path)


def written_name(text: str) -> str:
    """The `name` at the top of a Compose file, as it is written; "" without one."""
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError):
        return ""
    entries = root.value if isinstance(root, yaml.MappingNode) else []
    names = [str(value.value) for key, value in entries if key.value == "name"]
    return names[-1] if names else ""


def _include_paths(entry: yaml.Node) -> list[str]:
    if isinstance(entry, yaml.MappingNode):
        entry = next((value for key, value in entry.value if key.value == "path"), entry)
    return list(islice(_scalars(entry, 0), _MAX_TEXTS))


def _index_of(source: SourceText) -> _Index:
    index = _Index(source.label)
    try:
        root = yaml.compose(source.text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError):
        return index
    if root is not None:
        _walk(index, root, ())
    return index


def _walk(index: _Index, node: yaml.Node, path: Path) -> None:
    """Record the lines below `node`; an alias bomb ends at the limit of nodes."""
    index.nodes += 1
    if index.nodes > _MAX_NODES or len(path) > _MAX_DEPTH:
        return
    if isinstance(node, yaml.MappingNode):
        _walk_mapping(index, node, path)
    elif isinstance(node, yaml.SequenceNode):
        _walk_sequence(index, node, path)


def _walk_mapping(index: _Index, node: yaml.MappingNode, path: Path) -> None:
    merged: list[yaml.Node] = []
    for key, value in node.value:
        if key.value == "<<":
            merged.append(value)
            continue
        below = (*path, str(key.value))
        index.lines.setdefault(below, key.start_mark.line + 1)
        if isinstance(value, yaml.ScalarNode):
            index.texts.setdefault(below, []).append((key.start_mark.line + 1, str(value.value)))
        _walk(index, value, below)
    for value in merged:
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for source in sources:
            _walk(index, source, path)


def _walk_sequence(index: _Index, node: yaml.SequenceNode, path: Path) -> None:
    for number, value in enumerate(node.value):
        line = value.start_mark.line + 1
        index.lines.setdefault((*path, number), line)
        index.texts.setdefault(path, []).append(
            (line, " ".join(islice(_scalars(value, 0), _MAX_TEXTS)))
        )
        if isinstance(value, yaml.ScalarNode):
            index.lines.setdefault((*path, value.value), line)
            index.lines.setdefault((*path, value.value.partition("=")[0]), line)
        _walk(index, value, (*path, number))


def _scalars(node: yaml.Node, depth: int) -> Iterator[str]:
    if isinstance(node, yaml.ScalarNode):
        yield str(node.value)
    elif depth < _MAX_TEXT_DEPTH:
        is_mapping = isinstance(node, yaml.MappingNode)
        for entry in node.value:
            yield from _scalars(entry[1] if is_mapping else entry, depth + 1)
