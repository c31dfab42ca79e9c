"""Options that every command understands, before or after its name, as with Docker Compose."""

import functools
import re
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

if TYPE_CHECKING:
    from underway.cli.console import Console


class GlobalOptions(NamedTuple):
    """What was asked of every command. Paths stay text: only a command needs them."""

    files: tuple[str, ...] = ()
    environment: str = ""
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    project_directory: str = ""
    project_name: str = ""
    is_json: bool = False
    is_plain: bool = False
    is_verbose: bool = False
    is_quiet: bool = False
    assumes_yes: bool = False
    has_no_color: bool = False

    def merged(self, given: dict[str, Any]) -> "GlobalOptions":
        """These with what was `given` later: lists add up, single values replace."""
        changes: dict[str, Any] = {}
        for name in self._fields:
            value = given.get(name)
            if value:
                earlier = getattr(self, name)
                changes[name] = (*earlier, *value) if isinstance(value, tuple) else value
        return self._replace(**changes)


COMPLETING: Final = "_UNDERWAY_COMPLETE"
"""Set by the shell where it asks what may come next: `bash_complete`."""


def offered(kind: str) -> Callable[[click.Context, click.Parameter, str], Any]:
    """What Tab offers: a function of `underway.cli.completion`, loaded when Tab is pressed."""

    def offer(context: click.Context, parameter: click.Parameter, incomplete: str) -> Any:
        from underway.cli import completion

        return getattr(completion, kind)(context, parameter, incomplete)

    return offer


class ProjectCommand(click.Command):
    """A command to which Tab offers the options of every command, too."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> Any:
        """Its own options, then those that its help page does not repeat."""
        found = super().shell_complete(ctx, incomplete)
        if not incomplete.startswith("-"):
            return found
        from underway.cli.completion import global_options

        return [*found, *global_options(incomplete)]


_DEFINITIONS: Final[tuple[tuple[tuple[str, ...], dict[str, Any]], ...]] = (
    (
        ("files", "-f", "--file"),
        {
            "multiple": True,
            "metavar": "FILE",
            "help": "Compose file; may be repeated. Default: as Compose finds it.",
            "shell_complete": offered("file_names"),
        },
    ),
    (
        ("environment", "-E", "--env"),
        {
            "metavar": "NAME",
            "help": "Environment: adds compose.NAME.yaml.",
            "shell_complete": offered("environments"),
        },
    ),
    (
        ("env_files", "--env-file"),
        {
            "multiple": True,
            "metavar": "FILE",
            "help": "File with values for interpolation; may be repeated.",
            "shell_complete": offered("file_names"),
        },
    ),
    (
        ("profiles", "--profile"),
        {"multiple": True, "metavar": "NAME", "help": "Compose profile; may be repeated."},
    ),
    (
        ("project_directory", "--project-directory"),
        {
            "metavar": "DIR",
            "help": "Where relative paths start. Default: beside the first file.",
        },
    ),
    (
        ("project_name", "-p", "--project-name"),
        {"metavar": "NAME", "help": "Name of the app. Default: `name:` of the file."},
    ),
    (
        ("is_json", "--json"),
        {
            "is_flag": True,
            "help": "Print the result as JSON on stdout, progress as JSON lines on stderr.",
        },
    ),
    (
        ("is_plain", "--plain"),
        {"is_flag": True, "help": "One line per event, without colour or live drawing."},
    ),
    (
        ("is_verbose", "-v", "--verbose"),
        {"is_flag": True, "help": "Every step; for a bug, where it happened."},
    ),
    (("is_quiet", "-q", "--quiet"), {"is_flag": True, "help": "Failures and results only."}),
    (
        ("assumes_yes", "-y", "--yes"),
        {
            "is_flag": True,
            "help": "Answer yes where remove and lock ask, and an app changes its environment.",
        },
    ),
    (
        ("has_no_color", "--no-color"),
        {"is_flag": True, "help": "No colour (so does the variable NO_COLOR)."},
    ),
)
GLOBAL_NAMES: Final = frozenset(names[0] for names, _ in _DEFINITIONS)


def global_parameters(*, is_hidden: bool, without: Collection[str] = ()) -> list[click.Parameter]:
    """The global options; `without` leaves short names to the command."""
    return [
        click.Option([name for name in names if name not in without], hidden=is_hidden, **settings)
        for names, settings in _DEFINITIONS
    ]


_HIDDEN: Final = global_parameters(is_hidden=True)
"""Shared by all commands: parameters hold no state, and making them anew costs start-up time."""


def command(
    *, without: Collection[str] = (), **settings: Any
) -> Callable[[Callable[..., int | None]], click.Command]:
    """A command that gets the console, with what was asked before and after its name."""

    def decorate(function: Callable[..., int | None]) -> click.Command:
        @functools.wraps(function)
        def merged(console: "Console", /, **given: Any) -> int | None:
            console.options = console.options.merged(given)
            own = {name: value for name, value in given.items() if name not in GLOBAL_NAMES}
            return function(console, **own)

        made: click.Command = click.command(cls=ProjectCommand, **settings)(click.pass_obj(merged))
        hidden = global_parameters(is_hidden=True, without=without) if without else _HIDDEN
        made.params.extend(hidden)
        return made

    return decorate


_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_DURATION: Final = re.compile(r"([0-9]+h)?([0-9]+m)?([0-9]+s)?")


def read_duration(_context: click.Context, _parameter: click.Parameter, text: str) -> float:
    """Seconds of `30s`, `5m`, `1h30m` or a plain number; a callback of click's options."""
    if text.isdecimal():
        return float(text)
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        message = f"{text!r} is not a duration such as 30s, 5m or 1h30m."
        raise click.BadParameter(message)
    parts = [part for part in match.groups() if part]
    return float(sum(int(part[:-1]) * _SECONDS[part[-1]] for part in parts))


