"""The files of a bug report: evidence in the forms that people and programs read. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from underway import __version__
from underway.model.bundle import Evidence
from underway.report.document_making import plan_document, status_document
from underway.report.documents import encode_document
from underway.report.history_documents import history_document, release_detail_document
from underway.report.line import draw
from underway.report.plan_text import plan_lines
from underway.report.status_text import status_lines

_README: Final = """Report of run {run} of {app}, made by underway {version}.

Sensitive values that the file or the vault holds are replaced by ***, and environments of
containers show names only. What your programs wrote in another form (encoded, cut in two) is not
recognised: read it before you hand it on.

run.json         the run and those before it, as the hosts recorded them
events.jsonl     what the run told; only the machine that ran it knows
release.json     the release it was for, and its configuration
status.txt/json  what ran when this was made
plan.txt/json    what would bring the hosts to that release
versions.json    of Underway, Python, and the engines
hosts/           each container: what its engine says, and its last lines
"""


def bundle_files(found: Evidence, machine: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Names and texts of all files; every text went through the evidence's redaction.

    `machine` tells what the report is made on.
    """
    for name, text in _files(found, machine):
        yield name, found.redact(text)


def _files(found: Evidence, machine: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    app = found.status.app
    readme = _README.format(run=found.run.number, app=app, version=__version__)
    left = "".join(f"- {text}\n" for text in found.left_out)
    yield "README.txt", readme + (f"\nLeft out:\n{left}" if left else "")
    runs = tuple(run for run in found.history if run.number <= found.run.number)
    yield "run.json", encode_document(history_document(app, runs))
    if found.events:
        yield "events.jsonl", "".join(f"{line}\n" for line in found.events)
    if found.release:
        yield "release.json", encode_document(release_detail_document(found.release))
    yield "status.json", encode_document(status_document(found.status))
    yield "status.txt", draw(status_lines(found.status))
    if found.plan:
        yield "plan.json", encode_document(plan_document(found.plan))
        yield "plan.txt", draw(plan_lines(found.plan, is_verbose=True))
    yield "versions.json", _versions(found, machine)
    for one in found.containers:
        place = f"hosts/{one.host}/{one.name}"
        yield f"{place}.json", one.inspection + "\n"
        if one.lines:
            yield f"{place}.log", "".join(f"{line}\n" for line in one.lines)


def _versions(found: Evidence, machine: Mapping[str, str]) -> str:
    engines = {host: msgspec.to_builtins(facts) for host, facts in found.engines}
    return json.dumps({"underway": __version__, **machine, "engines": engines}, indent=2) + "\n"
