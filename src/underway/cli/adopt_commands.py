"""The command that takes over from Compose: `adopt`."""

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import WAIT, command
from underway.cli.release_commands import show_result
from underway.cli.working import require_yes, use_session
from underway.errors import UsageError
from underway.model.names import ServiceName
from underway.model.plan import Plan
from underway.report.document_making import plan_document
from underway.report.plan_text import plan_lines
from underway.report.result_text import returned_lines
from underway.wiring.options import Reading


@command()
@click.option("--plan", "plans", is_flag=True, help="Show what it would do, change nothing.")
@click.option("--undo", is_flag=True, help="Give the app back: what Compose ran comes back.")
@click.option(
    "--leave-data",
    multiple=True,
    metavar="SERVICE",
    help="The service need not see what it wrote into volumes that the file does not name; "
    "may be repeated.",
)
@click.option(
    "--allow-interruption",
    is_flag=True,
    help="Allow the switch of the published port, and services to stop for a moment.",
)
@click.option("--untested", is_flag=True, help="Run no tests; the release is recorded as untested.")
@WAIT
def adopt(
    console: Console,
    *,
    plans: bool,
    undo: bool,
    leave_data: tuple[str, ...],
    allow_interruption: bool,
    untested: bool,
    wait_s: float,
) -> None:
    """Take over from a running Compose project.

    Its services come behind the proxy beside the containers that run; then the published port goes
    from the old container to the proxy, which the plan names and asks about. Volumes stay where
    they are. The old containers are kept stopped until `underway prune`: --undo brings them back as
    they were, their port included.
    """
    if undo and (leave_data or untested):
        raise UsageError("usage", "--undo brings back all that ran.", hint="Give --undo alone.")
    if undo:
        _give_back(console, plans=plans, wait_s=wait_s)
        return
    options = api.AdoptOptions(
        allow_interruption=allow_interruption,
        leaves_data=frozenset(map(ServiceName, leave_data)),
        wait_s=wait_s,
        untested=untested,
    )
    with use_session(console, is_changing=not plans, reading=Reading.WHOLE) as session:
        if plans:
            _show_plan(console, api.adopting.plan_adoption(session, options))
            return
        if console.is_interactive and not allow_interruption:
            console.show(plan_lines(api.adopting.plan_adoption(session, options)))
        result = api.adopting.adopt(session, options)
    show_result(console, result)


def _give_back(console: Console, *, plans: bool, wait_s: float) -> None:
    with use_session(console, is_changing=not plans) as session:
        wanted = api.adopting.plan_return(session)
        if plans:
            _show_plan(console, wanted)
            return
        if not wanted.is_empty:
            console.show(plan_lines(wanted))
            require_yes(console, f"Give {session.app} back to Compose?")
        plan = api.adopting.give_back(session, wait_s=wait_s)
    if console.options.is_json:
        console.print_run("adopt", session.app)
    else:
        console.print(returned_lines(plan, session.app))


def _show_plan(console: Console, plan: Plan) -> None:
    if console.options.is_json:
        console.print_document(plan_document(plan))
    else:
        console.print(plan_lines(plan, is_verbose=console.options.is_verbose))
