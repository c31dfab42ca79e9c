"""Every error code with its exit code, meaning and remedy: the source of the error reference.

A test holds that each code raised anywhere in the package stands here, and the other way round.
Keep the entries sorted by code.
"""

from typing import NamedTuple


class CodeEntry(NamedTuple):
    """What the error reference says of one code."""

    exit_code: int
    meaning: str
    remedy: str


CODES: dict[str, CodeEntry] = {
    "bug": CodeEntry(
        70,
        "Underway met a state it does not know.",
        "Report it with the output of the command; what serves is not touched.",
    ),
    "event-unreadable": CodeEntry(
        7,
        "A line of a recorded run is not an event that this version of Underway knows.",
        "Read it with the version of Underway that wrote it, or a newer one.",
    ),
    "program-missing": CodeEntry(
        6,
        "A program that Underway runs on this machine is not installed.",
        "Install the program that the message names, or put it on PATH.",
    ),
    "program-timeout": CodeEntry(
        6,
        "A program that Underway ran on this machine did not finish in time.",
        "Look at its last lines, mend what it waits for, and run the command again.",
    ),
}
