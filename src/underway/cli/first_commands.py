"""Commands of the first day: `init`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from underway.cli.console import Console
from underway.cli.options import command
from underway.cli.working import project_options
from underway.errors import UsageError

if TYPE_CHECKING:
    from underway.compose.introduction import Answers, Candidate
    from underway.wiring.introducing import Beginning


@command()
@click.option("--service", default="", metavar="NAME", help="The service that users reach.")
@click.option(
    "--proxy",
    "host_name",
    default="",
    metavar="HOST_NAME",
    help="The host name users ask for. Default: APP.localhost.",
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="URL[=ADDRESS]",
    help="A server, as ssh://user@host; may be repeated, then with private addresses. "
    "Default: the Docker engine of this machine.",
)
@click.option(
    "--http-port",
    type=click.IntRange(1, 65535),
    help="Where the proxy listens. Default: the port that the service publishes, else 80.",
)
@click.option("--health", default="", metavar="PATH", help="The path that tells whether it serves.")
@click.option("--print", "prints", is_flag=True, help="Show the completed file, write nothing.")
@click.option("--no-schema", is_flag=True, help="Write no JSON Schema for editors beside the file.")
def init(
    console: Console,
    *,
    service: str,
    host_name: str,
    hosts: tuple[str, ...],
    http_port: int | None,
    health: str,
    prints: bool,
    no_schema: bool,
) -> None:
    """Add x-underway to a Compose file, explained.

    Reads the Compose project of this directory and adds what Compose cannot say, with a comment
    for each line. Your own text stays as it is, and Compose reads the file as before. On a
    terminal it asks what the options do not say; without one it takes the defaults.
    """
    from dataclasses import replace

    from underway.cli.file_commands import schema_text
    from underway.compose import introduction
    from underway.report.documents import InitDocument
    from underway.report.init_text import init_lines
    from underway.wiring import introducing

    beginning = introducing.begin(project_options(console.options))
    found = _candidate(console, beginning, service)
    answers = _answers(console, beginning, found, (host_name, hosts, health))
    answers = replace(
        answers,
        http_port=http_port or answers.http_port,
        has_schema=not no_schema,
        builds=introduction.builds(beginning.tree),
        pinned=introduction.keeping_data(beginning.tree),
    )
    text = introducing.draft(beginning, answers)
    files: tuple[str, ...] = ()
    if not prints:
        written = introducing.write(beginning, text, answers, schema_text)
        files = tuple(path.name for path in written)
    if console.options.is_json:
        console.print_document(InitDocument(beginning.app, answers.service, files, text))
    elif prints:
        console.write_line(text.rstrip("\n"))
    else:
        console.print(init_lines(beginning.app, answers, files))


def _candidate(console: Console, beginning: "Beginning", service: str) -> "Candidate | None":
    """The service that users reach: named, the only one, or asked for."""
    from underway.compose import introduction

    found = introduction.candidates(beginning.tree)
    if not service and len(found) > 1 and console.is_interactive:
        question = f"Which service do users reach? {introduction.listed(found)}"
        service = console.ask_text(question, found[0].service)
    return introduction.chosen(beginning.tree, service)


def _answers(
    console: Console,
    beginning: "Beginning",
    found: "Candidate | None",
    given: tuple[str, tuple[str, ...], str],
) -> "Answers":
    """What was said on the command line, and on the terminal."""
    from underway.compose import introduction

    host_name, hosts, health = given
    servers = hosts or _split(
        console.ask_text("Which server runs it? (ssh://user@host; nothing: this machine)")
    )
    urls = tuple(_host(entry) for entry in servers)
    if found is None:
        return introduction.Answers(hosts=urls)
    local = f"{beginning.app}.localhost"
    ask: Callable[[], str] = lambda: console.ask_text(  # noqa: E731 - asked only where needed
        f"By which host name do users reach {found.service}?", local
    )
    return introduction.Answers(
        service=found.service,
        host_name=host_name or ask(),
        container_port=introduction.container_port(found),
        http_port=introduction.users_port(found),
        health=health,
        hosts=urls,
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _host(entry: str) -> tuple[str, str]:
    url, _, address = entry.partition("=")
    if not url:
        raise UsageError("usage", f"{entry!r} is no URL.", hint="Write --host ssh://user@host.")
    return url, address
