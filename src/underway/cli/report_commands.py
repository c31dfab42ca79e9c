"""The command that gathers what a bug report needs."""

import platform
from pathlib import Path

import click

from underway import api
from underway.cli.console import Console
from underway.cli.options import command
from underway.cli.working import project_options, use_session
from underway.errors import UsageError
from underway.model.names import RunNumber
from underway.report.line import faint, good, line
from underway.report.look_documents import ReportDocument
from underway.wiring.options import Reading


@command()
@click.argument("run", type=click.IntRange(min=1), required=False)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where to write it. Default: underway-report-APP-RUN.tar.gz.",
)
def report(console: Console, *, run: int | None, output: str | None) -> None:
    """Gather what a bug report needs, in one file.

    Of RUN (a number of `underway history`), by default the newest: its events, the plan, versions,
    what every container's engine says and its last lines, in one .tar.gz. Sensitive values are
    hidden; read it before you hand it on all the same. Nothing is sent anywhere.
    """
    from underway.report.bundle import bundle_files
    from underway.wiring.keeping import kept_events, write_bundle

    options = project_options(console.options)
    with use_session(console, is_quiet=True, reading=Reading.BEST) as session:
        number = RunNumber(run) if run else None
        found = api.evidence(session, number, kept_events(options, session.app))
        app = session.app
    machine = {"python": platform.python_version(), "platform": platform.platform()}
    files = list(bundle_files(found, machine))
    name = f"underway-report-{app}-{found.run.number}"
    path = Path(output or f"{name}.tar.gz")
    try:
        write_bundle(path, name, files)
    except OSError as error:
        raise UsageError(
            "report-not-written",
            f"{path} cannot be written",
            cause=str(error.strerror),
            hint="Name another place with --output.",
        ) from error
    if console.options.is_json:
        names = tuple(name for name, _ in files)
        console.print_document(
            ReportDocument(app, found.run.number, str(path), names, found.left_out)
        )
    else:
        console.print(
            [
                line(good("done"), f": {path}, {len(files)} files about run {found.run.number}"),
                *(line(faint(f"  left out: {text}")) for text in found.left_out),
            ]
        )
