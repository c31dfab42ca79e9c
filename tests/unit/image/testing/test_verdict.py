"""The last line that counts, and JUnit XML that never hides a failure."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from tests.unit.image.testing.scene import SUITE, WEB
from underway.image.testing.junit import is_junit, junit_text
from underway.image.testing.redaction import Redactor
from underway.image.testing.verdict import LastLine, judge
from underway.model.names import SensitiveName
from underway.model.sensitive import Sensitive
from underway.model.testing import SuiteOutcome, SuiteResult

GREEN = '<testsuite name="pytest" tests="2" failures="0"><testcase name="a"/></testsuite>'
RED = (
    '<testsuites><testsuite name="pytest" tests="2" failures="1"><testcase name="a">'
    "<failure>no</failure></testcase></testsuite></testsuites>"
)
FAILED = SuiteResult(
    "web", WEB, SuiteOutcome.FAILED, 1.5, 1, "test-failed", "it failed", detail=("\x1b[31mred",)
)
PASSED = SuiteResult("web", WEB, SuiteOutcome.PASSED, 1.5, 0)


def last_of(*lines: tuple[str, bool]) -> str:
    last = LastLine()
    for text, is_stderr in lines:
        last.take(text, is_stderr=is_stderr)
    return last.text


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("one", False), ("two", False), ("  ", False)], "two"),
        ([("two", False), ("a warning at the end", True)], "two"),
        ([("Ran 3 tests", True), ("OK", True)], "OK"),
        ([("\x1b[32mResult: SUCCESS!\x1b[0m", False)], "Result: SUCCESS!"),
        ([], ""),
    ],
)
def test_the_last_line_that_is_not_blank_counts(lines: list[tuple[str, bool]], expected: str):
    assert last_of(*lines) == expected


@pytest.mark.parametrize("line", ["Result: SUCCESS! (not)", "no Result: SUCCESS!", "SUCCESS!"])
def test_a_line_that_only_holds_the_sentence_is_not_it(line: str):
    suite = replace(SUITE, last_line="Result: SUCCESS!")
    assert judge(suite, 0, line, ()).outcome is SuiteOutcome.NO_LAST_LINE


def test_without_a_named_line_the_exit_status_decides():
    assert judge(SUITE, 0, "FAILURE", ()).outcome is SuiteOutcome.PASSED
    assert judge(SUITE, 5, "SUCCESS", ()).outcome is SuiteOutcome.FAILED


def read(*results: SuiteResult) -> ET.Element:
    return ET.fromstring(junit_text("libra", results).encode())  # noqa: S314


def test_junit_is_made_from_verdicts():
    root = read(PASSED, replace(FAILED, suite="slow"))
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    failure = root.find(".//testcase[@name='slow']/failure")
    assert failure is not None
    assert failure.get("type") == "test-failed"
    assert "\x1b" not in (failure.text or "")


def test_junit_of_the_suite_itself_is_taken():
    root = read(replace(PASSED, reports=(GREEN,)), replace(FAILED, reports=(RED,)))
    assert [suite.get("name") for suite in root] == ["pytest", "pytest"]
    assert (root.get("tests"), root.get("failures")) == ("4", "1")


def test_a_report_without_failures_does_not_hide_a_failed_suite():
    root = read(replace(FAILED, reports=(GREEN,)))
    assert [suite.get("name") for suite in root] == ["pytest", "web"]
    assert root.find(".//failure") is not None


def test_what_is_no_junit_is_not_taken():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite name="&a;"/>'
    assert [is_junit(text) for text in (GREEN, RED, "<html/>", "nothing", bomb)] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert [suite.get("name") for suite in read(replace(PASSED, reports=(bomb,)))] == ["web"]


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("env/web/A", "*** and ***"),
        ("secret/key", "*** and ***"),
        ("test/web/A", "*** and ***"),
        ("config/nginx", "server { and listen 80;"),
        ("file/web/nginx.conf", "server { and listen 80;"),
        ("build/web/A", "server { and listen 80;"),
    ],
)
def test_lines_of_plain_files_are_left(name: str, hidden: str):
    redact = Redactor({SensitiveName(name): Sensitive(b"server {\n  listen 80;\n")})
    assert redact("server { and listen 80;") == hidden


def test_values_are_hidden_longest_first_and_short_ones_are_left():
    values = (b"on", b"pass", b"password1", b"\xff" * 9)
    named = {SensitiveName(f"env/web/{n}"): Sensitive(v) for n, v in enumerate(values)}
    assert Redactor(named)("password1 on pass") == "*** on ***"
