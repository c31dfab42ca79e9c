"""Who holds an app's lock, as text. Pure."""

from collections.abc import Sequence

from underway.model.names import AppName, HostName
from underway.model.status import LockStatus
from underway.report.amounts import age_text
from underway.report.line import Line, Span, faint, good, line, table

_HEADS = ("HOST", "HOLDER", "SINCE", "RUN")


def lock_lines(
    app: AppName, holders: Sequence[tuple[HostName, LockStatus]], now: float
) -> list[Line]:
    """Each host with its holder; `now` is seconds since the epoch."""
    if not holders:
        return [line(good("free"), f": nobody holds the lock of {app}")]
    rows = [[faint(head) for head in _HEADS]]
    for host, lock in holders:
        age = age_text(lock.since, now)
        since = f"{lock.since} ({age} ago)" if age else lock.since
        rows.append([Span(host), Span(lock.holder), Span(since), Span(lock.run or "-")])
    return table(rows)
