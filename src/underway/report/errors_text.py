r"""How an error is drawn: `error[code]: message`, its place, why, what was seen, what to do. Pure.

One shape for every error, plain and in colour, so that people find the remedy with their eyes
and programs with `^error\[([a-z-]+)\]: `.
"""

from typing import Final

from underway.errors import CODES, UnderwayError
from underway.report.line import Line, Span, bad, faint, good, line, strong, table

EXIT_CODES: Final = {
    0: "done: what was asked for holds on every host",
    2: "usage: the command line is wrong, nothing was done",
    3: "configuration: the Compose file or `x-underway` is wrong, nothing was done",
    4: "refused: policy, a stale plan, an interruption not allowed, or a wish that cannot be met",
    5: "locked: somebody else works on this app",
    6: "unreachable: a host, a registry or a program does not answer",
    7: "integrity: a digest, checksum or record does not match",
    10: "failed and undone: the old release serves on every host",
    11: "not fully undone, or not whole: tells what is left and which command ends it",
    70: "a bug in Underway: please report it",
    130: "interrupted by a second Ctrl-C, before the run could be taken back",
}
"""What each exit code means."""


def error_lines(error: UnderwayError) -> list[Line]:
    """All that is known of `error`."""
    first, *rest = error.message.splitlines() or [""]
    lines = [line(bad(f"error[{error.code}]"), strong(f": {first}"))]
    lines.extend(line(f"  {text}") for text in rest)
    if error.place:
        lines.append(line(faint("  at    "), error.place))
    if error.cause:
        lines.extend(_labelled("  why   ", error.cause))
    lines.extend(line(faint("  |  "), text) for text in error.detail)
    if error.hint:
        first, *more = error.hint.splitlines()
        lines.append(line(good("  help: "), first))
        lines.extend(line(f"        {text}") for text in more)
    return lines


def _labelled(label: str, text: str) -> list[Line]:
    first, *more = text.splitlines()
    return [line(faint(label), first), *(line(f"        {entry}") for entry in more)]


def code_lines(code: str) -> list[Line]:
    """What the reference says of a code; raises KeyError."""
    entry = CODES[code]
    rows = [
        [faint("what"), Span(entry.meaning)],
        [faint("do"), Span(entry.remedy)],
        [faint("exit"), Span(f"{entry.exit_code}, {EXIT_CODES[entry.exit_code]}")],
    ]
    return [line(bad(f"error[{code}]")), *table(rows, indent=2)]


def code_list_lines() -> list[Line]:
    """All codes with their exit codes, one per line, and what the exit codes mean."""
    heads = [[faint("CODE"), faint("EXIT"), faint("MEANING")]]
    codes = table(
        heads
        + [
            [Span(code), faint(str(entry.exit_code)), Span(entry.meaning)]
            for code, entry in sorted(CODES.items())
        ]
    )
    exits = table([[faint(str(code)), Span(text)] for code, text in EXIT_CODES.items()], indent=2)
    hint = line("`underway errors CODE` tells what to do.")
    return [*codes, (), line(faint("exit codes")), *exits, (), hint]
