"""The JSON document of a run of tests. Pure."""

from collections.abc import Sequence

from underway.errors import CODES
from underway.model.names import AppName
from underway.model.testing import SuiteResult
from underway.report.document_parts import ErrorPart, SuitePart
from underway.report.documents import SuitesDocument
from underway.report.line import clean


def suites_document(
    app: AppName, results: Sequence[SuiteResult], *, exit_code: int, duration_s: float, junit: str
) -> SuitesDocument:
    """What a run of tests came to; `junit` is the file that was written, or ""."""
    return SuitesDocument(
        app=app,
        exit_code=exit_code,
        duration_s=duration_s,
        logs=next((result.logs for result in results if result.logs), ""),
        junit=junit,
        suites=tuple(_suite(result) for result in results),
    )


def _suite(result: SuiteResult) -> SuitePart:
    error = ErrorPart(
        code=result.code,
        exit_code=CODES[result.code].exit_code if result.code in CODES else 0,
        message=result.message,
        cause=result.cause,
        hint=result.hint,
        place="",
        detail=tuple(clean(entry) for entry in result.detail),
    )
    return SuitePart(
        name=result.suite,
        service=result.service,
        outcome=result.outcome.value,
        exit_code=result.exit_code,
        duration_s=result.duration_s,
        error=None if result.outcome.is_good else error,
    )
