"""One release in full, and what differs between two. Pure."""

from collections.abc import Iterable

from underway.model.change import HIDDEN, Comparison, Detail, PartChange, Turn
from underway.model.names import ReleaseNumber
from underway.model.release import Release, RunRecord
from underway.model.status import ReleaseDetail
from underway.report.amounts import digest_text, time_text
from underway.report.config_text import configuration_lines
from underway.report.history_text import outcome_span, standing_span
from underway.report.line import Line, Span, bad, faint, good, line, strong, table, warn

_TURNS = {Turn.ADDED: good("+ "), Turn.REMOVED: bad("- "), Turn.CHANGED: warn("~ ")}


def release_detail_lines(detail: ReleaseDetail) -> list[Line]:
    """Who made it when, what became of it, its images, and its configuration."""
    release = detail.status.release
    tag = f" ({release.tag})" if release.tag else ""
    head = line(strong(f"release {release.number}{tag}"), f" of {release.spec.name}: ")
    rows = [
        ("created", f"{time_text(release.created_at) or '-'} by {release.created_by or '-'}"),
        ("commit", release.commit or "-"),
    ]
    if release.spec.environment:
        rows.append(("environment", release.spec.environment))
    if release.origin is not None:
        origin = release.origin
        where = f", environment {origin.environment}" if origin.environment else ""
        rows.append(("promoted", f"from release {origin.release} of {origin.app}{where}"))
    if len(detail.status.names) > 1:
        rows.append(("tags", ", ".join(detail.status.names)))
    if detail.status.namesakes:
        others = ", ".join(map(str, detail.status.namesakes))
        rows.append(("same tag", f"release {others}"))
    facts = [[faint(name), Span(text)] for name, text in rows]
    return [
        (*head, standing_span(detail.status)),
        *table([*facts, *_suites(release), *map(_run, detail.runs)], indent=2),
        (),
        line(strong("images")),
        *_images(release),
        (),
        *configuration_lines(release.spec),
    ]


def _suites(release: Release) -> list[list[Span]]:
    return [
        [
            faint("test"),
            good(f"{suite.suite} passed")
            if suite.has_passed
            else warn(f"{suite.suite} has not passed"),
        ]
        for suite in release.suites
    ]


def _run(run: RunRecord) -> list[Span]:
    text = f"{run.number}, {run.command} at {time_text(run.started_at)} by {run.actor}: "
    outcome = outcome_span(run)
    return [faint("run"), Span(f"{text}{outcome.text}", outcome.tone)]


def _images(release: Release) -> list[Line]:
    rows = []
    for entry in release.images:
        image = entry.image
        manifest = digest_text(image.manifest_digest)
        rows.append(
            [
                Span(entry.service),
                Span(image.reference),
                faint(f"config {digest_text(image.config_digest)}"),
                faint(f"manifest {manifest}" if manifest else "in no registry"),
            ]
        )
    return table(rows, indent=2)


def comparison_lines(found: Comparison) -> list[Line]:
    """What differs, part by part; sensitive values are hidden."""
    head = line(strong(f"{release_name(found.before)} to {release_name(found.after)}"))
    lines = [head]
    for part in found.parts:
        lines += [(), *_part(part)]
    if not found.parts:
        lines.append(line(good("nothing differs")))
    if found.unknown:
        names = ", ".join(found.unknown)
        lines += [(), line(faint(f"built by a deploy, and told by `underway plan`: {names}"))]
    return lines


def release_name(number: ReleaseNumber) -> str:
    """A release, or with 0 the file."""
    return f"release {number}" if number else "the file"


def _part(part: PartChange) -> Iterable[Line]:
    name = part.service or "app"
    turn = "" if part.turn is Turn.CHANGED else f" {part.turn.value}"
    yield line(strong(name), turn)
    yield from table([_detail(detail) for detail in part.details], indent=2)


def _detail(detail: Detail) -> list[Span]:
    what = " ".join(text for text in (detail.kind, detail.name) if text)
    mark = _TURNS[detail.turn]
    texts = [text for text in (detail.before, detail.after) if text]
    if detail.before == detail.after:
        shown = f"{HIDDEN}, another value" if HIDDEN in detail.after else "another one"
    elif detail.turn is Turn.CHANGED:
        shown = f"{detail.before or '(none)'} -> {detail.after or '(none)'}"
    else:
        shown = "".join(texts)
    return [Span(f"{mark.text}{what}", mark.tone), Span(shown)]
