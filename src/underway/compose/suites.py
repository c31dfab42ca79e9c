"""The tests of a file: `test` and `policy` of `x-underway` as suites.

`test` is one suite, named after its service, or a mapping of names to suites. Values that come
from outside the file are put aside, as in a service's environment.
"""

import re
from typing import Any, Final

from underway.compose.canonical import mapping_of, text_of
from underway.compose.interpolation import outside_variables
from underway.compose.notebook import Notebook, refuse
from underway.compose.wishes import AppWish, PolicyWish, SuiteWish
from underway.compose.x_underway import KEY, command_of, read_wish, wished_duration_s
from underway.errors.suggestion import name_hint
from underway.model.names import HostName, ServiceName
from underway.model.spec import AppSpec, EnvVar
from underway.model.testing import Suites, SuiteSpec

_NAME: Final = re.compile(r"^[a-z0-9][a-z0-9_-]{0,40}$")
_SETTINGS: Final = frozenset(SuiteWish.__struct_fields__)

Path = tuple[str, ...]


def testing_of(wish: AppWish, spec: AppSpec, notebook: Notebook) -> Suites:
    """The suites, sorted by name, and what is required; raises ConfigurationError."""
    policy = wish.policy or PolicyWish()
    suites = tuple(
        _suite(name, path, value, spec, notebook)
        for name, path, value in sorted(_written(wish.test, spec, notebook))
    )
    return Suites(suites, is_required="tests" in policy.require)


def _written(
    test: dict[str, Any] | None, spec: AppSpec, notebook: Notebook
) -> list[tuple[str, Path, object]]:
    """Name, path and content of each suite."""
    if test is None:
        return []
    is_mapping_of_suites = bool(test) and all(
        isinstance(value, dict) and name not in _SETTINGS for name, value in test.items()
    )
    if not is_mapping_of_suites:
        service = str(test.get("service", ""))
        known = any(service == one.name for one in spec.services)
        return [(service if known else "tests", (KEY, "test"), test)]
    for name in test:
        if not _NAME.match(name):
            refuse(
                "suite-name",
                f"`{name}` cannot be the name of a suite",
                cause="containers and reports are named after it",
                place=notebook.place(KEY, "test", name),
                hint="Use lower-case letters, digits, `-` and `_`.",
            )
    return [(name, (KEY, "test", name), value) for name, value in test.items()]


def _suite(name: str, path: Path, value: object, spec: AppSpec, notebook: Notebook) -> SuiteSpec:
    wish = read_wish(value, SuiteWish, notebook.positions, path)
    place = notebook.place(*path)
    result = wish.result.last_line.strip() if wish.result else ""
    return SuiteSpec(
        name=name,
        service=_service(wish.service, spec, notebook, (*path, "service")),
        command=command_of(wish.command, place),
        entrypoint=command_of(wish.entrypoint, place),
        environment=_environment(name, wish, path, notebook),
        needs=_needs(wish, spec, notebook, path),
        timeout_s=wished_duration_s(wish.timeout, place),
        needs_timeout_s=wished_duration_s(wish.needs_timeout, place),
        last_line=result,
        junit=_junit(wish, notebook, path),
        host=_host(wish, spec, notebook, path),
        has_internet=wish.internet,
        place=place,
    )


def _service(name: str, spec: AppSpec, notebook: Notebook, path: Path) -> ServiceName:
    names = [service.name for service in spec.services]
    if name not in names:
        refuse(
            "test-name-unknown",
            f"the tests name service `{name}`, which the file has not",
            cause=f"the file has {', '.join(f'`{one}`' for one in sorted(names))}",
            place=notebook.place(*path),
            hint=f"{name_hint(name, names)} A service of a profile needs --profile.",
        )
    return ServiceName(name)


def _needs(
    wish: SuiteWish, spec: AppSpec, notebook: Notebook, path: Path
) -> tuple[ServiceName, ...]:
    """What the suite names, else what its service depends on."""
    if wish.needs is None:
        service = spec.service(ServiceName(wish.service))
        return tuple(sorted(needed.service for needed in service.depends_on if needed.is_required))
    named = [wish.needs] if isinstance(wish.needs, str) else wish.needs
    return tuple(
        sorted({_service(name, spec, notebook, (*path, "needs")) for name in named if name})
    )


def _host(wish: SuiteWish, spec: AppSpec, notebook: Notebook, path: Path) -> HostName | None:
    if not wish.on:
        return None
    names = [host.name for host in spec.hosts]
    if wish.on not in names:
        refuse(
            "test-name-unknown",
            f"the tests shall run on `{wish.on}`, which is no host of the app",
            cause=f"`x-underway.hosts` has {', '.join(f'`{one}`' for one in sorted(names))}",
            place=notebook.place(*path, "on"),
            hint=name_hint(wish.on, names),
        )
    return HostName(wish.on)


def _junit(wish: SuiteWish, notebook: Notebook, path: Path) -> str:
    if wish.junit and not wish.junit.startswith("/"):
        refuse(
            "x-underway-invalid",
            f"`junit` must be an absolute path in the container, not `{wish.junit}`",
            place=notebook.place(*path, "junit"),
            hint="Write it as /tmp/report.xml.",
        )
    return wish.junit


def _environment(name: str, wish: SuiteWish, path: Path, notebook: Notebook) -> tuple[EnvVar, ...]:
    """The variables, sorted; what came from outside the file is put aside as sensitive."""
    below: object = notebook.raw
    for step in path:
        below = mapping_of(below).get(step)
    raw = mapping_of(mapping_of(below).get("environment"))
    variables = []
    for key, value in sorted(mapping_of(wish.environment).items()):
        if value is None:
            continue
        text = text_of(value)
        template = text_of(raw.get(key))
        is_outside = outside_variables(template, notebook.variables) - notebook.public
        if key in notebook.public or not is_outside:
            variables.append(EnvVar(key, text))
        else:
            sensitive = notebook.keep(f"test/{name}/{key}", text.encode())
            variables.append(EnvVar(key, sensitive=sensitive))
    return tuple(variables)
