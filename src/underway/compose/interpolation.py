"""Which variables from outside the file a value is made of.

Follows Compose's interpolation: `$NAME`, `${NAME}`, `${NAME:-default}`, `-`, `:?`, `?`, `:+`, `+`,
nested, and `$$` for a dollar. A literal default that is taken because its variable is unset is
not from outside.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_START = re.compile(r"\$(?:(?P<dollar>\$)|(?P<plain>[A-Za-z_][A-Za-z0-9_]*)|(?P<open>\{))")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BUILT_IN = frozenset({"COMPOSE_PROJECT_NAME"})
"""Set by Compose itself, from the file."""
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${NAME...}`: its operator ("" for none) and the text behind it."""

    name: str
    operator: str = ""
    operand: str = ""


def references_in(template: str) -> Iterator[Reference]:
    """The references at the top of a template, in order; operands are not looked into."""
    position = 0
    while match := _START.search(template, position):
        position = match.end()
        if plain := match.group("plain"):
            yield Reference(plain)
        elif match.group("open"):
            end = _closing_brace(template, position)
            reference = _braced(template[position:end])
            position = end + 1
            if reference is not None:
                yield reference


def variables_in(template: str) -> frozenset[str]:
    """Every variable a template names, those in defaults too."""
    names: set[str] = set()
    for reference in references_in(template):
        names.add(reference.name)
        names |= variables_in(reference.operand)
    return frozenset(names)


def outside_variables(template: str, variables: Mapping[str, str]) -> frozenset[str]:
    """The variables whose values the interpolated text holds; `variables` are those set."""
    names: set[str] = set()
    for reference in references_in(template):
        value = variables.get(reference.name)
        is_given = bool(value) if reference.operator.startswith(":") else value is not None
        match reference.operator:
            case ":-" | "-" if not is_given:
                names |= outside_variables(reference.operand, variables)
            case ":+" | "+":
                if is_given:
                    names |= outside_variables(reference.operand, variables)
            case _:
                if value is not None:
                    names.add(reference.name)
    return frozenset(names - _BUILT_IN)


def unset_variables(template: str, variables: Mapping[str, str]) -> frozenset[str]:
    """The variables that Compose replaces by nothing, because nobody set them."""
    names: set[str] = set()
    for reference in references_in(template):
        value = variables.get(reference.name)
        if reference.operator == "" and value is None:
            names.add(reference.name)
        elif reference.operator in {":-", "-"} and not value:
            names |= unset_variables(reference.operand, variables)
    return frozenset(names - _BUILT_IN)


def required_variables(template: str, variables: Mapping[str, str]) -> frozenset[str]:
    """The variables for want of which Compose refuses a template (`:?`, `?`)."""
    names: set[str] = set()
    for reference in references_in(template):
        value = variables.get(reference.name)
        is_given = bool(value) if reference.operator.startswith(":") else value is not None
        match reference.operator:
            case ":?" | "?" if not is_given:
                names.add(reference.name)
            case ":-" | "-" if not is_given:
                names |= required_variables(reference.operand, variables)
            case ":+" | "+" if is_given:
                names |= required_variables(reference.operand, variables)
    return frozenset(names)


def templates_in(tree: object) -> Iterator[str]:
    """Every text in a tree that holds a dollar."""
    if isinstance(tree, str):
        if "$" in tree:
            yield tree
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from templates_in(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from templates_in(value)


def _closing_brace(template: str, start: int) -> int:
    depth = 1
    for position in range(start, len(template)):
        if template[position] == "{" and template[position - 1] == "$":
            depth += 1
        elif template[position] == "}":
            depth -= 1
            if depth == 0:
                return position
    return len(template)


def _braced(text: str) -> Reference | None:
    match = _NAME.match(text)
    if match is None:
        return None
    rest = text[match.end() :]
    for operator in _OPERATORS:
        if rest.startswith(operator):
            return Reference(match.group(), operator, rest[len(operator) :])
    return Reference(match.group())
