"""The commands of `backup` that make sure one can come back: the recovery kit, and the drill."""

from underway import api
from underway.cli.console import Console
from underway.cli.options import WAIT, command
from underway.cli.working import project_options, use_session
from underway.model.drill import exit_code_of
from underway.report.drill_text import drill_document, drill_lines, kit_document, kit_lines
from underway.wiring.options import Reading


@command()
def kit(console: Console) -> None:
    """Print the recovery kit: what is needed to come back when the hosts are gone.

    One page without a secret: the repository, where its password is, which variables and files of
    secrets, and the command. Keep it where the hosts are not.
    """
    with use_session(console, is_quiet=True, reading=Reading.WHOLE) as session:
        found = api.drilling.kit(session)
    if console.options.is_json:
        console.print_document(kit_document(found))
    else:
        console.print(kit_lines(found))


@command()
@WAIT
def drill(console: Console, *, wait_s: float) -> int:
    """Try to restore the newest point of every app in the repository.

    Each is restored as `backup verify` does it, into throw-away volumes beside what serves; the
    table tells how long that took, and how old the data was. Exit code: that of the first failure.
    """
    from underway.wiring.neighbours import neighbours

    with use_session(console, is_changing=True, reading=Reading.WHOLE) as session:
        options = project_options(console.options)
        found = api.drilling.drill(session, neighbours(options, session), wait_s=wait_s)
    if console.options.is_json:
        console.print_document(drill_document(session.app, found))
    else:
        console.print(drill_lines(found))
    return exit_code_of(found)
