"""Files that travel with a release: secrets, configs, and small read-only binds of this machine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from underway.compose.canonical import Tree, list_of, mapping_of
from underway.compose.notebook import Notebook, refuse
from underway.model.names import SensitiveName
from underway.model.spec import FileSpec

_DEFAULT_MODE: Final = 0o444
_SECRETS: Final = "/run/secrets"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What sets secrets and configs apart."""

    key: str
    word: str
    is_secret: bool


_SECRET: Final = _Kind("secrets", "secret", is_secret=True)
_CONFIG: Final = _Kind("configs", "config", is_secret=False)


def wanted_paths(canonical: Tree, raw: Tree) -> Iterator[str]:
    """The absolute paths of all files that understanding the project may need."""
    for kind in (_SECRET, _CONFIG):
        for definition in mapping_of(canonical.get(kind.key)).values():
            file = mapping_of(definition).get("file")
            if file:
                yield str(file)
    services = mapping_of(canonical.get("services"))
    for name, service in services.items():
        raw_service = mapping_of(mapping_of(raw.get("services")).get(name))
        for mount in list_of(mapping_of(service).get("volumes")):
            is_candidate = mount.get("type") == "bind" and mount.get("read_only")
            if is_candidate and is_of_this_machine(mount, raw_service, ""):
                yield str(mount["source"])


def wanted_variables(canonical: Tree) -> Iterator[str]:
    """The variables that secrets and configs take their content from."""
    for kind in (_SECRET, _CONFIG):
        for definition in mapping_of(canonical.get(kind.key)).values():
            variable = mapping_of(definition).get("environment")
            if variable:
                yield str(variable)


def is_of_this_machine(mount: Tree, raw_service: Tree, directory: str) -> bool:
    """Whether a bind's source was written relative to the file (`./x`, `~/x`): not a host's path.

    A source that is interpolated is judged by where it leads: below `directory`, it is the file's.
    """
    source, target = str(mount.get("source", "")), mount.get("target")
    for entry in list_of(raw_service.get("volumes")):
        written = mapping_of(entry) if isinstance(entry, dict) else {}
        if written.get("target") == target:
            origin = str(written.get("source", ""))
            if "$" not in origin:
                return not origin.startswith("/")
    return not directory or _is_below(source, directory)


def files_of(service: Tree, name: str, notebook: Notebook) -> tuple[FileSpec, ...]:
    """The service's secrets and configs, sorted."""
    files = [
        _file(mapping_of(use) or {"source": str(use)}, kind, name, notebook)
        for kind in (_SECRET, _CONFIG)
        for use in list_of(service.get(kind.key))
    ]
    return tuple(sorted(files))


def bind_files(mount: Tree, name: str, notebook: Notebook) -> tuple[tuple[FileSpec, ...], str]:
    """The files of a read-only bind, or () and why they cannot travel."""
    source, target = str(mount["source"]), str(mount["target"])
    found = notebook.files.get(source)
    if found is None or found.problem:
        return (), found.problem if found else "it was not read"
    files = []
    for file in found.files:
        path = str(PurePosixPath(target) / file.path) if found.is_directory else target
        content = notebook.keep(f"file/{name}{path}", file.content)
        files.append(FileSpec(content, path, mode=file.mode))
    return tuple(files), ""


def keep_build_secret(source: str, name: str, notebook: Notebook) -> SensitiveName:
    """Put aside a secret that a build mounts."""
    return _content(source, _SECRET, notebook, notebook.place("services", name, "build", "secrets"))


def _file(use: Mapping[str, Any], kind: _Kind, service: str, notebook: Notebook) -> FileSpec:
    source = str(use["source"])
    place = notebook.positions.item("services", service, kind.key, holds=source)
    target = str(use.get("target") or source)
    if not target.startswith("/"):
        target = f"{_SECRETS}/{target}" if kind.is_secret else f"/{target}"
    return FileSpec(
        content=_content(source, kind, notebook, place),
        target=target,
        uid=_owner(use.get("uid"), place),
        gid=_owner(use.get("gid"), place),
        mode=_mode(use.get("mode")),
        is_secret=kind.is_secret,
    )


def _content(source: str, kind: _Kind, notebook: Notebook, place: str) -> SensitiveName:
    """The name under which the bytes of a secret or config are put aside."""
    definition = mapping_of(mapping_of(notebook.canonical.get(kind.key)).get(source))
    defined = notebook.place(kind.key, source)
    name = f"{kind.word}/{source}"
    if definition.get("external"):
        refuse(
            "source-external",
            f"{kind.word} `{source}` is external: it stands in a Swarm, not in this project",
            cause="an engine without Swarm has no such secrets and configs",
            place=defined,
            hint="Give it a `file:` or an `environment:`.",
        )
    if definition.get("content") is not None:
        return notebook.keep(name, str(definition["content"]).encode())
    if definition.get("environment"):
        return notebook.keep(name, _variable(definition["environment"], name, notebook, defined))
    if not definition.get("file"):
        refuse(
            "source-missing",
            f"{kind.word} `{source}` has no content",
            place=defined or place,
            hint="Give it a `file:` or an `environment:`.",
        )
    return notebook.keep(name, _bytes(str(definition["file"]), name, notebook, defined))


def _variable(variable: str, name: str, notebook: Notebook, place: str) -> bytes:
    value = notebook.variables.get(variable)
    if value is None:
        refuse(
            "variable-missing",
            f"`{name}` takes its content from variable {variable}, which is not set",
            cause="without it the service would start with an empty file",
            place=place,
            hint=f"Set {variable}, or name a command under x-underway `sensitive`.",
        )
    return value.encode()


def _bytes(path: str, name: str, notebook: Notebook, place: str) -> bytes:
    found = notebook.files.get(path)
    problem = found.problem if found else "it was not read"
    if found is None or problem or found.is_directory:
        refuse(
            "file-unreadable",
            f"the file of `{name}` cannot be used: {path}",
            cause=problem or "it is a directory",
            place=place,
            hint="Create the file, or correct its path.",
        )
    return found.files[0].content


def _owner(value: object, place: str) -> int:
    text = str(value or 0)
    if not text.isdigit():
        refuse(
            "key-invalid",
            f"`{text}` is not a numeric owner",
            place=place,
            hint="Write the numeric uid or gid: names exist only inside the image.",
        )
    return int(text)


def _mode(value: object) -> int:
    """Compose writes `"0440"` in octal, older ones the number."""
    if value is None:
        return _DEFAULT_MODE
    return value if isinstance(value, int) else int(str(value), 8)


def _is_below(path: str, directory: str) -> bool:
    return PurePosixPath(path).is_relative_to(directory)