def read_moment(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """Seconds since the epoch of a time, or of a duration ago; 0 for "". A callback of options.

    A time without a zone is of this machine's, as with Docker.
    """
    from datetime import datetime

    from underway.cli.moments import spoken_moment

    if not text:
        return 0.0
    moment = spoken_moment(text, datetime.now())  # noqa: DTZ005 - of this machine, as it is said
    if moment is not None:
        return moment.timestamp()
    try:
        return time.time() - read_duration(context, parameter, text)
    except click.BadParameter as error:
        message = f"{text!r} is neither a duration such as 10m nor a time such as "
        example = '2026-03-01T14:05:00Z or "yesterday 18:00".'
        raise click.BadParameter(message + example) from error


SERVICE: Final = click.argument(
    "service", metavar="SERVICE", shell_complete=offered("service_names")
)
SERVICES: Final = click.argument(
    "services", nargs=-1, metavar="[SERVICE...]", shell_complete=offered("service_names")
)
HOSTS: Final = click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="HOST",
    shell_complete=offered("host_names"),
    help="Only this host; may be repeated.",
)


def host_option(help_text: str) -> Callable[[Any], Any]:
    """`--host` of a command that is about one host."""
    return click.option(
        "--host",
        default="",
        metavar="HOST",
        shell_complete=offered("host_names"),
        help=help_text,
    )


SKIP_HOST: Final = click.option(
    "--skip-host",
    "skip_hosts",
    multiple=True,
    metavar="HOST",
    shell_complete=offered("host_names"),
    help="Leave a host outside this run; may be repeated. What runs there stays; "
    "other hosts of its services take over its replicas.",
)
ONLY: Final = click.option(
    "--only",
    multiple=True,
    metavar="SERVICE",
    shell_complete=offered("service_names"),
    help="Bring this service alone; may be repeated. Others stay as they run, and what of them "
    "differs is told.",
)
LIMIT: Final = click.option(
    "--limit",
    multiple=True,
    metavar="HOST",
    shell_complete=offered("host_names"),
    help="Replace replicas on this host alone; may be repeated. Others keep what they run, on "
    "purpose: `status` shows it, and the next deploy without --limit completes it.",
)
SEMVER: Final = click.option(
    "--semver",
    default="",
    metavar="VERSION",
    help="The version of what is built, instead of the one that git or the records tell.",
)
BUMP: Final = click.option(
    "--bump",
    type=click.Choice(["major", "minor", "patch"]),
    help="Compute the next version where the commit has none: which part of the last one grows.",
)
WAIT: Final = click.option(
    "--wait",
    "wait_s",
    default="0",
    callback=read_duration,
    metavar="DURATION",
    help="How long to wait for another run's lock (30s, 5m). Default: not at all.",
)


def _keep_summary(context: click.Context, _parameter: click.Parameter, path: str) -> None:
    if context.obj is not None:
        context.obj.summary_path = path


SUMMARY: Final = click.option(
    "--summary",
    envvar="GITHUB_STEP_SUMMARY",
    default="",
    expose_value=False,
    callback=_keep_summary,
    metavar="FILE",
    shell_complete=offered("file_names"),
    help="Append what came of the run there, as Markdown. Default: $GITHUB_STEP_SUMMARY, if set.",
)
ACCEPT_HISTORY: Final = click.option(
    "--accept-history",
    is_flag=True,
    help="Go on with the records that the hosts hold, though this machine knows others, or though "
    "they are not signed.",
)
