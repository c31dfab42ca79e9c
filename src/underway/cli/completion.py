"""What Tab offers: names that the file writes out, and those that hosts told last.

No host is asked, nothing is printed, and whatever fails offers nothing.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from underway.cli.options import GLOBAL_NAMES, GlobalOptions, global_parameters

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from underway.model.outline import Outline


def service_names(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Services of the app."""
    return _items(_outline(context).services, incomplete)


def host_names(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Hosts of the app."""
    return _items(_outline(context).hosts, incomplete)


def release_names(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Releases by number, newest first, then by tag."""
    return _items(_outline(context).releases, incomplete)


def environments(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Environments that have a file beside the Compose file."""
    with suppress(Exception):
        from pathlib import Path

        from underway.adapters.compose_files import environment_names

        return _items(environment_names(Path(asked_options(context).project_directory)), incomplete)
    return []


def file_names(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Files, as the shell itself offers them."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def global_options(incomplete: str) -> "list[CompletionItem]":
    """The options of every command."""
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(name, help=parameter.help)
        for parameter in global_parameters(is_hidden=False)
        if isinstance(parameter, click.Option)
        for name in parameter.opts
        if name.startswith(incomplete) and name.startswith("--")
    ]


def error_codes(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Codes of errors."""
    from underway.errors import CODES

    return _items(CODES, incomplete)


def asked_options(context: click.Context) -> GlobalOptions:
    """What was said of the project, before and after the command's name."""
    options, chain = GlobalOptions(), []
    step: click.Context | None = context
    while step is not None:
        chain.append(step)
        step = step.parent
    for one in reversed(chain):
        given = {name: value for name, value in one.params.items() if name in GLOBAL_NAMES}
        options = options.merged(given)
    return options


def _items(names: Iterable[str], incomplete: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _outline(context: click.Context) -> "Outline":
    from underway.model.outline import Outline

    with suppress(Exception):
        from underway.cli.aliases import session_options
        from underway.wiring.outline import known_names

        return known_names(session_options(asked_options(context)))
    return Outline()
