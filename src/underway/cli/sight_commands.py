"""Commands that ask the hosts and change nothing: status, history, logs, check."""

import sys
import time
from contextlib import nullcontext, suppress

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import command, read_duration
from underway.cli.working import use_session
from underway.model.names import NO_RELEASE, ServiceName
from underway.report.check_text import check_exit_code, check_lines
from underway.report.document_making import check_document, status_document
from underway.report.documents import LogDocument, encode_line
from underway.report.history_documents import history_document, releases_document
from underway.report.history_text import history_lines, release_list_lines
from underway.report.line import clean
from underway.report.status_text import status_lines
from underway.wiring.options import Reading


@command()
def status(console: Console) -> int:
    """Show what runs, what serves, and what differs.

    Every difference from the current release comes with the command that ends it. Exit code 0: as
    the release says; 6: a host does not answer; 11: something differs or is left.
    """
    with use_session(console, is_quiet=True) as session:
        report = api.status(session)
    if console.options.is_json:
        console.print_document(status_document(report))
    else:
        console.print(status_lines(report))
    return report.exit_code


@command()
@click.option("--releases", is_flag=True, help="List releases instead of runs.")
@click.option(
    "-n",
    "--limit",
    default=20,
    type=click.IntRange(min=0),
    metavar="N",
    help="At most N, 0 for all. Default: 20.",
)
def history(console: Console, *, releases: bool, limit: int) -> None:
    """List runs, or releases.

    What ran when, by whom, and what came of it; with --releases what can be deployed or rolled
    back to, by number or tag, which one runs where, and which failed. Newest first; -v tells why
    runs failed.
    """
    with use_session(console, is_quiet=True) as session:
        if releases:
            _print_releases(console, session, limit)
        else:
            _print_runs(console, session, limit)


def _print_runs(console: Console, session: api.Session, limit: int) -> None:
    runs = api.history(session)[-limit:]
    if console.options.is_json:
        console.print_document(history_document(session.app, runs))
    else:
        console.print(history_lines(runs, is_verbose=console.options.is_verbose))


def _print_releases(console: Console, session: api.Session, limit: int) -> None:
    known = api.release_list(session)[-limit:]
    current = next((k.release.number for k in known if k.is_current), NO_RELEASE)
    if console.options.is_json:
        console.print_document(releases_document(session.app, known, current))
    else:
        console.print(release_list_lines(known))


@command(without={"-f"})
@click.argument("services", nargs=-1, metavar="[SERVICE...]")
@click.option("-f", "--follow", is_flag=True, help="Go on as more is written.")
@click.option(
    "-n",
    "--tail",
    default=100,
    type=click.IntRange(min=0),
    metavar="N",
    help="Last N lines of each, 0 for all.",
)
@click.option(
    "--since",
    "since_s",
    callback=read_duration,
    metavar="DURATION",
    default="0",
    help="Only what is younger (10m, 2h).",
)
@click.option("-t", "--timestamps", is_flag=True, help="Show when each line was written.")
def logs(
    console: Console,
    *,
    services: tuple[str, ...],
    follow: bool,
    tail: int,
    since_s: float,
    timestamps: bool,
) -> None:
    """Show what the replicas write, from all hosts.

    All services without SERVICE, replicas of every generation that runs. With -f it goes on with
    the successors of replicas that are replaced, until Ctrl-C. (-f means --follow
    here; a Compose file is given with --file, or with -f before `logs`.)
    """
    since = time.time() - since_s if since_s else 0.0
    with use_session(console, is_quiet=True) as session:
        names = tuple(map(ServiceName, services))
        entries = api.logs(session, names, tail=tail, follow=follow, since_s=since)
        # Whoever follows ends it by Ctrl-C: that is no failure.
        with suppress(KeyboardInterrupt) if follow else nullcontext():
            for entry in entries:
                _print_line(console, entry, has_time=timestamps)


def _print_line(console: Console, entry: api.ReplicaLine, *, has_time: bool) -> None:
    """Text as it was written, but never steering a terminal."""
    if console.options.is_json:
        said = entry.line
        text = encode_line(
            LogDocument(
                entry.host, entry.service, entry.container, said.time, said.text, said.is_stderr
            )
        )
    else:
        written = clean(entry.line.text) if sys.stdout.isatty() else entry.line.text
        moment = f"{entry.line.time} " if has_time else ""
        text = f"{entry.container} | {moment}{written}"
    console.write_line(text)


@command()
def check(console: Console) -> int:
    """Look whether the hosts have all a deploy needs.

    Changes nothing; only the tools image is brought, and containers that look from inside live
    for a moment. Whatever stops a deploy is a failure and comes with what to do about it; a warning
    works, with a limit. Exit code 0: a deploy can begin; 4: something fails; 6: a host does not
    answer.
    """
    with use_session(console, is_changing=True, is_quiet=True, reading=Reading.BEST) as session:
        results = api.check(session)
        app = session.app
    if console.options.is_json:
        console.print_document(check_document(app, results))
    else:
        console.print(check_lines(results))
    return check_exit_code(results)
