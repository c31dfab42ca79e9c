"""A project's first `x-underway`: read, drafted, tried with Compose itself, written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from underway.adapters.compose_edit import exact_text, trial, write_whole
from underway.compose.canonical import Tree
from underway.compose.introduction import (
    SCHEMA_FILE,
    Answers,
    completed,
    require_new,
    without_ours,
)
from underway.compose.positions import SourceText
from underway.errors import BugError
from underway.wiring.options import SessionOptions
from underway.wiring.project import Project


@dataclass(frozen=True, slots=True)
class Beginning:
    """A project that knows nothing of Underway: its main file, and what Compose makes of it."""

    project: Project
    tree: Tree
    source: SourceText
    path: Path

    @property
    def app(self) -> str:
        """The name that Compose gives the project."""
        return str(self.tree.get("name") or "app")


def begin(options: SessionOptions) -> Beginning:
    """Read the project; ConfigurationError as Compose tells it, RefusedError `init-done`."""
    project = Project(options)
    tree = project.raw()
    require_new(tree)
    path = project.sources.files[0]
    label = next(one.label for one in project.sources.texts if path.name in one.label)
    return Beginning(project, tree, SourceText(label, exact_text(path)), path)


def draft(beginning: Beginning, answers: Answers) -> str:
    """The completed file, which Compose reads as it reads the file without it."""
    text = completed(beginning.source, beginning.app, answers)
    with trial(beginning.path, text) as written:
        rest = beginning.project.sources.files[1:]
        tree = beginning.project.raw((written, *rest))
    if without_ours(tree) != without_ours(beginning.tree):
        raise BugError("bug", "the completed file means something else to Compose: not written")
    return text


def write(
    beginning: Beginning, text: str, answers: Answers, schema: Callable[[], str]
) -> tuple[Path, ...]:
    """Write the file, and the schema beside it; what was written."""
    made = [beginning.path]
    if answers.has_schema:
        beside = beginning.path.parent / SCHEMA_FILE
        write_whole(beside, schema())
        made.append(beside)
    write_whole(beginning.path, text)
    return tuple(made)
