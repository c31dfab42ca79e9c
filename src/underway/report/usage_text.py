"""What replicas use, as a table: each amount beside its limit, red where little is left. Pure."""

from collections.abc import Callable
from typing import Final

from underway.model.usage import ReplicaUsage, UsageReport
from underway.report.amounts import size_text
from underway.report.line import Line, Span, bad, faint, line, table, warn

_HEADS = ("REPLICA", "HOST", "CPU", "MEMORY", "RECEIVED", "SENT", "PROCESSES")
_MUCH: Final = 0.75
_NEARLY_ALL: Final = 0.9


def usage_lines(report: UsageReport) -> list[Line]:
    """One line per replica; processors in percent of one, as `docker stats` has them."""
    lost = [line(bad(f"{host} does not answer")) for host in report.lost]
    if not report.replicas:
        return [line(faint("no replica runs")), *lost]
    rows = [[faint(head) for head in _HEADS]]
    rows.extend(_row(replica) for replica in report.replicas)
    return [*table(rows), *lost]


def _row(replica: ReplicaUsage) -> list[Span]:
    used, limit = replica.memory_bytes, replica.memory_limit_bytes
    return [
        Span(replica.name),
        Span(replica.host),
        _amount(replica.cpus, replica.cpu_limit, _percent),
        _amount(used, limit, size_text),
        _rate(replica.received_per_s),
        _rate(replica.sent_per_s),
        Span("-" if replica.processes is None else str(replica.processes)),
    ]


def _percent(cpus: float) -> str:
    return f"{cpus * 100:.1f}%"


def _rate(per_s: float | None) -> Span:
    return Span("-" if per_s is None else f"{size_text(per_s)}/s")


def _amount(used: float | None, limit: float, text: Callable[[float], str]) -> Span:
    if used is None:
        return Span("-")
    if not limit:
        return Span(text(used))
    told = f"{text(used)} of {text(limit)}"
    share = used / limit
    if share >= _NEARLY_ALL:
        return bad(told)
    return warn(told) if share >= _MUCH else Span(told)
