"""The group of all commands: a table for `--help`, and each command loaded when it is called.

Loading a command brings in what it needs; a help page that lists them all must not.
"""

import importlib
from typing import Final, NamedTuple

import click


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
        "logs": Entry("output_commands", "Show what the replicas write, from all hosts."),
        "check": Entry("sight_commands", "Look whether the hosts have all a deploy needs."),
        "config": Entry("file_commands", "Show the file as it was understood."),
        "errors": Entry("file_commands", "Explain an error code, or list all."),
    },
    "Work": {
        "exec": Entry("inside_commands", "Run a command in a running replica.", "exec_"),
        "run": Entry("inside_commands", "Run a command once, in a container of its own."),
    },
    "Data": {
        "backup": Entry("backup_commands", "Back up the app's data, and bring it back."),
    },
    "Look after": {
        "repair": Entry("care_commands", "End what an interrupted run left, mend what differs."),
        "prune": Entry("care_commands", "Remove images and leftovers nothing needs any more."),
        "lock": Entry("care_commands", "Show who works on the app, or release a lock."),
        "remove": Entry("care_commands", "Take the app off its hosts."),
    },
}
"""Every command in reading order; a test holds the lines to the commands' own help."""

_ENTRIES: Final = {name: entry for names in SECTIONS.values() for name, entry in names.items()}


class SectionedGroup(click.Group):
    """A group whose help has sections, and whose commands are loaded when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in reading order."""
        del ctx
        return list(_ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        del ctx
        entry = _ENTRIES.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"underway.cli.{entry.module}")
        found = getattr(module, entry.function or cmd_name)
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was meant."""
        if args and args[0] not in _ENTRIES and not args[0].startswith("-"):
            from underway.errors.suggestion import meant_hint

            meant = meant_hint(args[0], _ENTRIES)
            message = f"There is no command {args[0]!r}. {meant}".rstrip()
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections."""
        del ctx
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.text) for name, entry in names.items()])
