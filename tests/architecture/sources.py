"""The project's own Python files, parsed once, for tests that look at the code as it is written."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "underway"
OURS = ("src", "lab", "scripts", "tests", "bench", "examples")
PASSING = {"__pycache__", ".venv", "build", "dist", "artifacts"}

type_of_function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file: where it is, its text, its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        """The dotted name of a module of the package."""
        parts = self.path.relative_to(PACKAGE.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def functions(self) -> Iterator[tuple[str, type_of_function]]:
        """Every function with its qualified name."""
        yield from _functions(self.tree, "")

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))


@functools.cache
def parsed() -> tuple[Source, ...]:
    """All Python files of the repository, in order."""
    found = []
    for top in OURS:
        for path in sorted((ROOT / top).rglob("*.py")):
            if not PASSING & set(path.parts):
                text = path.read_text(encoding="utf-8")
                found.append(Source(path, text, ast.parse(text, str(path))))
    return tuple(found)


def sources(*tops: str) -> tuple[Source, ...]:
    """The Python files below the given top directories of the repository; without, all."""
    wanted = tops or OURS
    return tuple(source for source in parsed() if source.name.split("/")[0] in wanted)


def package() -> tuple[Source, ...]:
    """The files of the package."""
    return sources("src")


def _functions(node: ast.AST, within: str) -> Iterator[tuple[str, type_of_function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield within + child.name, child
            yield from _functions(child, f"{within}{child.name}.")
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{within}{child.name}.")
        else:
            yield from _functions(child, within)
