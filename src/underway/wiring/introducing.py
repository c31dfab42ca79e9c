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
from underway.compose.pipelines import (
    HOOK,
    PATHS,
    Pipeline,
    Service,
    hook_text,
    job_text,
    outside,
)
from underway.compose.positions import SourceText
from underway.errors import BugError, RefusedError, UsageError
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


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be written; `variables` are what the project takes from outside."""

    app: str
    path: Path
    text: str
    variables: tuple[str, ...]
    is_program: bool = False


def pipeline(options: SessionOptions, *, hook: str, ci: str, branch: str) -> NewFile:
    """What deploys a push to `branch`: a hook of the bare repository `hook`, or a job for `ci`.

    Raises UsageError `hook-repository` where that is none.
    """
    project = Project(options)
    tree = project.raw()
    variables = outside(tree)
    wished = Pipeline(branch, options.environment, variables)
    app = str(tree.get("name") or "app")
    if hook:
        repository = Path(hook)
        if not (repository / "HEAD").is_file() or not (repository / "objects").is_dir():
            raise UsageError(
                "hook-repository",
                f"{repository} is no bare git repository",
                hint=f"make one: git init --bare {repository}",
            )
        return NewFile(app, repository / HOOK, hook_text(wished), variables, is_program=True)
    service = Service(ci)
    path = project.sources.directory / PATHS[service]
    return NewFile(app, path, job_text(service, wished), variables)


def write_new(file: NewFile) -> Path:
    """Write a file that is not there yet; RefusedError `init-file-there` if it is."""
    if file.path.exists():
        raise RefusedError(
            "init-file-there",
            f"{file.path} is there already",
            hint="--print shows what would be written: put it in by hand",
        )
    file.path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file.path, file.text)
    if file.is_program:
        file.path.chmod(0o755)
    return file.path
