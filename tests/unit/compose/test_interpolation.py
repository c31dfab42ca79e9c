"""Which variables a value is made of, in every form that Compose knows."""

import pytest

from underway.compose.interpolation import outside_variables, unset_variables, variables_in

SET = {"A": "1", "EMPTY": ""}


@pytest.mark.parametrize(
    ("template", "outside", "unset"),
    [
        ("plain", "", ""),
        ("$$A and $${A}", "", ""),
        ("$A", "A", ""),
        ("x${A}y", "A", ""),
        ("$B", "", "B"),
        ("${B}", "", "B"),
        ("${B:-default}", "", ""),
        ("${B-default}", "", ""),
        ("${EMPTY:-default}", "", ""),
        ("${EMPTY-default}", "EMPTY", ""),
        ("${A:-default}", "A", ""),
        ("${B:-$A}", "A", ""),
        ("${B:-${C:-${A}}}", "A", ""),
        ("${B:-${C}}", "", "C"),
        ("${A:?needed}", "A", ""),
        ("${A:+replaced}", "", ""),
        ("${A:+$A}", "A", ""),
        ("${B:+$A}", "", ""),
        ("${EMPTY:+$A}", "", ""),
        ("${EMPTY+$A}", "A", ""),
        ("$$$A", "A", ""),
        ("${COMPOSE_PROJECT_NAME}-$A", "A", ""),
        ("${", "", ""),
        ("100$", "", ""),
    ],
)
def test_only_values_from_outside_count(template: str, outside: str, unset: str) -> None:
    assert outside_variables(template, SET) == frozenset(outside.split())
    assert unset_variables(template, SET) == frozenset(unset.split())


def test_variables_in_defaults_are_found() -> None:
    assert variables_in("${A:-${B-$C}} $D $$E") == {"A", "B", "C", "D"}
