"""Commands that look at what was recorded: history, releases, show, diff."""

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import command, offered
from underway.cli.working import release_named, use_session
from underway.model.names import NO_RELEASE
from underway.report.history_documents import (
    comparison_document,
    history_document,
    release_detail_document,
    releases_document,
)
from underway.report.history_text import history_lines, release_list_lines
from underway.report.release_text import comparison_lines, release_detail_lines
from underway.wiring.options import Reading

_LIMIT = click.option(
    "-n",
    "--limit",
    default=20,
    type=click.IntRange(min=0),
    metavar="N",
    help="At most N, 0 for all. Default: 20.",
)


@command()
@click.option("--releases", "lists_releases", is_flag=True, help="List releases instead of runs.")
@_LIMIT
def history(console: Console, *, lists_releases: bool, limit: int) -> None:
    """List runs, or releases.

    What ran when, by whom, and what came of it; with --releases what can be deployed or rolled
    back to, by number or tag, which one runs where, and which failed. Newest first; -v tells why
    runs failed.
    """
    with use_session(console, is_quiet=True) as session:
        if lists_releases:
            _print_releases(console, session, limit)
        else:
            _print_runs(console, session, limit)


@command()
@_LIMIT
def releases(console: Console, *, limit: int) -> None:
    """List releases, newest first.

    What can be deployed or rolled back to, by number or tag, which one runs where, and which
    failed: `history --releases` in a word.
    """
    with use_session(console, is_quiet=True) as session:
        _print_releases(console, session, limit)


@command()
@click.argument("release", default="", metavar="[RELEASE]", shell_complete=offered("release_names"))
def show(console: Console, *, release: str) -> None:
    """Show a release in full.

    Its images with their digests, its tests, who made it when, the runs that brought it, and its
    configuration, sensitive values hidden. Without RELEASE, a number or a tag, it is the one that
    the app runs.
    """
    with use_session(console, is_quiet=True) as session:
        detail = api.release_detail(session, release_named(session, release))
    if console.options.is_json:
        console.print_document(release_detail_document(detail))
    else:
        console.print(release_detail_lines(detail))


@command()
@click.argument("before", default="", metavar="[RELEASE]", shell_complete=offered("release_names"))
@click.argument("after", default="", metavar="[RELEASE]", shell_complete=offered("release_names"))
def diff(console: Console, *, before: str, after: str) -> None:
    """Show what differs between two releases.

    With one RELEASE, a number or a tag, what the file has otherwise; without any, what it has
    otherwise than what the app runs. Of sensitive values it tells that they differ, never what they
    are. Nothing is built: whether a built image differs is told by `underway plan`.
    """
    reading = Reading.SITE if after else Reading.WHOLE
    with use_session(console, is_quiet=True, reading=reading) as session:
        numbers = (release_named(session, before), release_named(session, after))
        found = api.compare(session, *numbers)
    if console.options.is_json:
        console.print_document(comparison_document(session.app, found))
    else:
        console.print(comparison_lines(found))


def _print_runs(console: Console, session: "api.Session", limit: int) -> None:
    runs = api.history(session)[-limit:]
    if console.options.is_json:
        console.print_document(history_document(session.app, runs))
    else:
        console.print(history_lines(runs, is_verbose=console.options.is_verbose))


def _print_releases(console: Console, session: "api.Session", limit: int) -> None:
    known = api.release_list(session)[-limit:]
    current = next((k.release.number for k in known if k.is_current), NO_RELEASE)
    if console.options.is_json:
        console.print_document(releases_document(session.app, known, current))
    else:
        console.print(release_list_lines(known))
