"""Commands between deploys: repair, prune, lock, remove."""

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import ACCEPT_HISTORY, SKIP_HOST, SUMMARY, WAIT, command
from underway.cli.release_commands import show_result
from underway.cli.working import require_yes, use_session
from underway.model.event import Level
from underway.model.lock import LockHolder
from underway.model.names import HostName
from underway.model.status import LockStatus
from underway.report.document_making import lock_document
from underway.report.lock_text import lock_lines
from underway.report.removal_text import removal_question, removal_texts
from underway.report.result_text import pruned_lines, removed_lines


@command()
@SKIP_HOST
@WAIT
@ACCEPT_HISTORY
@SUMMARY
def repair(
    console: Console, *, skip_hosts: tuple[str, ...], wait_s: float, accept_history: bool
) -> None:
    """End what an interrupted run left, mend what differs.

    Brings every host to what the current release says: starts what is missing, routes what is
    not routed, removes what is left over. What is as it should be is not touched. It works from
    any machine that has the file.
    """
    with use_session(console, is_changing=True, accepts_history=accept_history) as session:
        result = api.repair(session, skip_hosts=frozenset(map(HostName, skip_hosts)), wait_s=wait_s)
    show_result(console, result)


@command()
@WAIT
def prune(console: Console, *, wait_s: float) -> None:
    """Remove images and leftovers nothing needs any more.

    Keeps what runs, what a rollback to one of the last releases needs, and everything of other
    apps.
    """
    with use_session(console, is_changing=True) as session:
        plan = api.prune(session, wait_s=wait_s)
    if console.options.is_json:
        console.print_run("prune", session.app)
    else:
        console.print(pruned_lines(plan))


@command()
@click.option("--with-data", is_flag=True, help="Delete the app's volumes too.")
@WAIT
@ACCEPT_HISTORY
def remove(console: Console, *, with_data: bool, wait_s: float, accept_history: bool) -> None:
    """Take the app off its hosts.

    Stops and removes its replicas, networks, files, routes, images and records, and leaves other
    apps alone. Volumes stay unless --with-data is given. It says what goes for good and what
    stays, and asks; --yes answers. With --json both stand in the notes of the document, or, where
    nobody said yes, in the error.
    """
    with use_session(console, is_changing=True, accepts_history=accept_history) as session:
        wanted = api.plan_remove(session, with_data=with_data)
        if not wanted.is_empty:
            goes, stays = removal_texts(wanted)
            if console.options.is_json:
                for code, texts in (("goes", goes), ("stays", stays)):
                    for text in texts:
                        session.voice.note(Level.INFO, code, text)
            else:
                console.show(removal_question(wanted))
            told = (*(f"goes: {text}" for text in goes), *(f"stays: {text}" for text in stays))
            require_yes(console, f"Remove {session.app}?", told if console.options.is_json else ())
        plan = api.remove(session, with_data=with_data, wait_s=wait_s)
    if console.options.is_json:
        console.print_run("remove", session.app)
    else:
        console.print(removed_lines(plan, session.app, has_data=not with_data))


@command()
@click.argument("action", type=click.Choice(["show", "release"]), default="show")
def lock(console: Console, *, action: str) -> None:
    """Show who works on the app, or release a lock.

    A lock ends by itself when its client is gone: `release` takes it from a client that lives.
    That client changes nothing more, and what it had begun is for `underway repair`.
    """
    with use_session(console, is_quiet=True) as session:
        holders = api.lock_holders(session)
        if action == "release" and holders:
            console.show(lock_lines(session.app, _shown(holders), session.clock.now()))
            require_yes(console, "Take the lock away from this run?")
            api.lock_release(session)
            holders = api.lock_holders(session)
        now = session.clock.now()
    if console.options.is_json:
        console.print_document(lock_document(session.app, _shown(holders)))
    else:
        console.print(lock_lines(session.app, _shown(holders), now))


def _shown(holders: tuple[LockHolder, ...]) -> list[tuple[HostName, LockStatus]]:
    return [(held.host, LockStatus(held.holder, held.since, held.run)) for held in holders]
