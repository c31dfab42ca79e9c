"""Commands that ask no host: `config` and `errors`."""

import click

from underway.cli.aliases import project_aliases
from underway.cli.console import Console
from underway.cli.options import COMPLETING, command, offered
from underway.cli.working import project_options
from underway.errors import CODES, UsageError
from underway.errors.suggestion import meant_hint
from underway.report.config_text import alias_lines, config_lines
from underway.report.document_making import code_document, codes_document
from underway.report.documents import (
    ConfigDocument,
)
from underway.report.errors_text import code_lines, code_list_lines
from underway.report.look_documents import (
    CompletionDocument,
)


@command()
@click.option("--schema", is_flag=True, help="Print the JSON Schema of x-underway, for editors.")
def config(console: Console, *, schema: bool) -> None:
    """Show the file as it was understood.

    With defaults filled in and short forms written out; sensitive values are hidden. No host is
    asked. --json prints all of it. --schema needs no file: it prints what editors complete
    x-underway by.
    """
    from underway.wiring import understand

    if schema:
        console.write_line(schema_text().rstrip("\n"))
        return

    understood = understand(project_options(console.options))
    spec, tests = understood.spec, understood.testing
    aliases = project_aliases(console.options)
    if console.options.is_json:
        console.print_document(ConfigDocument(spec.name, spec, tests, aliases))
    else:
        console.print([*config_lines(spec, tests), *alias_lines(aliases)])


def schema_text() -> str:
    """The JSON Schema that comes with the package."""
    from importlib import resources

    return (resources.files("underway.compose") / "x-underway.schema.json").read_text("utf-8")


@command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(console: Console, shell: str) -> None:
    """Print what makes Tab work in your shell.

    Tab then offers commands, options, and the app's services, hosts and releases: those that the
    file writes out and that its hosts told last. No host is asked. For bash:
    `eval "$(underway completion bash)"`.
    """
    from click.shell_completion import get_completion_class

    from underway.cli.program import program

    kind = get_completion_class(shell)
    script = kind(program, {}, "underway", COMPLETING).source() if kind else ""
    if console.options.is_json:
        console.print_document(CompletionDocument(shell, script))
    else:
        console.write_line(script)


@command()
@click.argument("code", required=False, default="", shell_complete=offered("error_codes"))
def errors(console: Console, code: str) -> int | None:
    """Explain an error code, or list all.

    CODE is what stands in brackets: `error[host-unreachable]` is explained by
    `underway errors host-unreachable`.
    """
    if not code and console.options.is_json:
        console.print_document(codes_document())
    elif not code:
        console.print(code_list_lines())
    elif code not in CODES:
        raise UsageError(
            "unknown-code",
            f"There is no error code {code!r}.",
            hint=meant_hint(code, CODES, "`underway errors` lists all codes."),
        )
    elif console.options.is_json:
        console.print_document(code_document(code))
    else:
        console.print(code_lines(code))
    return None
