"""The table of error codes is complete: what can be raised stands there, and nothing else."""

import ast
from collections.abc import Iterator

from tests.architecture.sources import Source, package
from underway import errors
from underway.errors import CODES, UnderwayError

CLASSES = {
    name: value
    for name in errors.__all__
    if isinstance(value := getattr(errors, name), type) and issubclass(value, UnderwayError)
}
TABLE = "src/underway/errors/codes.py"


def test_every_raised_code_is_in_the_table():
    unknown = sorted({f"{code} ({place})" for place, _, code in raised() if code not in CODES})
    assert not unknown, "\n".join(unknown)


def test_every_code_of_the_table_is_used():
    said = {
        node.value
        for source in package()
        if source.name != TABLE
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not (unused := sorted(set(CODES) - said)), unused


def test_the_table_tells_the_exit_code_that_a_command_ends_with():
    wrong = {
        f"{place}: {name}({code})": (CLASSES[name].exit_code, CODES[code].exit_code)
        for place, name, code in raised()
        if code in CODES and CLASSES[name].exit_code != CODES[code].exit_code
    }
    assert not wrong, wrong


def test_the_table_is_sorted():
    assert list(CODES) == sorted(CODES)


def test_something_is_raised_at_all():
    assert len({code for _, _, code in raised()}) > 20


def raised() -> Iterator[tuple[str, str, str]]:
    """Place, class and code of each error that is made with a literal code."""
    for source in package():
        for call in source.calls():
            name = called(call)
            if name in CLASSES:
                for code in codes(source, call):
                    yield f"{source.name}:{call.lineno}", name, code


def called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def codes(_source: Source, call: ast.Call) -> list[str]:
    first = call.args[0] if call.args else None
    choices = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
    return [
        choice.value
        for choice in choices
        if isinstance(choice, ast.Constant) and isinstance(choice.value, str)
    ]
