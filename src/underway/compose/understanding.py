"""Understanding a project: everything that was read becomes one specification, or one error."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from underway.compose.backups import backup_of
from underway.compose.canonical import Tree, mapping_of, read_canonical, text_of
from underway.compose.hosts import Fleet, edge_of, fleet_of
from underway.compose.interpolation import outside_variables, templates_in, unset_variables
from underway.compose.key_check import check_keys
from underway.compose.networks import networks_of
from underway.compose.notebook import Notebook, refuse
from underway.compose.placing import check_placing
from underway.compose.positions import Positions
from underway.compose.services import Surroundings, service_of
from underway.compose.sources import Project, Understood
from underway.compose.suites import testing_of
from underway.compose.volumes import volumes_of, writers_denied
from underway.compose.wishes import AppWish
from underway.compose.x_underway import KEY, app_wish, service_wish
from underway.errors.suggestion import meant_hint
from underway.model.names import AppName
from underway.model.spec import AppSpec, DependencyCondition, ServiceSpec

_OPEN_KEYS: Final = (
    "annotations",
    "command",
    "entrypoint",
    "extra_hosts",
    "healthcheck",
    "hostname",
    "labels",
    "logging",
    "user",
)
_DEFAULT_SUBNET: Final = AppSpec(AppName(""), (), ()).subnet
_DEFAULT_TAGS: Final = AppSpec(AppName(""), (), ()).tags


def understand(project: Project) -> Understood:
    """The specification of a project and its sensitive values; raises ConfigurationError."""
    positions = Positions(project.sources)
    canonical = read_canonical(project.canonical, is_interpolated=True)
    wish = app_wish(canonical, positions)
    fleet = fleet_of(wish, positions)
    _check_public(wish, project, positions)
    notebook = Notebook(
        canonical,
        read_canonical(project.raw, is_interpolated=False),
        positions,
        variables=project.variables or {},
        files=project.files or {},
        directory=project.directory,
        public=frozenset(wish.public),
        is_remote=fleet.is_remote,
        is_fleet=fleet.is_fleet,
    )
    spec = replace(_spec(wish, fleet, notebook), environment=project.environment)
    check_placing(spec, notebook)
    testing = testing_of(wish, spec, notebook)
    backup = backup_of(wish, notebook)
    return replace(_finished(spec, notebook), testing=testing, backup=backup)


def _spec(wish: AppWish, fleet: Fleet, notebook: Notebook) -> AppSpec:
    check_keys(notebook)
    _remark_app(notebook)
    canonical, positions = notebook.canonical, notebook.positions
    app = AppName(str(canonical.get("name") or ""))
    volumes = volumes_of(app, notebook)
    services = _services(canonical, fleet, volumes, notebook)
    if not services:
        refuse(
            "no-services",
            "the file has no service to run",
            cause="it has none, or each of them belongs to a profile that is not chosen",
            place=positions.place("services"),
            hint="Add a service, or choose its profile with --profile.",
        )
    _remark_interpolation(notebook, wish)
    return AppSpec(
        name=app,
        services=services,
        hosts=fleet.hosts,
        edge=edge_of(wish, fleet, [s.hosts for s in services if s.proxy], positions),
        volumes=tuple(volumes[name] for name in sorted(volumes)),
        networks=networks_of(app, notebook),
        tags=_tags(wish, notebook),
        tools=wish.tools,
        subnet=_subnet(wish, notebook),
    )


def _finished(spec: AppSpec, notebook: Notebook) -> Understood:
    """The specification with the single writers its services imply, and all remarks."""
    held = {
        mount.source
        for service in spec.services
        if service.is_single_writer
        for mount in service.mounts
        if mount.source and not mount.read_only
    }
    volumes = tuple(
        replace(volume, is_single_writer=volume.is_single_writer or volume.name in held)
        for volume in spec.volumes
    )
    values = notebook.values
    used = {v.sensitive for s in spec.services for v in s.environment if v.sensitive}
    used |= {file.content for service in spec.services for file in service.files}
    return Understood(
        replace(spec, volumes=volumes, remarks=notebook.remarks),
        values,
        build_only=frozenset(values) - frozenset(used),
    )


def _services(
    canonical: Tree, fleet: Fleet, volumes: Mapping[Any, Any], notebook: Notebook
) -> tuple[ServiceSpec, ...]:
    services = mapping_of(canonical.get("services"))
    around = Surroundings(
        fleet=fleet,
        volumes=volumes,
        completed=_completed(services),
        active=frozenset(services),
        denied=writers_denied(notebook),
    )
    place = mapping_of(mapping_of(canonical.get(KEY)).get("place"))
    for name in sorted(place):
        if name not in services and name not in mapping_of(notebook.raw.get("services")):
            refuse(
                "place-unknown",
                f"`place` names service `{name}`, which does not exist",
                cause=f"the file has {', '.join(f'`{one}`' for one in sorted(services))}",
                place=notebook.place(KEY, "place", name),
                hint=meant_hint(name, services, "Correct the name, or remove the line."),
            )
    return tuple(
        service_of(
            mapping_of(services[name]),
            name,
            service_wish(mapping_of(services[name]), name, notebook.positions),
            around,
            notebook,
        )
        for name in sorted(services)
    )


def _completed(services: Mapping[str, Any]) -> frozenset[str]:
    """The services that another waits to complete."""
    return frozenset(
        name
        for service in services.values()
        for name, settings in mapping_of(mapping_of(service).get("depends_on")).items()
        if mapping_of(settings).get("condition") == DependencyCondition.COMPLETED
    )


def _check_public(wish: AppWish, project: Project, positions: Positions) -> None:
    for name in sorted(project.commanded & set(wish.public)):
        refuse(
            "public-and-sensitive",
            f"`{name}` is listed as public and comes from a command for sensitive values",
            cause="a value is shown in plans and records, or nowhere",
            place=positions.place(KEY, "public"),
            hint="Remove it from one of the two.",
        )


def _remark_app(notebook: Notebook) -> None:
    if not notebook.positions.has("name"):
        notebook.remark(
            "name-missing",
            f"the file has no `name`: the app is called `{notebook.canonical.get('name')}` after "
            "its directory, and another directory would be another app",
        )


def _tags(wish: AppWish, notebook: Notebook) -> tuple[str, ...]:
    for tag in wish.tags:
        if not tag or tag == "latest":
            refuse(
                "tag-invalid",
                f"`{tag}` is not a tag that deploys" if tag else "a tag is empty",
                cause="such a tag names another image tomorrow",
                place=notebook.place(KEY, "tags"),
                hint="Use a template such as {semver} or {date}-{commit}.",
            )
    return tuple(wish.tags) or _DEFAULT_TAGS


def _subnet(wish: AppWish, notebook: Notebook) -> str:
    if not wish.subnet:
        return _DEFAULT_SUBNET
    try:
        network = ipaddress.ip_network(wish.subnet)
    except ValueError as error:
        refuse(
            "subnet-invalid",
            f"`{wish.subnet}` is not a subnet",
            cause=str(error),
            place=notebook.place(KEY, "subnet"),
            hint="Write it as 10.210.0.0/16.",
        )
    if network.version != 4 or network.is_global:  # noqa: PLR2004 - IP version
        refuse(
            "subnet-invalid",
            f"`{wish.subnet}` is not a private IPv4 subnet",
            cause="addresses of others would not be reached any more",
            place=notebook.place(KEY, "subnet"),
            hint="Take one from 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.",
        )
    return str(network)


def _remark_interpolation(notebook: Notebook, wish: AppWish) -> None:
    """Note values from outside that stand in the open, and variables that nobody set."""
    for name, path, template in _templates(notebook):
        place = notebook.place(*path)
        for variable in sorted(unset_variables(template, notebook.variables)):
            notebook.remark(
                "variable-unset", f"variable {variable} is not set: it is left empty", place
            )
        if len(path) > 2 and path[2] in _OPEN_KEYS:  # noqa: PLR2004 - services, NAME, key
            outside = outside_variables(template, notebook.variables) - frozenset(wish.public)
            for variable in sorted(outside):
                notebook.remark(
                    "interpolated-in-the-open",
                    f"{variable} comes from outside the file, and `{path[2]}` of service "
                    f"`{name}` shows it to everybody who sees the container",
                    place,
                )


def _templates(notebook: Notebook) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Every text of the services that holds a dollar: service, path, text."""
    active = mapping_of(notebook.canonical.get("services"))
    for name, service in sorted(mapping_of(notebook.raw.get("services")).items()):
        if name not in active:
            continue
        for key, value in sorted(mapping_of(service).items()):
            path = ("services", name, key)
            if key == "environment":
                for variable, text in sorted(mapping_of(value).items()):
                    if text is not None:
                        yield name, (*path, variable), text_of(text)
                continue
            for template in templates_in(value):
                yield name, path, template
