"""Commands that ask the hosts and change nothing: status, check."""

from underway import api
from underway.cli.console import Console
from underway.cli.options import command
from underway.cli.working import use_session
from underway.report.check_text import check_exit_code, check_lines
from underway.report.document_making import check_document, status_document
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
def check(console: Console) -> int:
    """Look whether the hosts have all a deploy needs.

    Changes nothing; only the tools image is brought, and containers that look from inside live
    for a moment. Whatever stops a deploy is a failure and comes with what to do about it; a warning
    works, with a limit. Exit code 0: a deploy can begin; 4: something fails; 6: a host does not
    answer.
    """
    return show_check(console)


def show_check(console: Console) -> int:
    """Look, print what was seen, and return the exit code."""
    with use_session(console, is_changing=True, is_quiet=True, reading=Reading.BEST) as session:
        results = api.check(session)
        app = session.app
    if console.options.is_json:
        console.print_document(check_document(app, results))
    else:
        console.print(check_lines(results))
    return check_exit_code(results)
