"""The command that comes back from nothing: `recover`."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from underway import api
from underway.cli.backup_commands import AT, POINT, chosen
from underway.cli.console import Console
from underway.cli.interruption import cancel_on_interrupt
from underway.cli.options import WAIT, command
from underway.cli.working import project_options
from underway.compose.new_hosts import read_target
from underway.errors import UsageError
from underway.model.backup import SensitiveSource, SourceKind
from underway.report.recovery_text import (
    recovered_lines,
    recovery_document,
    recovery_lines,
)

if TYPE_CHECKING:
    from underway.model.recovery import Recovered
    from underway.wiring.recovering import Recall

_PASSWORD_VARIABLE = "RESTIC_PASSWORD"  # noqa: S105 - the name of a variable


@command()
@POINT
@AT
@click.option(
    "--from",
    "repository",
    required=True,
    metavar="REPOSITORY",
    help="The repository: restic's form of a remote place, or a directory of the new host.",
)
@click.option(
    "--to",
    "targets",
    required=True,
    multiple=True,
    metavar="[OLD=]HOST",
    help="The new host's URL; of several, `OLD=URL` for each, with `,ADDRESS` where the URL holds "
    "no private address.",
)
@click.option("--password-file", default="", metavar="FILE", help="Holds the password.")
@click.option("--password-command", default="", metavar="COMMAND", help="Prints the password.")
@click.option(
    "--password-variable",
    default="",
    metavar="NAME",
    help=f"The variable that holds it. Default: {_PASSWORD_VARIABLE}.",
)
@click.option(
    "--secrets",
    default=".",
    metavar="DIRECTORY",
    help="Where files of secrets are, by the paths that the Compose file names. Default: here.",
)
@WAIT
def recover(
    console: Console,
    *,
    point: str,
    at_s: float,
    repository: str,
    targets: tuple[str, ...],
    password_file: str,
    password_command: str,
    password_variable: str,
    secrets: str,
    wait_s: float,
) -> None:
    """Bring an app back onto fresh hosts, from its backups alone.

    Images come from their registry; the repository tells the release, its configuration and the
    data; this machine gives the team's secrets. No file of the project is needed. What was
    written since the restore point is lost, and named before it starts.
    """
    from underway.wiring.recovering import Recall

    recall = Recall(
        repository=repository,
        targets=tuple(read_target(text) for text in targets),
        password=_password(password_file, password_command, password_variable),
        choice=chosen(point, at_s),
        app=console.options.project_name,
        secrets=Path(secrets),
    )
    done = _recovered(console, recall, wait_s)
    if console.options.is_json:
        console.print_document(recovery_document(done))
    else:
        console.print(recovered_lines(done))


def _recovered(console: Console, recall: "Recall", wait_s: float) -> "Recovered":
    from underway.wiring.recovering import open_recovery

    options = project_options(console.options)
    with (
        console.follow() as sink,
        cancel_on_interrupt(lambda: console.has_begun) as cancel,
        open_recovery(options, sink, recall) as recovery,
    ):
        session = recovery.session
        session.cancel = cancel
        now = session.clock.now()
        console.show(recovery_lines(recovery.manifest, recovery.release, now))
        return api.recovering.recover(session, recovery.manifest, recovery.release, wait_s=wait_s)


def _password(file: str, line: str, variable: str) -> SensitiveSource:
    given = [text for text in (file, line, variable) if text]
    if len(given) > 1:
        raise UsageError(
            "usage",
            "The password has one source.",
            hint="Give one of --password-file, --password-command and --password-variable.",
        )
    if file:
        return SensitiveSource(SourceKind.FILE, (str(Path(file).absolute()),))
    if line:
        return SensitiveSource(SourceKind.COMMAND, tuple(shlex.split(line)))
    return SensitiveSource(SourceKind.VARIABLE, (variable or _PASSWORD_VARIABLE,))
