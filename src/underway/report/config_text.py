"""The file as it was understood, as text: defaults filled in, sensitive values hidden. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from underway.model.change import HIDDEN
from underway.model.outline import Alias
from underway.model.spec import AppSpec, PortSpec, ProxySpec, ServiceSpec
from underway.model.testing import Suites
from underway.report.amounts import duration_text
from underway.report.line import Line, Span, faint, line, strong, table, warn
from underway.rollout.comparison import value_text
from underway.rollout.differences import engine_words

_NO_TESTS: Final = Suites()


def config_lines(spec: AppSpec, tests: Suites = _NO_TESTS) -> list[Line]:
    """Hosts, services, volumes, tests, and what the reader of the file remarked."""
    environment = f" in {spec.environment}" if spec.environment else ""
    lines = [line(strong(f"{spec.name}{environment}")), (), *configuration_lines(spec)]
    lines.extend(_tests(tests))
    if spec.remarks:
        lines.append(())
        lines.extend(
            line(warn("note: "), remark.message, faint(f"  {remark.place} [{remark.code}]"))
            for remark in spec.remarks
        )
    return lines


def configuration_lines(spec: AppSpec) -> list[Line]:
    """Hosts, services and volumes; what is sensitive is hidden."""
    lines = [line(strong("hosts"))]
    lines.extend(
        table(
            [
                [
                    Span(host.name),
                    Span(host.url),
                    Span(host.address or "-"),
                    faint(", ".join(host.groups)),
                ]
                for host in spec.hosts
            ],
            indent=2,
        )
    )
    if spec.edge.hosts:
        where = ", ".join(spec.edge.hosts)
        lines.append(line(f"  edge: {where}, port {spec.edge.http_port}"))
    for service in spec.services:
        lines.append(())
        lines.extend(_service(service))
    lines.extend(_volumes(spec))
    return lines


def alias_lines(aliases: Sequence[Alias]) -> list[Line]:
    """The team's own commands."""
    if not aliases:
        return []
    rows = [[Span(alias.name), Span(alias.text)] for alias in aliases]
    return [(), line(strong("aliases")), *table(rows, indent=2)]


def _tests(tests: Suites) -> list[Line]:
    if not tests.suites:
        return []
    told = "" if tests.is_required else " (not required)"
    rows = []
    for suite in tests.suites:
        needs = f" with {', '.join(suite.needs)}" if suite.needs else ""
        what = " ".join((*suite.entrypoint, *suite.command)) or "its own command"
        limit = duration_text(suite.timeout_s)
        rows.append([Span(suite.name), Span(f"{what} in {suite.service}{needs} (within {limit})")])
    return [(), line(strong(f"tests{told}")), *table(rows, indent=2)]


def _service(service: ServiceSpec) -> list[Line]:
    rows = [("image", service.image or "built here"), ("strategy", str(service.strategy))]
    amount = "one per host" if service.is_global else str(service.replicas)
    rows.append(("replicas", f"{amount} on {', '.join(service.hosts)}"))
    if service.proxy is not None:
        rows.append(("proxy", _proxy(service.proxy)))
    if service.before is not None:
        limit = duration_text(service.before.timeout_s)
        rows.append(("before", f"{' '.join(service.before.command)} (within {limit})"))
    rows.extend(
        ("env", f"{entry.name}={HIDDEN if entry.sensitive else entry.value}")
        for entry in service.environment
    )
    rows.extend(
        ("mount", f"{mount.source or mount.kind} at {mount.target}{_access(mount.read_only)}")
        for mount in service.mounts
    )
    rows.extend(
        ("secret" if file.is_secret else "file", f"{file.target} ({file.mode:04o})")
        for file in service.files
    )
    rows.extend(("port", _port(port)) for port in service.ports)
    rows.extend(_around(service))
    rows.extend(
        (key[0], text) for key, value in engine_words(service) if (text := value_text(key, value))
    )
    rows.append(("stop grace", duration_text(service.stop_grace_s)))
    head = line(strong(service.name), faint(f"  {service.place}"))
    return [head, *table([[faint(name), Span(text)] for name, text in rows], indent=2)]


def _around(service: ServiceSpec) -> Iterator[tuple[str, str]]:
    """What stands around a replica, and how it is watched and replaced."""
    for place in service.networks:
        names = f" as {', '.join(place.aliases)}" if place.aliases else ""
        yield "network", f"{place.network}{names}"
    for name, address in service.extra_hosts:
        yield "host name", f"{name} is {address}"
    for one in service.depends_on:
        yield "depends on", f"{one.service} ({one.condition.removeprefix('service_')})"
    if service.expose:
        yield "expose", ", ".join(map(str, service.expose))
    if text := value_text(("healthcheck", ""), service.health):
        yield "healthcheck", text
    if text := value_text(("update_config", ""), service.update):
        yield "update", text
    for label, value in service.labels:
        yield "label", f"{label}={value}"


def _proxy(proxy: ProxySpec) -> str:
    probe = f"GET {proxy.probe.path}" if proxy.probe.path else "TCP"
    names = ", ".join(proxy.hosts) or "any host name"
    return (
        f"{names} to port {proxy.port}, probe {probe} every "
        f"{duration_text(proxy.probe.interval_s)}, drain {duration_text(proxy.drain_s)}"
    )


def _port(port: PortSpec) -> str:
    numbers = f"{port.host_port or 'any'}" + (
        f" to {port.last_host_port}" if port.last_host_port else ""
    )
    outside = f"{port.host_address or 'default address'}:{numbers}"
    public = ", public" if port.is_public else ""
    return f"{outside} to {port.container_port}/{port.protocol}{public}"


def _access(is_read_only: bool) -> str:  # noqa: FBT001 (a column, not a switch)
    return " (read-only)" if is_read_only else ""


def _volumes(spec: AppSpec) -> list[Line]:
    if not spec.volumes:
        return []
    rows = [
        [
            Span(volume.name),
            Span(volume.kind),
            faint("external" if volume.is_external else volume.physical),
            faint("single writer" if volume.is_single_writer else ""),
        ]
        for volume in spec.volumes
    ]
    return [(), line(strong("volumes")), *table(rows, indent=2)]
