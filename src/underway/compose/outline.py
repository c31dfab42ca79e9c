"""A Compose file in outline: the names it writes out, read without Compose and in no time.

Whatever is interpolated, extended or merged by Compose's own rules is left out, and a file that
cannot be read has no names: this helps with a command line, and decides nothing.
"""

from collections.abc import Iterator, Sequence

import yaml

from underway.compose.canonical import Tree
from underway.compose.hosts import fleet_of
from underway.compose.positions import Positions, SourceText
from underway.compose.x_underway import KEY, app_wish
from underway.errors import ConfigurationError
from underway.model.outline import Alias, Outline

_DEPTH = 8


def outline_of(texts: Sequence[SourceText]) -> Outline:
    """The names in the files of a project, given in the order of their merge."""
    trees = [tree for source in texts if isinstance(tree := _tree(source.text), dict)]
    apps = [str(tree["name"]) for tree in trees if "$" not in str(tree.get("name") or "$")]
    services = {str(name) for tree in trees for name in _mapping(tree.get("services"))}
    positions = Positions(texts)
    aliases = {
        str(name): Alias(str(name), str(text), positions.place(KEY, "aliases", str(name)))
        for tree in trees
        for name, text in _mapping(_mapping(tree.get(KEY)).get("aliases")).items()
    }
    return Outline(
        app=apps[-1] if apps else "",
        services=tuple(sorted(services)),
        hosts=tuple(sorted({host for tree in trees for host in _hosts(tree)})),
        aliases=tuple(aliases[name] for name in sorted(aliases)),
    )


def _tree(text: str) -> object:
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    return _plain(root, 0)


def _plain(node: yaml.Node | None, depth: int) -> object:
    """Nodes as values, tags of Compose's own (`!reset`) taken for nothing special."""
    if depth > _DEPTH or node is None:
        return None
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _plain(value, depth + 1) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value, depth + 1) for value in node.value]
    return node.value


def _mapping(value: object) -> Tree:
    return value if isinstance(value, dict) else {}


def _hosts(tree: Tree) -> Iterator[str]:
    written = {"hosts": hosts} if (hosts := _mapping(tree.get(KEY)).get("hosts")) else {}
    nowhere = Positions(())
    try:
        fleet = fleet_of(app_wish({KEY: written}, nowhere), nowhere)
    except ConfigurationError:
        return
    yield from fleet.order if written else ()
