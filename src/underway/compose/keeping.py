"""What of a project is kept in a restore point, and what it needs to be read again. Pure.

Of the file only that is kept which sensitive values are made of: everything else stands resolved in
the release. Files of secrets and environment files stay out; so does what not every user may read.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from underway.compose.canonical import Tree, list_of, mapping_of, read_canonical
from underway.compose.interpolation import templates_in, variables_in
from underway.compose.sources import FileSet, Project
from underway.compose.travelling import is_of_this_machine
from underway.compose.x_underway import KEY
from underway.model.kept_project import KeptFile, KeptProject
from underway.model.names import AppName

_OF_A_SERVICE: Final = ("environment", "env_file", "secrets", "configs")
_OF_THE_APP: Final = ("sensitive", "public", "signing")
_FOR_EVERYBODY: Final = 0o004
_IMAGE: Final = "kept"


@dataclass(frozen=True, slots=True)
class NeededFile:
    """A file that the project reads, as it is written (it may be a template), and whose it is."""

    path: str
    what: str


def kept_project(project: Project) -> KeptProject:
    """What is kept of a project; no sensitive value, and no file that holds one."""
    raw = read_canonical(project.raw, is_interpolated=False)
    canonical = read_canonical(project.canonical, is_interpolated=True)
    tree = values_tree(raw)
    variables = set(project.variables or {}) | set(_passed_on(raw, canonical))
    return KeptProject(
        compose=json.dumps(tree, sort_keys=True),
        files=tuple(sorted(_public_files(project, raw, canonical), key=lambda file: file.path)),
        given=tuple(sorted((needed_variables(tree) & variables) - project.commanded)),
    )


def values_tree(raw: Tree) -> dict[str, Any]:
    """A project of nothing but what sensitive values are made of."""
    services = {
        name: _service(mapping_of(service))
        for name, service in mapping_of(raw.get("services")).items()
    }
    written = mapping_of(raw.get(KEY))
    tree: dict[str, Any] = {
        "name": str(raw.get("name") or ""),
        "services": services,
        KEY: {key: written[key] for key in _OF_THE_APP if key in written},
    }
    for key in ("secrets", "configs"):
        used = set(_used(services, key))
        defined = mapping_of(raw.get(key))
        tree[key] = {name: defined[name] for name in sorted(used & set(defined))}
    return tree


def project_text(kept: KeptProject, app: AppName) -> str:
    """The kept project as a Compose file."""
    return json.dumps({**json.loads(kept.compose), "name": app})


def needed_variables(tree: Tree) -> frozenset[str]:
    """The variables that values are made of: interpolated, passed on, or whole files of content."""
    names = {name for template in templates_in(tree) for name in variables_in(template)}
    for service in mapping_of(tree.get("services")).values():
        variables = mapping_of(mapping_of(service).get("environment"))
        names |= {name for name, value in variables.items() if value is None}
    for key in ("secrets", "configs"):
        for definition in mapping_of(tree.get(key)).values():
            variable = mapping_of(definition).get("environment")
            names |= {str(variable)} if variable else set()
    return frozenset(names)


def needed_files(tree: Tree) -> tuple[NeededFile, ...]:
    """The files that values are read from, sorted."""
    found: set[tuple[str, str]] = set()
    for key, word in (("secrets", "secret"), ("configs", "config")):
        for name, definition in mapping_of(tree.get(key)).items():
            file = mapping_of(definition).get("file")
            found |= {(str(file), f"{word} {name}")} if file else set()
    for name, service in mapping_of(tree.get("services")).items():
        for entry in list_of(mapping_of(service).get("env_file")):
            said = mapping_of(entry) if isinstance(entry, dict) else {"path": entry}
            if said.get("required", True):
                found.add((str(said["path"]), f"environment file of {name}"))
        for mount in list_of(mapping_of(service).get("volumes")):
            found.add((str(mount["source"]), f"file of {name} at {mount['target']}"))
    return tuple(NeededFile(path, what) for path, what in sorted(found))


def _service(written: Tree) -> dict[str, Any]:
    """Its image is in the release: any name stands for it."""
    service: dict[str, Any] = {"image": _IMAGE}
    service |= {key: written[key] for key in _OF_A_SERVICE if written.get(key) is not None}
    binds = [
        mount
        for mount in list_of(written.get("volumes"))
        if isinstance(mount, dict) and _travels(mount)
    ]
    return {**service, "volumes": binds} if binds else service


def _travels(mount: Tree) -> bool:
    source = str(mount.get("source", ""))
    is_candidate = mount.get("type") == "bind" and bool(mount.get("read_only"))
    return is_candidate and not source.startswith("/")


def _used(services: Tree, key: str) -> Iterator[str]:
    for service in services.values():
        for use in list_of(mapping_of(service).get(key)):
            yield str(use["source"] if isinstance(use, dict) else use)


def _passed_on(raw: Tree, canonical: Tree) -> Iterator[str]:
    """Variables that a service takes over from outside as they are, where they are set."""
    for name, service in mapping_of(raw.get("services")).items():
        told = mapping_of(mapping_of(canonical.get("services")).get(name))
        values = mapping_of(told.get("environment"))
        for variable, value in mapping_of(mapping_of(service).get("environment")).items():
            if value is None and values.get(variable) is not None:
                yield variable


def _public_files(project: Project, raw: Tree, canonical: Tree) -> Iterator[KeptFile]:
    for path in sorted(set(_public_paths(raw, canonical))):
        place = PurePosixPath(path)
        found = (project.files or {}).get(path, FileSet(problem="it was not read"))
        if not place.is_relative_to(project.directory) or found.problem:
            continue
        if all(file.mode & _FOR_EVERYBODY for file in found.files):
            below = place.relative_to(project.directory)
            for file in found.files:
                yield KeptFile(str(below / file.path), file.mode, file.content)


def _public_paths(raw: Tree, canonical: Tree) -> Iterator[str]:
    for definition in mapping_of(canonical.get("configs")).values():
        file = mapping_of(definition).get("file")
        if file:
            yield str(file)
    for name, service in mapping_of(canonical.get("services")).items():
        written = mapping_of(mapping_of(raw.get("services")).get(name))
        for mount in list_of(mapping_of(service).get("volumes")):
            is_candidate = mount.get("type") == "bind" and mount.get("read_only")
            if is_candidate and is_of_this_machine(mount, written, ""):
                yield str(mount["source"])
