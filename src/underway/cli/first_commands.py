"""Commands of the first day: `init`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

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
@click.option(
    "--hook",
    default="",
    metavar="REPOSITORY",
    help="Instead: a git hook in this bare repository that deploys what is pushed.",
)
@click.option(
    "--ci",
    type=click.Choice(["github", "gitlab", "jenkins"]),
    help="Instead: the job of a CI service that deploys what is pushed.",
)
@click.option(
    "--branch", default="main", metavar="NAME", help="The branch that --hook and --ci deploy."
)
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
    hook: str,
    ci: str | None,
    branch: str,
    no_schema: bool,
) -> None:
    """Add x-underway to a Compose file, explained.

    Reads the Compose project of this directory and adds what Compose cannot say, with a comment
    for each line. Your own text stays as it is, and Compose reads the file as before. On a
    terminal it asks what the options do not say; without one it takes the defaults. With --hook or
    --ci it writes what deploys a push of a project that is completed already; --env chooses the
    environment.
    """
    if hook or ci:
        _pipeline(console, hook, ci or "", branch, prints=prints)
        return
    from underway.cli.file_commands import schema_text
    from underway.wiring import introducing

    beginning = introducing.begin(project_options(console.options))
    found = _candidate(console, beginning, service)
    given = Given(host_name, hosts, health, http_port or 0, has_schema=not no_schema)
    answers = _answers(console, beginning, found, given)
    text = introducing.draft(beginning, answers)
    files: tuple[str, ...] = ()
    if not prints:
        written = introducing.write(beginning, text, answers, schema_text)
        files = tuple(path.name for path in written)
    _show(console, Written(beginning.app, answers, text, files))


def _pipeline(console: Console, hook: str, ci: str, branch: str, *, prints: bool) -> None:
    """Write, or show, what deploys a push."""
    from underway.report.documents import InitDocument
    from underway.report.init_text import pipeline_lines
    from underway.wiring import introducing

    if hook and ci:
        raise UsageError("usage", "--hook and --ci are two things.", hint="Give one of them.")
    made = introducing.pipeline(project_options(console.options), hook=hook, ci=ci, branch=branch)
    files: tuple[str, ...] = () if prints else (str(introducing.write_new(made)),)
    if console.options.is_json:
        console.print_document(InitDocument(made.app, "", files, made.text))
    elif prints:
        console.write_line(made.text.rstrip("\n"))
    else:
        console.print(pipeline_lines(files[0], made.variables, is_hook=bool(hook)))


class Given(NamedTuple):
    """What the command line says of the answers; a port of 0 says nothing."""

    host_name: str
    hosts: tuple[str, ...]
    health: str
    http_port: int
    has_schema: bool


class Written(NamedTuple):
    """What came of it; no files where it was only to be shown."""

    app: str
    answers: "Answers"
    text: str
    files: tuple[str, ...]


def _show(console: Console, made: Written) -> None:
    from underway.report.documents import InitDocument
    from underway.report.init_text import init_lines

    if console.options.is_json:
        document = InitDocument(made.app, made.answers.service, made.files, made.text)
        console.print_document(document)
    elif not made.files:
        console.write_line(made.text.rstrip("\n"))
    else:
        console.print(init_lines(made.app, made.answers, made.files))


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
    given: Given,
) -> "Answers":
    """What was said on the command line, and on the terminal."""
    from underway.compose import introduction

    tree = beginning.tree
    servers = given.hosts or _split(
        console.ask_text("Which server runs it? (ssh://user@host; nothing: this machine)")
    )
    urls = tuple(_host(entry) for entry in servers)
    if found is None:
        return introduction.Answers(
            hosts=urls, builds=introduction.builds(tree), has_schema=given.has_schema
        )
    local = f"{beginning.app}.localhost"
    ask: Callable[[], str] = lambda: console.ask_text(  # noqa: E731 - asked only where needed
        f"By which host name do users reach {found.service}?", local
    )
    return introduction.Answers(
        service=found.service,
        host_name=given.host_name or ask(),
        container_port=introduction.container_port(found),
        http_port=given.http_port or introduction.users_port(found),
        health=given.health,
        hosts=urls,
        pinned=introduction.keeping_data(tree),
        builds=introduction.builds(tree),
        has_schema=given.has_schema,
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _host(entry: str) -> tuple[str, str]:
    url, _, address = entry.partition("=")
    if not url:
        raise UsageError("usage", f"{entry!r} is no URL.", hint="Write --host ssh://user@host.")
    return url, address
