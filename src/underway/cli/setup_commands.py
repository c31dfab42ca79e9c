"""The command that makes a Docker host of a bare server: `setup`."""

import re
from typing import TYPE_CHECKING, Final

import click

from underway.cli.console import Console
from underway.cli.options import command
from underway.cli.working import project_options, require_yes
from underway.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from underway.wiring.grounds import Server

_USER: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


@command()
@click.argument("host", metavar="HOST")
@click.option(
    "--user",
    default="",
    metavar="NAME",
    help="Who shall deploy: made if missing, let in by the same keys, in the group docker.",
)
def setup(console: Console, *, host: str, user: str) -> int:
    """Make a Docker host of a server, over SSH.

    HOST is ssh://user@host, as whoever may become root there. Docker comes from the server's own
    distribution (apt-get or dnf). The commands are shown first, and it asks; --yes answers. What is
    there already is left alone. Then the engine is asked as a deploy will ask it, and if the file
    of this directory names the host, `underway check` follows.
    """
    from underway.model.ground import setup_commands
    from underway.report.documents import SetupDocument
    from underway.report.ground_text import ready_lines, setup_plan_lines
    from underway.wiring import grounds

    if user and not _USER.fullmatch(user):
        raise UsageError("usage", f"{user!r} is no user's name.", hint="Use letters and digits.")
    server = grounds.Server(host, user)
    ground = grounds.look(server)
    commands = setup_commands(ground)
    texts = tuple(one.text for one in commands)
    console.show(setup_plan_lines(server.host, ground, commands))
    if commands:
        require_yes(console, f"Run this on {server.host}?", texts)
        grounds.prepare(server, ground, lambda one: console.tell(f"{server.host}$ {one.text}"))
    answer = grounds.ask(server)
    if console.options.is_json:
        version, way = answer.facts.version, answer.way.value
        console.print_document(SetupDocument(server.host, server.deploys_by, texts, version, way))
        return 0
    console.print(ready_lines(server.host, server.deploys_by, answer.facts, answer.way))
    return _checked(console, server)


def _checked(console: Console, server: "Server") -> int:
    """Go on with `check` where the project of this directory names the server."""
    from underway.cli.sight_commands import show_check
    from underway.wiring.project import Project

    try:
        spec = Project(project_options(console.options)).site().spec
    except ConfigurationError:
        return 0  # no project here, or one that is not ready yet: that is for other commands
    if all(host.url != server.deploys_by for host in spec.hosts):
        return 0
    return show_check(console)
