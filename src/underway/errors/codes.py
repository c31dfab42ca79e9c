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
}
