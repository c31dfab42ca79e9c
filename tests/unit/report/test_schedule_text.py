"""What is late is told in red, with how long it is."""

import pytest

from tests.unit.backup.sample import APP, MANIFEST, UPLOADS
from tests.unit.backup.test_due import DAILY, WEEKLY, point, scheduled, seconds
from underway.backup.due import duties_of
from underway.model.restore_point import Proof
from underway.report.line import Line
from underway.report.schedule_text import ALARM, ran_lines, schedule_document, schedule_lines

FAILED = Proof("2026-12-01T05:00:00Z", has_passed=False, duration_s=9.0)


def plain(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in line) for line in lines)


@pytest.mark.parametrize(
    ("now", "proof", "said", "code"),
    [
        ("2026-12-01T12:00:00Z", None, "on time", 0),
        ("2026-12-02T04:00:00Z", None, "due now", 0),
        ("2026-12-02T06:00:00Z", None, "overdue for 3h 00m", ALARM),
        ("2026-12-07T09:00:00Z", None, "unverified for 4h 00m", ALARM),
        ("2026-12-01T06:00:00Z", FAILED, "the last verification failed", ALARM),
        ("2026-12-01T06:00:00Z", FAILED, "overdue: no good point", ALARM),
    ],
)
def test_a_table_and_a_document_tell_how_it_stands(
    now: str, proof: Proof | None, said: str, code: int
) -> None:
    points = (point("2026-12-01T03:00:09Z", proof=proof),)
    duties = duties_of(scheduled(verify=WEEKLY), (UPLOADS,), points, seconds(now))
    text = plain(schedule_lines(duties, seconds(now)))
    assert said in text
    assert DAILY.text in text
    document = schedule_document(APP, duties, points)
    assert document.exit_code == code
    assert document.newest
    assert document.newest.id == points[0].point


def test_what_was_done_is_told_and_nothing_otherwise() -> None:
    assert "nothing is due" in plain(ran_lines(None, None, None, 0.0))
    proof = Proof("2026-12-01T05:00:00Z", has_passed=True, duration_s=9.0)
    assert "restored whole in 9.0s" in plain(ran_lines(None, None, proof, 0.0))
    both = plain(ran_lines(MANIFEST, None, proof, seconds("2026-12-01T05:00:00Z")))
    assert MANIFEST.point in both
