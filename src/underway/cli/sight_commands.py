"""Commands that ask the hosts and change nothing: status, history, check."""

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import command
from underway.cli.working import use_session
from underway.model.names import NO_RELEASE
from underway.report.check_text import check_exit_code, check_lines
from underway.report.document_making import check_document, status_document
from underway.report.history_documents import history_document, releases_document
from underway.report.history_text import history_lines, release_list_lines
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
