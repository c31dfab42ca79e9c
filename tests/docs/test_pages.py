"""What the pages say must be so: links, commands, options, files, exit codes."""

import os
import re
import shlex
from pathlib import Path

import click
import pytest

from tests.docs.pages import ROOT, Block, blocks, pages, shell_lines, written_pages
from underway.cli.program import program, run_program
from underway.errors import CODES
from underway.report.errors_text import EXIT_CODES

_LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(#[^)\s]+)?\)")
_VARIABLE = re.compile(r"\$\{(\w+)")


def page_ids(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", pages(), ids=page_ids)
def test_links_lead_somewhere(page: Path):
    broken = []
    for path, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor[1:] not in anchors(target)):
            broken.append(path + anchor)
    assert not broken


@pytest.mark.parametrize("page", written_pages(), ids=page_ids)
def test_commands_and_options_exist(page: Path):
    for place, line in shell_lines(page):
        for words in underway_commands(line):
            assert parses(words), f"{place}: underway {' '.join(words)}"


def test_a_wrong_command_would_be_seen():
    assert parses(["deploy", "--wait", "5m"])
    assert not parses(["deploy", "--no-such-option"])
    assert not parses(["no-such-command"])


def test_something_is_said_at_all():
    lines = [line for page in written_pages() for _, line in shell_lines(page)]
    assert len([words for line in lines for words in underway_commands(line)]) > 30


COMPOSE_FILES = [
    block
    for page in written_pages()
    for block in blocks(page)
    if block.language == "yaml" and re.search(r"^(services|x-underway):", block.text, re.MULTILINE)
]


@pytest.mark.slow
@pytest.mark.parametrize("block", COMPOSE_FILES, ids=str)
def test_compose_files_are_understood(
    block: Block,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """Parts of a file are completed: a name, and images and services that the part refers to."""
    (tmp_path / "compose.yaml").write_text(completed(block.text))
    secret_program = tmp_path / "op"
    secret_program.write_text("#!/bin/sh\necho some-value\n")
    secret_program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for name in ("signing_key", "Dockerfile"):
        (tmp_path / name).write_text("FROM scratch\n")
    for variable in _VARIABLE.findall(block.text):
        monkeypatch.setenv(variable, "some-value")
    monkeypatch.chdir(tmp_path)
    status = run_program(["config", "--plain"])
    assert status == 0, capsys.readouterr().err


def test_the_exit_codes_of_the_guide_are_those_of_the_program():
    page = ROOT / "docs/guides/interruptions-and-faults.md"
    table = re.findall(r"^\| (\d+) \| (.+) \|$", page.read_text(), re.MULTILINE)
    assert [int(code) for code, _ in table] == list(EXIT_CODES)


@pytest.mark.parametrize("page", written_pages(), ids=page_ids)
def test_error_codes_that_are_named_exist(page: Path):
    named = set(re.findall(r"error\[([a-z-]+)\]", page.read_text(encoding="utf-8")))
    assert named - set(CODES) == set()


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def underway_commands(line: str) -> list[list[str]]:
    """The arguments of each call of underway in a shell line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    calls: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set(";|&><()"):
            calls.append([])
        else:
            calls[-1].append(word)
    return [call[1:] for call in calls if call[:1] == ["underway"]]


def parses(words: list[str]) -> bool:
    """Whether click would take these arguments, without running anything."""
    try:
        context = program.make_context("underway", list(words), obj=None)
        with context:
            name, command, rest = program.resolve_command(
                context, [*context._protected_args, *context.args]
            )
            assert command is not None
            command.make_context(name, rest, parent=context)
    except click.exceptions.Exit:
        return True
    except click.ClickException:
        return False
    return True


def completed(text: str) -> str:
    """A whole file out of the part that a page shows."""
    lines = text.splitlines()
    if "services:" in lines and not re.search(r"^    (image|build):", text, re.MULTILINE):
        lines.insert(lines.index("  web:") + 1, "    image: hello")
    if "services:" not in lines:
        lines = ["services: {web: {image: hello, expose: [80]}, db: {image: postgres:17}}", *lines]
    if not re.search(r"^name:", text, re.MULTILINE):
        lines.insert(0, "name: docs")
    return "\n".join(lines) + "\n"
