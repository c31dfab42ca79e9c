"""Lines of containers: for people with a prefix in the colour of its replica, else byte by byte."""

from dataclasses import dataclass, field

from underway.report.line import MARKS, Line, Span, faint, line


@dataclass(slots=True)
class LogPrefixes:
    """Knows the sources it has met: each keeps its colour, and all are as wide as the widest."""

    known: dict[str, int] = field(default_factory=dict)
    width: int = 0

    def line(self, source: str, moment: str, text: str) -> Line:
        """One line; without `source` it has no prefix, without `moment` no time."""
        told = faint(f"{moment} ") if moment else ""
        if not source:
            return line(told, text)
        place = self.known.setdefault(source, len(self.known))
        self.width = max(self.width, len(source))
        prefix = Span(f"{source:{self.width}} | ", MARKS[place % len(MARKS)])
        return line(prefix, told, text)


def log_data(source: str, moment: str, data: bytes) -> bytes:
    """The line with its newline; what follows the prefix is as it was written."""
    prefix = f"{source} | " if source else ""
    told = f"{moment} " if moment else ""
    return b"".join((prefix.encode(), told.encode(), data, b"\n"))
