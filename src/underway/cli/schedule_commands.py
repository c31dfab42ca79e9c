"""The commands of `backup` that follow the schedule: how it stands, and what is due."""

from underway import api
from underway.cli.console import Console
from underway.cli.options import WAIT, command
from underway.cli.working import use_session
from underway.report.schedule_text import (
    ALARM,
    ran_document,
    ran_lines,
    schedule_document,
    schedule_lines,
)
from underway.wiring.options import Reading


@command()
def status(console: Console) -> int:
    """Show what `every` asks for: the last good backup, the next, what is late.

    Exit code 4 where a backup or a verification is overdue by more than two hours, or the last
    verification failed: let something that is not the backup's own timer run it.
    """
    with use_session(console, is_quiet=True, reading=Reading.WHOLE) as session:
        found = api.running_due.standings(session)
        now = session.clock.now()
    if console.options.is_json:
        console.print_document(schedule_document(session.app, found.duties, found.points))
    else:
        console.print(schedule_lines(found.duties, now))
    return ALARM if found.is_alarming else 0


@command()
@WAIT
def run(console: Console, *, wait_s: float) -> None:
    """Do what `every` asks for now: back up, forget what no rule keeps, verify.

    What is not due is not done, so a timer may call it often. What was missed is done once,
    however often it was missed. Two that run at once do it once.
    """
    with use_session(console, is_changing=True, reading=Reading.WHOLE) as session:
        done = api.running_due.run_due(session, wait_s=wait_s)
        now = session.clock.now()
    if console.options.is_json:
        document = ran_document(session.app, done.manifest, done.retention, done.proof)
        console.print_document(document)
    else:
        console.print(ran_lines(done.manifest, done.retention, done.proof, now))
