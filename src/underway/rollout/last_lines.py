"""What a container said last, without saying it again. Pure."""

from collections.abc import Sequence


def without_repeats(lines: Sequence[str]) -> list[str]:
    """The last round of lines that say the same over and over; other lines as they are.

    A container that its engine restarts tells the same traceback at every start. The first round
    may be cut off at its beginning.
    """
    for period in range(1, len(lines) // 2 + 1):
        if all(lines[n] == lines[n + period] for n in range(len(lines) - period)):
            return list(lines[-period:])
    return list(lines)
