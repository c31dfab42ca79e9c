import pytest

from underway.errors import CODES, RefusedError, UnderwayError
from underway.report.errors_text import EXIT_CODES, code_lines, code_list_lines, error_lines
from underway.report.line import draw

WHOLE = """\
error[unknown-key]: `x-underway` does not know `hots`.
  at    compose.yaml:12
  why   Keys are checked one by one.
  |  hots: [app1]
  help: Did you mean `hosts`?
        See the reference for all keys.
"""


def test_every_part_of_an_error_has_its_place():
    error = RefusedError(
        "unknown-key",
        "`x-underway` does not know `hots`.",
        cause="Keys are checked one by one.",
        hint="Did you mean `hosts`?\nSee the reference for all keys.",
        place="compose.yaml:12",
        detail=("hots: [app1]",),
    )
    assert draw(error_lines(error)) == WHOLE


def test_a_bare_error_is_one_line():
    assert draw(error_lines(RefusedError("x", "No."))) == "error[x]: No.\n"


def test_colour_marks_the_code_and_the_help():
    text = draw(error_lines(RefusedError("x", "No.", hint="Ask.")), is_coloured=True)
    assert text.startswith("\x1b[31merror[x]\x1b[0m")
    assert "\x1b[32m  help: \x1b[0mAsk." in text


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_explained_with_its_exit_code(code: str):
    text = draw(code_lines(code))
    assert CODES[code].meaning in text
    assert CODES[code].remedy in text
    assert f"exit  {CODES[code].exit_code}, " in text


def test_the_list_of_codes_is_whole():
    text = draw(code_list_lines())
    shown = dict(line.split()[:2] for line in text.partition("\n\n")[0].splitlines()[1:])
    assert shown == {code: str(entry.exit_code) for code, entry in CODES.items()}
    assert all(meaning in text for meaning in EXIT_CODES.values())


def test_every_exit_code_of_the_error_tree_has_a_meaning():
    def codes_of(kind: type[UnderwayError]) -> set[int]:
        return {kind.exit_code}.union(*(codes_of(child) for child in kind.__subclasses__()))

    assert codes_of(UnderwayError) <= set(EXIT_CODES)
