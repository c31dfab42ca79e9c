"""The group of all commands: a table for `--help`, and each command loaded when it is called.

Loading a command brings in what it needs; a help page that lists them all must not.
"""

import importlib
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from underway.cli.options import GlobalOptions

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from underway.model.outline import Alias


class Entry(NamedTuple):
    """Where a command stands (`module` below this package), and its help in a line.

    `function` is its name there, where the command's own is Python's.
    """

    module: str
    text: str
    function: str = ""


SECTIONS: Final[dict[str, dict[str, Entry]]] = {
    "Begin": {
        "init": Entry("first_commands", "Add x-underway to a Compose file, explained."),
        "setup": Entry("setup_commands", "Make a Docker host of a server, over SSH."),
        "adopt": Entry("adopt_commands", "Take over from a running Compose project."),
    },
    "Deploy": {
        "plan": Entry("release_commands", "Show what a deploy would do, and why."),
        "test": Entry("suite_commands", "Test the images that a deploy would ship."),
        "ship": Entry("release_commands", "Build, test, push the images, and record the release."),
        "deploy": Entry("release_commands", "Replace what runs by a release, under load."),
        "rollback": Entry("release_commands", "Go back to an older release."),
        "promote": Entry(
            "release_commands", "Bring a release to another environment, with the same images."
        ),
        "tag": Entry("tag_commands", "Give releases more tags, take them away, list them."),
    },
    "Look": {
        "status": Entry("sight_commands", "Show what runs, what serves, and what differs."),
        "history": Entry("past_commands", "List runs, or releases."),
        "releases": Entry("past_commands", "List releases, newest first."),
        "show": Entry("past_commands", "Show a release in full."),
        "diff": Entry("past_commands", "Show what differs between two releases."),
        "open": Entry("live_commands", "Print where users reach the app."),
        "top": Entry("live_commands", "Show what replicas use, beside their limits."),
        "logs": Entry("output_commands", "Show what the replicas write, from all hosts."),
        "events": Entry("output_commands", "Show what happened on the app's hosts."),
        "check": Entry("sight_commands", "Look whether the hosts have all a deploy needs."),
        "config": Entry("file_commands", "Show the file as it was understood."),
        "completion": Entry("file_commands", "Print what makes Tab work in your shell."),
        "errors": Entry("file_commands", "Explain an error code, or list all."),
    },
    "Work": {
        "scale": Entry("adjustment_commands", "Run more or fewer replicas of services."),
        "restart": Entry(
            "adjustment_commands", "Replace the replicas of services by the same anew."
        ),
        "stop": Entry("adjustment_commands", "Stop services, and keep them stopped until `start`."),
        "start": Entry("adjustment_commands", "Bring back services that were stopped."),
        "exec": Entry("inside_commands", "Run a command in a running replica.", "exec_"),
        "run": Entry("inside_commands", "Run a command once, in a container of its own."),
    },
    "Data": {
        "backup": Entry("backup_commands", "Back up the app's data, and bring it back."),
        "image": Entry(
            "image_commands", "Keep containers' file systems as images, and bring them back."
        ),
        "recover": Entry(
            "recover_commands", "Bring an app back onto fresh hosts, from its backups alone."
        ),
    },
    "Look after": {
        "repair": Entry("care_commands", "End what an interrupted run left, mend what differs."),
        "prune": Entry("care_commands", "Remove images and leftovers nothing needs any more."),
        "report": Entry("report_commands", "Gather what a bug report needs, in one file."),
        "lock": Entry("care_commands", "Show who works on the app, or release a lock."),
        "remove": Entry("care_commands", "Take the app off its hosts."),
    },
}
"""Every command in reading order; a test holds the lines to the commands' own help."""

COMMANDS: Final = {name: entry for names in SECTIONS.values() for name, entry in names.items()}


class SectionedGroup(click.Group):
    """A group whose help has sections, and whose commands are loaded when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in reading order."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        del ctx
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"underway.cli.{entry.module}")
        found = getattr(module, entry.function or cmd_name)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, what an alias of the project stands for, or say which was meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            args = _words_of(ctx, args)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections, and the project's own commands."""
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.text) for name, entry in names.items()])
        aliases = _aliases_of(ctx)
        if aliases:
            with formatter.section("This project's own"):
                formatter.write_dl([(alias.name, alias.text) for alias in aliases])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Names of commands and aliases, without loading any; then options."""
        from click.shell_completion import CompletionItem

        texts = {name: entry.text for name, entry in COMMANDS.items()}
        texts |= {alias.name: alias.text for alias in _aliases_of(ctx)}
        return [
            *(CompletionItem(n, help=t) for n, t in texts.items() if n.startswith(incomplete)),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]


def _aliases_of(ctx: click.Context) -> "tuple[Alias, ...]":
    from underway.cli.aliases import project_aliases

    return project_aliases(GlobalOptions().merged(ctx.params))


def _words_of(ctx: click.Context, args: list[str]) -> list[str]:
    """The words that an alias stands for, with what was given; a UsageError for no alias."""
    aliases = {alias.name: alias for alias in _aliases_of(ctx)}
    if args[0] in aliases:
        from underway.cli.aliases import expanded

        return [*expanded(aliases[args[0]], COMMANDS), *args[1:]]
    if ctx.resilient_parsing:
        return args
    from underway.cli.mistakes import UnknownCommandError

    raise UnknownCommandError(args[0], {*COMMANDS, *aliases}, ctx)
