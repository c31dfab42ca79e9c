"""Lines put into a user's Compose file: every byte that stands there stays as it is.

Where something ends is asked of YAML's own parser, node by node, so that comments, block scalars
and line ends keep their places.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import yaml

from underway.compose.positions import SourceText
from underway.errors import ConfigurationError

_BLOCK_SCALARS: Final = frozenset({"|", ">"})


@dataclass(frozen=True, slots=True)
class Insertion:
    """Lines that come before the line of this number, counted from 0."""

    before: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something is added to a mapping: behind line `after`, indented by `indent`."""

    after: int
    indent: int


def inserted(text: str, insertions: Sequence[Insertion]) -> str:
    """The text with more lines, ended as its own are."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += end
    for insertion in sorted(insertions, key=lambda one: one.before, reverse=True):
        added = [f"{line}{end}" for line in insertion.lines]
        lines[insertion.before : insertion.before] = added
    return "".join(lines)


def first_line(source: SourceText) -> int:
    """The line of the file's first key; ConfigurationError where it is no mapping in block style.

    A document that begins with `---` begins after it.
    """
    return _root(source).start_mark.line


def end_of_file(text: str) -> int:
    """The line behind the last one."""
    return len(text.splitlines())


def service_spot(source: SourceText, service: str) -> Spot:
    """Where a service's own settings end; ConfigurationError where nothing can be added there."""
    services = _value(_root(source), "services")
    node = _value(services, service) if isinstance(services, yaml.MappingNode) else None
    if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
        raise _unfit(source, f"service `{service}` is not written there, one key a line")
    if not _is_below(services, service, node):
        raise _unfit(source, f"service `{service}` is an alias of something else")
    lines = source.text.splitlines()
    return Spot(_last_line(node, lines), node.value[0][0].start_mark.column)


def _is_below(services: yaml.Node | None, service: str, node: yaml.Node) -> bool:
    """Whether the mapping stands behind its own key: an alias's stands where its anchor is."""
    keys = services.value if isinstance(services, yaml.MappingNode) else []
    marks = [key.start_mark.line for key, _ in keys if key.value == service]
    others = [key.start_mark.line for key, _ in keys]
    begin = marks[0]
    later = [line for line in others if line > begin]
    return bool(begin <= node.start_mark.line < min(later, default=node.start_mark.line + 1))


def _root(source: SourceText) -> yaml.MappingNode:
    try:
        root = yaml.compose(source.text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _unfit(source, "it cannot be read as one YAML document") from error
    if not isinstance(root, yaml.MappingNode) or root.flow_style or not root.value:
        raise _unfit(source, "it is not written one key a line")
    return root


def _value(node: yaml.MappingNode, name: str) -> yaml.Node | None:
    return next((value for key, value in node.value if key.value == name), None)


def _last_line(node: yaml.Node, lines: Sequence[str]) -> int:
    """The number of the last line that belongs to a node, counted from 0."""
    if isinstance(node, yaml.ScalarNode) and node.style in _BLOCK_SCALARS:
        # The mark stands behind the blank lines that follow it.
        last = min(int(node.end_mark.line), len(lines)) - (node.end_mark.column == 0)
        while last > node.start_mark.line and not lines[last].strip():
            last -= 1
        return last
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last_entry = node.value[-1]
        if not isinstance(last_entry, tuple):
            return _last_line(last_entry, lines)
        key, value = last_entry
        is_behind = value.start_mark.index >= key.end_mark.index
        return _last_line(value, lines) if is_behind else int(key.end_mark.line)
    return int(node.end_mark.line)


def _unfit(source: SourceText, why: str) -> ConfigurationError:
    return ConfigurationError(
        "init-cannot-write",
        f"{source.label} cannot be completed",
        cause=why,
        hint="`underway init --print` shows what belongs there: write it by hand",
        place=source.label,
    )
