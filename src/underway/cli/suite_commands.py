"""The command that tests the images, and changes nothing that serves."""

from pathlib import Path

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import BUMP, SEMVER, command, offered
from underway.cli.working import release_named, use_session, version_wish
from underway.errors import UsageError
from underway.errors.suggestion import name_hint
from underway.image.testing.junit import junit_text
from underway.model.names import AppName, HostName
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
@click.option(
    "--release",
    default="",
    metavar="RELEASE",
    shell_complete=offered("release_names"),
    help="Test the images of a recorded release, by number or tag, and build nothing.",
)
@click.option("--again", is_flag=True, help="Test what passed before, too.")
@click.option(
    "--junit", metavar="FILE", type=click.Path(dir_okay=False), help="Write JUnit XML there."
)
@SEMVER
@BUMP
def test(
    console: Console,
    *,
    suites: tuple[str, ...],
    host: str | None,
    release: str,
    again: bool,
    junit: str | None,
    semver: str,
    bump: str | None,
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
        options = api.SuiteOptions(
            suites,
            HostName(host) if host else None,
            is_again=again,
            version=version_wish(semver, bump),
        )
        number = release_named(session, release)
        report = api.retest(session, number, options) if number else api.test(session, options)
        app = session.app
    if junit:
        Path(junit).write_text(junit_text(app, report.results), encoding="utf-8")
    _show(console, app, report, junit or "")
    return report.exit_code


def _show(console: Console, app: AppName, report: "api.SuiteReport", junit: str) -> None:
    """Print what the suites came to."""
    results = report.results
    if console.options.is_json:
        took, code = report.duration_s, report.exit_code
        console.print_document(
            suites_document(app, results, exit_code=code, duration_s=took, junit=junit)
        )
    else:
        console.print(suite_lines(results, logs=report.logs, junit=junit))
