"""Commands that ask no host: `config` and `errors`."""

import click

from underway.cli.console import Console
from underway.cli.options import command
from underway.cli.working import project_options
from underway.errors import CODES, UsageError
from underway.errors.suggestion import meant_hint
from underway.report.config_text import config_lines
from underway.report.document_making import code_document, codes_document
from underway.report.documents import ConfigDocument
from underway.report.errors_text import code_lines, code_list_lines


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
    if console.options.is_json:
        console.print_document(ConfigDocument(spec.name, spec, tests))
    else:
        console.print(config_lines(spec, tests))


def schema_text() -> str:
    """The JSON Schema that comes with the package."""
    from importlib import resources

    return (resources.files("underway.compose") / "x-underway.schema.json").read_text("utf-8")


@command()
@click.argument("code", required=False, default="")
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
