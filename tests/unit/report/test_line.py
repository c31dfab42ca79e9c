import pytest

from underway.report.amounts import age_text, count_text, duration_text, size_text, time_text
from underway.report.line import Span, bad, clean, draw, line, table


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0.0s"),
        (4.24, "4.2s"),
        (42.9, "42s"),
        (60, "1m 00s"),
        (3599, "59m 59s"),
        (7800, "2h 10m"),
        (273_600, "3d 4h"),
    ],
)
def test_durations(seconds: float, shown: str):
    assert duration_text(seconds) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [(812, "812 B"), (4300, "4.2 KiB"), (1024**3 * 1.3, "1.3 GiB"), (1024**4 * 5, "5.0 TiB")],
)
def test_sizes(size: float, shown: str):
    assert size_text(size) == shown


def test_counts():
    assert [count_text(number, "step") for number in (0, 1, 2)] == ["0 steps", "1 step", "2 steps"]


def test_ages_and_times_of_engines():
    assert age_text("1970-01-01T00:00:05.123456789Z", 10) == "4s"
    assert age_text("0001-01-01T00:00:00Z", 10) == ""
    assert age_text("never", 10) == ""
    assert time_text("2026-03-01T15:05:09+01:00") == "2026-03-01 14:05:09"
    assert time_text("yesterday") == "yesterday"


def test_colour_is_drawn_only_when_asked_for_and_never_around_blanks():
    lines = [line(bad("no"), bad("  "), " ", "x")]
    assert draw(lines) == "no   x\n"
    assert draw(lines, is_coloured=True) == "\x1b[31mno\x1b[0m   x\n"


def test_columns_are_as_wide_as_what_is_seen():
    rows = [[Span("a\x1b[31mb\x1b[0m"), Span("x")], [Span("abcd"), Span("")], [Span("only")]]
    assert draw(table(rows, indent=1)) == " ab    x\n abcd\n only\n"


def test_what_a_container_wrote_cannot_steer_the_terminal():
    assert clean("\x1b[2J\x1b]8;;http://x\x1b\\link\x1b]8;;\x07 tab\there\r\n") == "link tab\there"
    assert clean("a\x9bb\x00") == "a\\x9bb\\x00"
