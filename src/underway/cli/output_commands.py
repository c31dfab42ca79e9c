"""What comes as a stream from the hosts: the lines that replicas write, and what happens."""

import re
import sys
from base64 import b64encode
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from typing import NamedTuple

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import HOSTS, SERVICES, command, read_moment
from underway.cli.working import use_session
from underway.model.names import HostName, ServiceName
from underway.report.documents import LogDocument, encode_line
from underway.report.happening_text import happening_document, happening_line
from underway.report.log_text import LogPrefixes, log_data

_TAIL = 100


def _read_pattern(
    _context: click.Context, _parameter: click.Parameter, text: str
) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        message = f"{text!r} is no regular expression: {error}."
        raise click.BadParameter(message) from error


@command(without={"-f"})
@SERVICES
@click.option("-f", "--follow", is_flag=True, help="Go on as more is written.")
@click.option(
    "-n",
    "--tail",
    type=click.IntRange(min=0),
    metavar="N",
    help="Last N lines of each, 0 for all. Default: 100; all with --since, --until or --grep.",
)
@click.option(
    "--since",
    "since_s",
    callback=read_moment,
    metavar="WHEN",
    default="",
    help="Only what is younger: 10m, 2h, 2026-03-01T14:05:00Z.",
)
@click.option(
    "--until",
    "until_s",
    callback=read_moment,
    metavar="WHEN",
    default="",
    help="Only what is older, given like --since.",
)
@click.option(
    "--grep",
    "pattern",
    callback=_read_pattern,
    metavar="REGEX",
    default="",
    help="Only lines in which it is found; (?i) at its start ignores case.",
)
@HOSTS
@click.option(
    "--replica",
    "--index",
    "replicas",
    multiple=True,
    metavar="REPLICA",
    help="Only this replica, by its number or its container; may be repeated.",
)
@click.option("-t", "--timestamps", is_flag=True, help="Show when each line was written.")
@click.option("--no-log-prefix", "is_bare", is_flag=True, help="The lines alone.")
def logs(
    console: Console,
    *,
    services: tuple[str, ...],
    follow: bool,
    tail: int | None,
    since_s: float,
    until_s: float,
    pattern: re.Pattern[str] | None,
    hosts: tuple[str, ...],
    replicas: tuple[str, ...],
    timestamps: bool,
    is_bare: bool,
) -> None:
    """Show what the replicas write, from all hosts.

    All services without SERVICE, replicas of every generation that runs. With -f it goes on with
    the successors of replicas that are replaced, until Ctrl-C. (-f means --follow
    here; a Compose file is given with --file, or with -f before `logs`.) Without a terminal every
    byte comes as it was written.
    """
    if follow and until_s:
        message = "--until ends what --follow would wait for: leave one of them out."
        raise click.UsageError(message)
    names, places = tuple(map(ServiceName, services)), tuple(map(HostName, hosts))
    wanted = api.LogFilter(names, places, replicas, pattern, since_s, until_s)
    if tail is None:
        tail = 0 if since_s or until_s or pattern else _TAIL
    with use_session(console, is_quiet=True) as session:
        entries = api.logs(session, wanted, tail=tail, follow=follow)
        # Whoever follows ends it by Ctrl-C: that is no failure.
        with suppress(KeyboardInterrupt) if follow else nullcontext():
            names_host = len(session.spec.hosts) > 1
            told = _Telling(timestamps, is_bare=is_bare, names_host=names_host)
            _print_lines(console, entries, told)


@command(without={"-f"})
@SERVICES
@click.option("-f", "--follow", is_flag=True, help="Show what happens from now on.")
@click.option(
    "--since",
    "since_s",
    callback=read_moment,
    metavar="WHEN",
    default="24h",
    help="Only what is younger, given as for logs. Default: 24h.",
)
@click.option(
    "--until",
    "until_s",
    callback=read_moment,
    metavar="WHEN",
    default="",
    help="Only what is older.",
)
@HOSTS
def events(
    console: Console,
    *,
    services: tuple[str, ...],
    follow: bool,
    since_s: float,
    until_s: float,
    hosts: tuple[str, ...],
) -> None:
    """Show what happened on the app's hosts.

    Runs, as they are recorded; and what the engines say of the app's containers: started, exited,
    out of memory, unhealthy. An engine remembers a few hundred events, until it is restarted. With
    -f it goes on until Ctrl-C, and tells a run by the lock that it takes.
    """
    names, places = tuple(map(ServiceName, services)), tuple(map(HostName, hosts))
    with use_session(console, is_quiet=True) as session, suppress(KeyboardInterrupt):
        found = (
            api.follow_events(session, names, places)
            if follow
            else api.events(session, names, places, since_s=since_s, until_s=until_s)
        )
        for happening in found:
            if console.options.is_json:
                console.write_line(encode_line(happening_document(session.app, happening)))
            else:
                console.print([happening_line(happening)])


class _Telling(NamedTuple):
    """What stands before a line; `names_host` where the app has several hosts."""

    has_time: bool
    is_bare: bool
    names_host: bool

    def source(self, entry: "api.ReplicaLine") -> str:
        """The replica, and where it is: `libra-web-7f3a2c-1@app1`."""
        if self.is_bare:
            return ""
        return f"{entry.container}@{entry.host}" if self.names_host else entry.container


def _print_lines(console: Console, entries: "Iterable[api.ReplicaLine]", told: _Telling) -> None:
    """As they were written; what would steer a terminal does not reach one."""
    is_for_people = sys.stdout.isatty()
    prefixes = LogPrefixes()
    for entry in entries:
        source = told.source(entry)
        moment = entry.line.time if told.has_time else ""
        if console.options.is_json:
            console.write_line(encode_line(_document(entry)))
        elif is_for_people:
            console.print([prefixes.line(source, moment, entry.line.text)])
        else:
            console.write_bytes(log_data(source, moment, entry.line.data))


def _document(entry: "api.ReplicaLine") -> LogDocument:
    said = entry.line
    return LogDocument(
        entry.host,
        entry.service,
        entry.container,
        said.time,
        said.text,
        said.is_stderr,
        replica=entry.replica,
        data=b64encode(said.raw).decode(),
    )
