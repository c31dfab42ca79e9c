"""Commands about what runs at this moment: its load, and where users reach it."""

import sys
from collections.abc import Iterator
from contextlib import suppress

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import SERVICES, command, offered, read_duration
from underway.cli.working import use_session
from underway.model.names import ServiceName
from underway.model.usage import UsageReport
from underway.report.document_making import urls_document, usage_document
from underway.report.line import line
from underway.report.usage_text import usage_lines

_LEAST_S = 0.5


@command()
@SERVICES
@click.option("--once", "--no-stream", "is_once", is_flag=True, help="One look, and no more.")
@click.option(
    "--interval",
    "interval_s",
    default="2s",
    callback=read_duration,
    metavar="DURATION",
    help="How long between two looks. Default: 2s.",
)
def top(console: Console, *, services: tuple[str, ...], is_once: bool, interval_s: float) -> None:
    """Show what replicas use, beside their limits.

    Processors, memory, network. Live on a terminal, until Ctrl-C; elsewhere, and with --json, one
    look over one interval. Processors are in percent of one, as `docker stats` has them; memory
    without the cache that the kernel would give back.
    """
    is_live = not (is_once or console.options.is_json) and sys.stdout.isatty()
    with use_session(console, is_quiet=True) as session, suppress(KeyboardInterrupt):
        names = tuple(map(ServiceName, services))
        reports = api.usage(session, names, interval_s=max(interval_s, _LEAST_S))
        if is_live:
            _draw(console, reports)
        elif console.options.is_json:
            console.print_document(usage_document(session.app, next(reports)))
        else:
            console.print(usage_lines(next(reports)))


def _draw(console: Console, reports: Iterator[UsageReport]) -> None:
    """One table in place of the one before."""
    for report in reports:
        console.redraw(usage_lines(report))


@command()
@click.argument("service", default="", metavar="[SERVICE]", shell_complete=offered("service_names"))
def open(console: Console, *, service: str) -> None:  # noqa: A001 (the word of the command)
    """Print where users reach the app.

    One URL per host name of each service that an edge takes users to, of the release that runs.
    """
    with use_session(console, is_quiet=True) as session:
        found = api.urls(session, ServiceName(service) if service else None)
    if console.options.is_json:
        console.print_document(urls_document(session.app, found))
    else:
        console.print([line(one.url) for one in found])
