"""JUnit XML of a run of tests: what suites wrote themselves, completed by their verdicts. Pure.

Build servers look at the file only, so that a suite whose own report shows no failure, although it
failed, gets a test case that says so.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from underway.model.testing import SuiteOutcome, SuiteResult

_COUNTS: Final = ("tests", "failures", "errors", "skipped")
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LARGEST: Final = 32 * 1024 * 1024


def is_junit(text: str) -> bool:
    """Whether a document is JUnit XML."""
    root = _parsed(text)
    return root is not None and root.tag in {"testsuite", "testsuites"}


def junit_text(app: str, results: Sequence[SuiteResult]) -> str:
    """One document of all suites."""
    root = ET.Element("testsuites", name=app)
    for result in results:
        own = [element for text in result.reports for element in _suites(text)]
        root.extend(own)
        if not own or (not result.outcome.is_good and not _has_failure(own)):
            root.append(_made(result))
    _count(root)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _made(result: SuiteResult) -> ET.Element:
    """A suite of one case: the verdict."""
    took = f"{result.duration_s:.3f}"
    suite = ET.Element("testsuite", name=result.suite, tests="1", time=took)
    case = ET.SubElement(
        suite, "testcase", classname=f"underway.{result.service}", name=result.suite, time=took
    )
    if result.outcome is SuiteOutcome.ATTESTED:
        ET.SubElement(case, "skipped", message="passed before, with the same image and definition")
    elif not result.outcome.is_good:
        is_error = result.outcome in {SuiteOutcome.NEED_FAILED, SuiteOutcome.BROKEN}
        kind = "error" if is_error else "failure"
        failure = ET.SubElement(case, kind, type=result.code, message=_clean(result.message))
        failure.text = _clean("\n".join((result.cause, *result.detail)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(list(suite.iter(tag)))))
    return suite


def _suites(text: str) -> list[ET.Element]:
    root = _parsed(text)
    if root is None:
        return []
    if root.tag == "testsuite":
        return [root]
    return [element for element in root if element.tag == "testsuite"]


def _parsed(text: str) -> ET.Element | None:
    """The root; None for what is no XML, or declares entities: a report needs none."""
    if len(text) > _LARGEST or "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        return ET.fromstring(text)  # noqa: S314 (no document type, so no entities)
    except ET.ParseError:
        return None


def _has_failure(suites: Iterable[ET.Element]) -> bool:
    return any(
        next(suite.iter(tag), None) is not None for suite in suites for tag in ("failure", "error")
    )


def _count(root: ET.Element) -> None:
    for name in _COUNTS:
        numbers = (suite.get(name) or "0" for suite in root)
        root.set(name, str(sum(int(number) for number in numbers if number.isdecimal())))


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)
