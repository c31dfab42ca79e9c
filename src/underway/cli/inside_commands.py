"""Commands in the app's containers: exec and run."""

import os
import shlex
from collections.abc import Callable
from typing import Any, Final

import click

from underway import api
from underway.cli.console import INTERRUPTED, Console
from underway.cli.interruption import ended_by_signals
from underway.cli.options import SERVICE, command, host_option
from underway.cli.working import use_session
from underway.model.names import HostName, ServiceName
from underway.model.spec import EnvVar

_TAKES_THE_REST: Final[dict[str, Any]] = {"allow_interspersed_args": False}
"""What follows SERVICE is the command's, its options too."""
_BROKEN_PIPE: Final = 141
"""What a shell tells of a command whose reader went away."""


def _variables(
    _context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[EnvVar, ...]:
    """`NAME=VALUE`, or `NAME` with this shell's value."""
    found = []
    for text in given:
        name, equals, value = text.partition("=")
        if not name or (not equals and name not in os.environ):
            message = f"{text!r} is neither NAME=VALUE nor a variable that is set here."
            raise click.BadParameter(message)
        found.append(EnvVar(name, value if equals else os.environ[name]))
    return tuple(found)


def _words(_context: click.Context, _parameter: click.Parameter, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}.") from error


_NO_TTY = click.option(
    "-T",
    "--no-tty",
    "--no-TTY",
    is_flag=True,
    help="No terminal for the command, although there is one: bytes as they are.",
)
_ENVIRONMENT = click.option(
    "-e",
    "variables",
    multiple=True,
    callback=_variables,
    metavar="NAME[=VALUE]",
    help="Set a variable, or hand on this shell's; may be repeated.",
)
_USER = click.option("-u", "--user", default="", metavar="USER", help="Run it as this user.")
_DIRECTORY = click.option("-w", "--workdir", default="", metavar="DIR", help="Run it there.")
_HABIT = click.option(
    "-i",
    "--interactive",
    "-t",
    "--tty",
    "_habit",
    is_flag=True,
    hidden=True,
    help="So by default, as with Docker Compose.",
)
"""People type `-it`."""


@command(name="exec", context_settings=_TAKES_THE_REST)
@SERVICE
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
@click.option(
    "--replica",
    "--index",
    type=click.IntRange(min=1),
    metavar="N",
    help="Which replica.",
)
@host_option("In a replica on this host.")
@_NO_TTY
@_ENVIRONMENT
@_USER
@_DIRECTORY
@_HABIT
def exec_(
    console: Console,
    *,
    service: str,
    words: tuple[str, ...],
    replica: int | None,
    host: str,
    no_tty: bool,
    **given: Any,
) -> int:
    """Run a command in a running replica.

    With a terminal on both ends the command gets one; otherwise, and with -T, bytes pass as they
    are. Without --replica and --host it is the first replica of the current release. The exit code
    is the command's own. Options of Underway stand before SERVICE.
    """
    choice = api.Choice(ServiceName(service), replica or 0, HostName(host) if host else None)
    wish = _wish(words, no_tty=no_tty, given=given)
    return _talked(
        console,
        wish,
        lambda session, streams: api.execute(session, choice, wish, streams),
    )


@command(context_settings=_TAKES_THE_REST)
@SERVICE
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND...]")
@host_option("On this host of the service.")
@click.option(
    "--entrypoint",
    default="",
    callback=_words,
    metavar="COMMAND",
    help="Instead of the image's, or the service's, entrypoint.",
)
@_NO_TTY
@_ENVIRONMENT
@_USER
@_DIRECTORY
@click.option("--rm", "_rm", is_flag=True, hidden=True, help="So in any case.")
@_HABIT
def run(
    console: Console,
    *,
    service: str,
    words: tuple[str, ...],
    host: str,
    entrypoint: tuple[str, ...],
    no_tty: bool,
    _rm: bool,
    **given: Any,
) -> int:
    """Run a command once, in a container of its own.

    It gets the image, environment, secrets, volumes and networks that SERVICE has in the current
    release, and publishes no port. No user's request reaches it. The container is gone afterwards,
    also after Ctrl-C, or when this client dies: then the command gets SIGTERM and ten seconds. The
    exit code is the command's own. Options of Underway stand before SERVICE.
    """
    wish = _wish(words, no_tty=no_tty, given=given)
    wanted = api.RunWish(ServiceName(service), wish, HostName(host) if host else None, entrypoint)
    return _talked(console, wish, lambda session, streams: api.run_once(session, wanted, streams))


def _wish(words: tuple[str, ...], *, no_tty: bool, given: dict[str, Any]) -> "api.CommandWish":
    from underway.cli.terminal import has_terminal

    return api.CommandWish(
        words, given["variables"], given["user"], given["workdir"], has_terminal() and not no_tty
    )


def _talked(
    console: Console, wish: "api.CommandWish", talk: "Callable[[api.Session, api.Streams], int]"
) -> int:
    """The command's exit status; 128 and the signal's number where a signal ended this client."""
    from underway.cli.terminal import standard_streams

    try:
        with (
            ended_by_signals(),
            use_session(console, is_quiet=True) as session,
            standard_streams(has_tty=wish.has_tty) as streams,
        ):
            return talk(session, streams)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _BROKEN_PIPE
