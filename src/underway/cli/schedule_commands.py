"""The commands of `backup` that follow the schedule: how it stands, what is due, what calls it."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import WAIT, command
from underway.cli.working import project_options, use_session
from underway.compose.timers import Timer, TimerKind, timer_text
from underway.errors import UsageError
from underway.report.metrics_text import metrics_text
from underway.report.schedule_documents import TimerDocument
from underway.report.schedule_text import (
    ran_document,
    ran_lines,
    schedule_document,
    schedule_lines,
)
from underway.wiring.options import Reading

if TYPE_CHECKING:
    from underway.wiring.options import SessionOptions


@command()
@click.option("--notify", is_flag=True, help="Tell whoever `notify` names of what is late.")
def status(console: Console, *, notify: bool) -> int:
    """Show what `every` asks for: the last good backup, the next, what is late.

    Exit code 4 where a backup or a verification is overdue by more than two hours, or the last
    verification failed: let something that is not the backup's own timer run it.
    """
    with use_session(console, is_quiet=True, reading=Reading.WHOLE) as session:
        found = api.running_due.standings(session)
        now = session.clock.now()
        if notify:
            api.running_due.tell_late(session, found)
    document = schedule_document(session.app, found.duties, found.points)
    if console.options.is_json:
        console.print_document(document)
    else:
        console.print(schedule_lines(found.duties, now))
    return document.exit_code


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


@command()
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write them into this file, whole or not at all, for node_exporter's textfile collector.",
)
def metrics(console: Console, *, target: Path | None) -> None:
    """Print how backups stand, for Prometheus.

    The moment of the newest good data of each volume, size and duration of the newest point, when
    one was verified, what is late.
    """
    with use_session(console, is_quiet=True, reading=Reading.WHOLE) as session:
        volumes, found = api.running_due.looked(session)
    text = metrics_text(session.app, volumes, found.points, found.duties)
    if console.options.is_json:
        console.print_document(schedule_document(session.app, found.duties, found.points))
    elif target is None:
        sys.stdout.write(text)
    if target is None:
        return
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_text(text)
        part.replace(target)
    except OSError as error:
        raise UsageError("usage", f"{target} cannot be written: {error.strerror}") from error


@command()
@click.argument("kind", type=click.Choice([one.value for one in TimerKind]))
def timer(console: Console, *, kind: str) -> None:
    """Print what calls `backup run` on this machine: systemd's units, or a line for cron.

    It is for the directory that this is run in, and for the files and the environment that are
    named. Variables that the file takes from outside have to be there, too.
    """
    options = project_options(console.options)
    directory = Path.cwd()
    program = shutil.which(sys.argv[0]) or "underway"
    words = (str(Path(program).absolute()), "backup", "run", "--plain", "--wait", "10m")
    made = Timer(directory.name, str(directory), (*words, *_same_project(options)))
    text = timer_text(TimerKind(kind), made)
    if console.options.is_json:
        console.print_document(TimerDocument(kind, text))
    else:
        sys.stdout.write(text)


def _same_project(options: "SessionOptions") -> Iterator[str]:
    """The options that name the project, as they were given."""
    given = [
        *(("-f", str(file.absolute())) for file in options.files),
        *(("--env-file", str(file.absolute())) for file in options.env_files),
        *(("--profile", name) for name in options.profiles),
        ("-E", options.environment),
        ("-p", options.project_name),
    ]
    if options.project_directory:
        given.append(("--project-directory", str(options.project_directory.absolute())))
    for option, value in given:
        if value:
            yield from (option, value)
