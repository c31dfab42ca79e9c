"""The recovery kit as one page, drills as a table, and both as documents. Pure."""

from collections.abc import Sequence

from underway.model.drill import Drill, Kit, exit_code_of
from underway.report.amounts import duration_text, time_text
from underway.report.line import Line, Span, bad, faint, good, line, strong, table, warn
from underway.report.recovery_documents import (
    CredentialPart,
    DrillDocument,
    DrillPart,
    KitDocument,
)

_HEADS = ("APP", "POINT", "DATA OF (UTC)", "AGE", "RECOVERY TIME", "")


def kit_lines(kit: Kit) -> list[Line]:
    """What is needed to come back: to be printed, and kept where the hosts are not."""
    rows = [
        ("repository", kit.repository),
        ("password", f"from {kit.password}"),
        *((name, f"from {origin}") for name, origin in kit.credentials),
        ("hosts today", ", ".join(kit.hosts)),
        *(("variable", name) for name in kit.variables),
        *(("secret file", path) for path in kit.files),
    ]
    lines = [
        line(strong(f"To bring {kit.app} back when its hosts are gone"), ", keep this page:"),
        *table([[faint(head), Span(text)] for head, text in rows], indent=2),
        line(faint("1. "), "make new Docker hosts: underway setup ssh://root@NEW"),
        line(faint("2. "), "where your secrets are: put the files there, set the variables,"),
        line(faint("   "), "and RESTIC_PASSWORD to the repository's password"),
        line(faint("3. "), kit.command),
    ]
    if kit.is_on_host:
        text = "the repository is a directory of a host: with that host it is gone, too"
        lines.append(line(warn("warning: "), text))
    return lines


def kit_document(kit: Kit) -> KitDocument:
    """The same for programs."""
    return KitDocument(
        kit.app,
        kit.repository,
        kit.is_on_host,
        kit.password,
        tuple(CredentialPart(name, origin) for name, origin in kit.credentials),
        kit.variables,
        kit.files,
        tuple(kit.hosts),
        kit.command,
    )


def drill_lines(drills: Sequence[Drill]) -> list[Line]:
    """What each app's newest point came to."""
    rows = [[faint(head) for head in _HEADS]]
    return table([*rows, *map(_row, drills)])


def _row(one: Drill) -> list[Span]:
    return [
        Span(one.app),
        Span(one.point),
        Span(time_text(one.moment)),
        Span(duration_text(one.age_s) if one.has_passed else "-"),
        Span(duration_text(one.took_s) if one.has_passed else "-"),
        good("came back") if one.has_passed else bad(f"failed: {one.why} [{one.code}]"),
    ]


def drill_document(app: str, drills: Sequence[Drill]) -> DrillDocument:
    """The same for programs."""
    parts = (
        DrillPart(one.app, one.point, one.moment, one.took_s, one.age_s, one.code, one.why)
        for one in drills
    )
    return DrillDocument(app, tuple(parts), exit_code_of(drills))
