"""Health checks, dependencies, update policy, `proxy` and `before` of one service."""

import re
from typing import Final

from underway.compose.canonical import Tree, list_of, mapping_of
from underway.compose.notebook import Notebook, refuse
from underway.compose.published import container_ports
from underway.compose.quantities import duration_s
from underway.compose.wishes import BeforeWish, HealthWish, ProxyWish, ServiceWish
from underway.compose.x_underway import KEY, command_of, wished_duration_s
from underway.model.names import ServiceName
from underway.model.spec import (
    BeforeSpec,
    Dependency,
    DependencyCondition,
    FailureAction,
    HealthSpec,
    ProbeSpec,
    ProxySpec,
    UpdateSpec,
)

_HOST: Final = re.compile(
    r"^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"
)


def health_of(service: Tree) -> HealthSpec | None:
    """The HEALTHCHECK as written; None where the image decides alone."""
    check = mapping_of(service.get("healthcheck"))
    if not check:
        return None
    if check.get("disable"):
        return HealthSpec(test=("NONE",))
    test = check.get("test")
    words = ("CMD-SHELL", test) if isinstance(test, str) else tuple(map(str, list_of(test)))
    return HealthSpec(
        test=words,
        interval_s=_seconds(check.get("interval")),
        timeout_s=_seconds(check.get("timeout")),
        retries=int(check.get("retries") or 0),
        start_period_s=_seconds(check.get("start_period")),
        start_interval_s=_seconds(check.get("start_interval")),
    )


def dependencies_of(service: Tree, active: frozenset[str]) -> tuple[Dependency, ...]:
    """The services that must be there first, sorted; inactive optional ones are left out."""
    return tuple(
        Dependency(
            ServiceName(name),
            DependencyCondition(mapping_of(settings).get("condition", "service_started")),
            bool(mapping_of(settings).get("required", True)),
        )
        for name, settings in sorted(mapping_of(service.get("depends_on")).items())
        if name in active
    )


def update_of(service: Tree) -> UpdateSpec:
    """Compose's `update_config`; without one, what protects: one at a time, roll back."""
    update = mapping_of(mapping_of(service.get("deploy")).get("update_config"))
    default = UpdateSpec()
    monitor = update.get("monitor")
    return UpdateSpec(
        parallelism=int(update.get("parallelism", default.parallelism)),
        delay_s=_seconds(update.get("delay")),
        monitor_s=_seconds(monitor) if monitor is not None else default.monitor_s,
        is_monitored=monitor is not None,
        failure_action=FailureAction(update.get("failure_action", default.failure_action)),
        max_failure_ratio=float(update.get("max_failure_ratio") or 0.0),
    )


def proxy_of(wish: ServiceWish, service: Tree, name: str, notebook: Notebook) -> ProxySpec | None:
    """How users reach the service, or None; raises ConfigurationError."""
    if wish.proxy is None:
        return None
    proxy = ProxyWish(host=wish.proxy) if isinstance(wish.proxy, str) else wish.proxy
    place = notebook.place("services", name, KEY, "proxy")
    hosts = [proxy.host] if isinstance(proxy.host, str) else proxy.host
    for host in hosts:
        if not _HOST.match(host):
            refuse(
                "proxy-host-invalid",
                f"`{host}` is not a host name",
                cause="requests are told apart by the name in their Host header",
                place=place,
                hint="Write a name such as libra.example.com: lower case, no scheme, no port.",
            )
    if not hosts or not proxy.path.startswith("/"):
        refuse(
            "proxy-invalid",
            f"`proxy` of service `{name}` needs a host and a path that begins with `/`",
            cause="requests are told apart by host name and path",
            place=place,
            hint="Write {host: libra.example.com, path: /}.",
        )
    return ProxySpec(
        hosts=tuple(sorted(set(hosts))),
        port=proxy.port or _only_port(service, name, place, notebook),
        path=proxy.path,
        probe=_probe(proxy, name, notebook, place),
        drain_s=wished_duration_s(proxy.drain, place),
        deploy_timeout_s=wished_duration_s(proxy.deploy_timeout, place),
        response_timeout_s=wished_duration_s(proxy.response_timeout, place),
        tunnel_timeout_s=wished_duration_s(proxy.tunnel_timeout, place),
    )


def before_of(wish: ServiceWish, name: str, notebook: Notebook) -> BeforeSpec | None:
    """The command that runs before a deploy, or None."""
    if wish.before is None:
        return None
    before = wish.before if isinstance(wish.before, BeforeWish) else BeforeWish(command=wish.before)
    place = notebook.place("services", name, KEY, "before")
    command = command_of(before.command, place)
    if not command:
        refuse(
            "x-underway-invalid",
            f"`before` of service `{name}` is empty",
            cause="there is no command to run",
            place=place,
            hint="Name a command of the image, or remove it.",
        )
    return BeforeSpec(
        command, wished_duration_s(before.timeout, place), command_of(before.undo, place)
    )


def _probe(proxy: ProxyWish, name: str, notebook: Notebook, place: str) -> ProbeSpec:
    health = HealthWish(path=proxy.health) if isinstance(proxy.health, str) else proxy.health
    if health.path and not health.path.startswith("/"):
        refuse(
            "proxy-invalid",
            f"`health` of service `{name}` is not a path: `{health.path}`",
            cause="the edge asks each replica by HTTP at this path",
            place=place,
            hint="Write a path such as /up.",
        )
    if not health.path:
        notebook.remark(
            "tcp-probe",
            f"the edge asks service `{name}` only whether its port is open",
            place,
        )
    return ProbeSpec(
        path=health.path,
        interval_s=wished_duration_s(health.interval, place),
        timeout_s=wished_duration_s(health.timeout, place),
        rise=health.rise,
        fall=health.fall,
    )


def _only_port(service: Tree, name: str, place: str, notebook: Notebook) -> int:
    """The single port the service names; 0 asks the image."""
    ports = container_ports(service)
    if len(ports) > 1:
        refuse(
            "proxy-port-ambiguous",
            f"service `{name}` has several ports: {', '.join(map(str, ports))}",
            cause="only one of them can answer users' requests",
            place=place,
            hint=f"Write {{host: ..., port: {ports[0]}}}.",
        )
    if not ports:
        notebook.remark(
            "proxy-port-of-the-image",
            f"service `{name}` names no port: the image's single EXPOSE decides",
            place,
        )
    return ports[0] if ports else 0


def _seconds(value: object) -> float:
    return duration_s(str(value)) if value is not None else 0.0
