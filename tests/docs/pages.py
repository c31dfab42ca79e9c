"""The pages of the documentation, and the blocks in them that tests read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, its title, its text."""

    page: Path
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command of a console block, and the output lines that the page shows."""

    place: str
    line: str
    shown: tuple[str, ...]


def pages() -> list[Path]:
    """Everything a reader may open."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def written_pages() -> list[Path]:
    """The pages that people write; the reference is generated."""
    return [page for page in pages() if "reference" not in page.parts]


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        title = _TITLE.search(match[2])
        yield Block(page, line, match[1], title[1] if title else "", match[3])


def console(page: Path) -> list[Command]:
    """The commands of a page's console blocks, in order."""
    found: list[Command] = []
    for block in blocks(page):
        if block.language != "console":
            continue
        for number, line in enumerate(block.text.splitlines(), block.line + 1):
            if line.startswith("$ "):
                place = f"{page.relative_to(ROOT)}:{number}"
                found.append(Command(place, line.removeprefix("$ "), ()))
            elif line.strip():
                last = found.pop()
                found.append(Command(last.place, last.line, (*last.shown, line)))
    return found


def shell_lines(page: Path) -> Iterator[tuple[str, str]]:
    """Place and text of every command that the page tells a reader to type."""
    for command in console(page):
        yield command.place, command.line
    for block in blocks(page):
        if block.language == "sh":
            for number, line in enumerate(block.text.splitlines(), block.line + 1):
                yield f"{page.relative_to(ROOT)}:{number}", line
