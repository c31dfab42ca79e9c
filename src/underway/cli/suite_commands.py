"""The command that tests the images, and changes nothing that serves."""

from pathlib import Path

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import command, offered
from underway.cli.working import use_session
from underway.errors import UsageError
from underway.errors.suggestion import name_hint
from underway.image.testing.junit import junit_text
from underway.model.names import HostName
from underway.report.suites_document import suites_document
from underway.report.suites_text import suite_lines
from underway.wiring.options import Reading


@command()
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@click.option(
    "--on",
    "host",
    metavar="HOST",
    shell_complete=offered("host_names"),
    help="Run on a host of the app.",
)
@click.option("--again", is_flag=True, help="Test what passed before, too.")
@click.option(
    "--junit", metavar="FILE", type=click.Path(dir_okay=False), help="Write JUnit XML there."
)
def test(
    console: Console, *, suites: tuple[str, ...], host: str | None, again: bool, junit: str | None
) -> int:
    """Test the images that a deploy would ship.

    Builds them, runs the suites of `x-underway: test` in them with the services they need, on a
    private network with fresh volumes, and removes all of it. What passed with the same images and
    settings is not run again. Pushes nothing. Exit code 4: a suite did not pass.
    """
    with use_session(console, is_changing=True, reading=Reading.WHOLE) as session:
        names = [known.name for known in session.spec.hosts]
        if host and HostName(host) not in names:
            raise UsageError(
                "test-host-unknown", f"the app has no host `{host}`", hint=name_hint(host, names)
            )
        options = api.SuiteOptions(suites, HostName(host) if host else None, is_again=again)
        report = api.test(session, options)
        app = session.app
    if junit:
        Path(junit).write_text(junit_text(app, report.results), encoding="utf-8")
    if console.options.is_json:
        console.print_document(
            suites_document(
                app,
                report.results,
                exit_code=report.exit_code,
                duration_s=report.duration_s,
                junit=junit or "",
            )
        )
    else:
        console.print(suite_lines(report.results, logs=report.logs, junit=junit or ""))
    return report.exit_code
