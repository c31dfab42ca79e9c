"""A wrong command line, told as every other error: what is wrong, and what was meant."""

import re
from collections.abc import Iterable
from typing import Final

import click

from underway.errors import UsageError

_NO_COMMAND: Final = re.compile(r"^No such command ['\"]?(?P<name>[^'\"]+)['\"]?\.")


class UnknownCommandError(click.UsageError):
    """A command that is neither one of ours nor an alias; `known` are those that there are."""

    def __init__(self, name: str, known: Iterable[str], context: click.Context) -> None:
        """Keep the names apart: what was meant is judged where it is told."""
        super().__init__(f"There is no command `{name}`.", context)
        self.name = name
        self.known = known


def usage_error(error: click.ClickException) -> UsageError:
    """The error of a command line that click refuses."""
    from underway.errors.suggestion import meant_hint

    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "underway"
    message, name, known = _named(error, context)
    meant = meant_hint(name, known) if name else ""
    hint = f"{meant} `{command} --help` shows what can be given."
    return UsageError("usage", message, hint=hint.strip())


def _named(
    error: click.ClickException, context: click.Context | None
) -> tuple[str, str, Iterable[str]]:
    """What is told, the name that nothing has, and those that there are."""
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        return f"There is no option `{name}`.", name, _options(context)
    if isinstance(error, UnknownCommandError):
        return error.message, error.name, error.known
    lost = _NO_COMMAND.match(error.message)
    if lost is not None and context is not None and isinstance(context.command, click.Group):
        known = context.command.list_commands(context)
        return f"There is no command `{lost['name']}`.", lost["name"], known
    return error.format_message(), "", ()


def _options(context: click.Context | None) -> list[str]:
    """All options of the command, those of every command among them."""
    if context is None:
        return []
    parameters = context.command.get_params(context)
    return [option for one in parameters for option in (*one.opts, *one.secondary_opts)]
