"""The program: its commands, and what becomes of errors and interrupts at the very top."""

import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from underway import __version__
from underway.cli.console import INTERRUPTED, Console
from underway.cli.options import COMPLETING, GlobalOptions, global_parameters
from underway.cli.sections import SectionedGroup
from underway.errors import BugError, UnderwayError

_WIDEST: Final = 100
_HELP = """Keep a Compose application running in production.

Reads the Compose file of this directory, as Docker Compose does, and what stands in it under
x-underway. `check` tells what is missing for a first deploy, `plan` what a deploy would do."""
_EPILOG = """\b
Options may stand before or after the command; `underway COMMAND --help` tells more.
Exit codes: 0 done, 2 usage, 3 configuration, 4 refused, 5 locked, 6 unreachable, 7 integrity,
10 failed and undone, 11 not fully undone, 70 a bug."""


def _width() -> int:
    """The columns of help pages, asked of the terminal without the modules click would load."""
    try:
        return min(os.get_terminal_size(sys.stdout.fileno()).columns, _WIDEST)
    except (OSError, ValueError):
        return _WIDEST


@click.group(
    cls=SectionedGroup,
    help=_HELP,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "terminal_width": _width()},
    params=global_parameters(is_hidden=False),
)
@click.version_option(
    __version__, "-V", "--version", prog_name="underway", message="%(prog)s %(version)s"
)
@click.pass_obj
def program(console: Console, /, **given: Any) -> None:
    """Keep what was asked of all commands; each merges its own."""
    console.options = GlobalOptions().merged(given)


def run_program(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code, never raises."""
    console = Console()
    if "--json" in arguments:
        console.options = GlobalOptions(is_json=True)
    try:
        result = program.main(
            list(arguments) or ["--help"], prog_name="underway", standalone_mode=False, obj=console
        )
    except click.ClickException as error:
        from underway.cli.mistakes import usage_error

        return _failed(console, usage_error(error))
    except (click.Abort, KeyboardInterrupt):
        return _interrupted(console)
    except UnderwayError as error:
        return _failed(console, error)
    except Exception as error:  # noqa: BLE001 (the very top: everything else is a bug of ours)
        return _failed(console, _bug(error, is_verbose=console.options.is_verbose))
    console.write_summary()
    return result if isinstance(result, int) else 0


def _interrupted(console: Console) -> int:
    if not console.has_begun:
        sys.stderr.write("\ninterrupted: no host was changed\n")
    return INTERRUPTED


def _failed(console: Console, error: UnderwayError) -> int:
    """Tell it, unless the shell asks what may come next: Tab prints nothing but answers."""
    if COMPLETING not in os.environ:
        console.print_error(error)
        console.write_summary(error)
    return error.exit_code


def _bug(error: Exception, *, is_verbose: bool) -> BugError:
    """A report without the error's own words: they may hold what must not be seen."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "underway" in frame.filename] or list(frames)
    where = f"{ours[-1].name}, line {ours[-1].lineno}" if ours else "unknown"
    detail = [f"underway {__version__}, Python {sys.version.split()[0]}, {sys.platform}"]
    if is_verbose:
        detail += [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return BugError(
        "bug",
        f"Underway met a {type(error).__name__} it does not know, in {where}.",
        hint="Report it with this output; with -v it shows the way there. What serves is unharmed.",
        detail=tuple(detail),
    )
