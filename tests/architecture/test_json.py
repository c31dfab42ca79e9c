"""Every command answers programs: `--json` gives a document, whatever the command is."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import click
import pytest

from underway.cli.program import program

THE_COMMANDS_OWN = {"exec", "run"}
"""What these write is what the user's own command writes; only their errors are documents."""
ANSWERS = {"print_document", "print_run", "encode_line"}


def leaves(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by what is typed for it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        typed = f"{path} {name}".strip()
        if isinstance(command, click.Group):
            yield from leaves(command, typed)
        else:
            yield typed, command


COMMANDS = dict(leaves(program))


def words_of(function: Callable[..., Any], seen: set[object]) -> set[str]:
    """The names that a command's function uses, and those that functions of `cli` it calls use."""
    own = inspect.unwrap(function)
    if own in seen:
        return set()
    seen.add(own)
    tree = ast.parse(textwrap.dedent(inspect.getsource(own)))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = set(names)
    for name in names:
        called = own.__globals__.get(name)
        if inspect.isfunction(called) and called.__module__.startswith("underway.cli."):
            found |= words_of(called, seen)
    return found


def test_the_tree_was_walked():
    assert {"deploy", "backup create", "logs", "events", "completion"} <= set(COMMANDS)
    assert len(COMMANDS) > 25


@pytest.mark.parametrize("typed", COMMANDS)
def test_every_command_takes_json(typed: str):
    flags = [flag for parameter in COMMANDS[typed].params for flag in parameter.opts]
    assert "--json" in flags


@pytest.mark.parametrize("typed", sorted(set(COMMANDS) - THE_COMMANDS_OWN))
def test_every_command_answers_with_a_document(typed: str):
    callback = COMMANDS[typed].callback
    assert callback is not None
    words = words_of(callback, set())
    assert words & ANSWERS, f"{typed} prints no document"
    assert "is_json" in words, f"{typed} does not ask whether a document is wanted"
