from underway.report.line import draw
from underway.report.log_text import LogPrefixes, log_data


def test_each_replica_keeps_its_colour_and_nothing_steers_the_terminal():
    prefixes = LogPrefixes()
    lines = [
        prefixes.line("web-1", "", "a"),
        prefixes.line("worker-1", "", "b\x1b[2J"),
        prefixes.line("web-1", "12:00", "c"),
    ]
    assert draw(lines, is_coloured=True) == (
        "\x1b[36mweb-1 | \x1b[0ma\n"
        "\x1b[33mworker-1 | \x1b[0mb\n"
        "\x1b[36mweb-1    | \x1b[0m\x1b[2m12:00 \x1b[0mc\n"
    )


def test_bytes_stay_what_they_are():
    assert log_data("web-1", "", b"\xff\r") == b"web-1 | \xff\r\n"
    assert log_data("", "12:00", b"x  ") == b"12:00 x  \n"
