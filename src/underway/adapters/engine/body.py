"""The body of a create call: a container request in the Engine API's words. Pure."""

import json
import math
from typing import Any, Final

from underway.errors import ConfigurationError, IntegrityError
from underway.model.container import ContainerRequest, NetworkPlace, PublishedPort
from underway.model.names import SensitiveName
from underway.model.sensitive import SensitiveValues
from underway.model.spec import EnvVar, HealthSpec, Mount, MountKind

_NS_PER_S: Final = 1_000_000_000
_BINDS_EXPRESS: Final = {"CreateMountpoint", "Propagation"}


def create_body(request: ContainerRequest, values: SensitiveValues) -> dict[str, Any]:
    """The JSON for `POST /containers/create`, sensitive values put in.

    Raises IntegrityError for a value that is missing, ConfigurationError for one that an
    environment cannot hold.
    """
    fragment = json.loads(request.engine)
    body: dict[str, Any] = dict(fragment.get("Config", {}))
    host: dict[str, Any] = dict(fragment.get("HostConfig", {}))
    body["Image"] = request.image
    body["Labels"] = {**(body.get("Labels") or {}), **dict(request.labels)}
    body["Env"] = _environment(body.get("Env") or [], request, values)
    body["StopTimeout"] = math.ceil(request.stop_grace_s)
    if request.command:
        body["Cmd"] = list(request.command)
    if request.health is not None:
        body["Healthcheck"] = _health(request.health)
    _add_ports(body, host, request.published)
    _add_mounts(host, request.mounts)
    if request.extra_hosts:
        extra = [f"{name}:{address}" for name, address in request.extra_hosts]
        host["ExtraHosts"] = [*(host.get("ExtraHosts") or []), *extra]
    body["HostConfig"] = host
    if request.network_mode:
        host["NetworkMode"] = request.network_mode
    elif request.networks:
        first = request.networks[0]
        host["NetworkMode"] = first.network
        body["NetworkingConfig"] = {"EndpointsConfig": {first.network: endpoint(first)}}
    return body


def endpoint(place: NetworkPlace) -> dict[str, Any]:
    """The endpoint settings for a container's place in a network."""
    settings: dict[str, Any] = {}
    if place.address:
        settings["IPAMConfig"] = {"IPv4Address": place.address}
    if place.aliases:
        settings["Aliases"] = list(place.aliases)
    return settings


def revealed(values: SensitiveValues, name: SensitiveName) -> bytes:
    """A value's bytes; IntegrityError if there is none of that name."""
    value = values.get(name)
    if value is None:
        raise IntegrityError(
            "value-missing",
            f"The sensitive value `{name}` is not at hand",
            hint="Deploy with today's values, or restore the vault of this release.",
        )
    return value.reveal()


def _environment(below: list[str], request: ContainerRequest, values: SensitiveValues) -> list[str]:
    merged = dict(entry.partition("=")[::2] for entry in below)
    for variable in request.environment:
        merged[variable.name] = _value(variable, values)
    return [f"{name}={value}" for name, value in merged.items()]


def _value(variable: EnvVar, values: SensitiveValues) -> str:
    if variable.sensitive is None:
        return variable.value
    try:
        text = revealed(values, variable.sensitive).decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ConfigurationError(
            "value-not-text",
            f"The value of `{variable.name}` is not text, so no environment can hold it",
            hint="Make it a file: list it under `secrets:`.",
        )
    return text


def _health(health: HealthSpec) -> dict[str, Any]:
    """Zero and () mean: what the image says."""
    body: dict[str, Any] = {}
    if health.test:
        body["Test"] = list(health.test)
    for key, seconds in (
        ("Interval", health.interval_s),
        ("Timeout", health.timeout_s),
        ("StartPeriod", health.start_period_s),
        ("StartInterval", health.start_interval_s),
    ):
        if seconds:
            body[key] = round(seconds * _NS_PER_S)
    if health.retries:
        body["Retries"] = health.retries
    return body


def _add_ports(
    body: dict[str, Any], host: dict[str, Any], published: tuple[PublishedPort, ...]
) -> None:
    exposed = dict(body.get("ExposedPorts") or {})
    bindings = {port: list(held) for port, held in (host.get("PortBindings") or {}).items()}
    for port in published:
        key = f"{port.container_port}/{port.protocol}"
        exposed[key] = {}
        bindings.setdefault(key, []).append(
            {"HostIp": port.host_address, "HostPort": _host_port(port)}
        )
    if exposed:
        body["ExposedPorts"] = exposed
    if bindings:
        host["PortBindings"] = bindings


def _host_port(port: PublishedPort) -> str:
    if not port.host_port:
        return ""
    last = f"-{port.last_host_port}" if port.last_host_port else ""
    return f"{port.host_port}{last}"


def _add_mounts(host: dict[str, Any], mounts: tuple[Mount, ...]) -> None:
    whole = list(host.get("Mounts") or [])
    short = list(host.get("Binds") or [])
    for mount in mounts:
        options = json.loads(mount.options) if mount.options else {}
        if mount.kind is MountKind.BIND and _needs_bind(options):
            short.append(_bind(mount, options))
        else:
            whole.append(_mount(mount, options))
    if whole:
        host["Mounts"] = whole
    if short:
        host["Binds"] = short


def _needs_bind(options: dict[str, Any]) -> bool:
    """Whether the path shall be made if missing: engines before 23 do that for `Binds` only."""
    return bool(options.get("CreateMountpoint")) and set(options) <= _BINDS_EXPRESS


def _bind(mount: Mount, options: dict[str, Any]) -> str:
    mode = ["ro" if mount.read_only else "rw"]
    if options.get("Propagation"):
        mode.append(str(options["Propagation"]))
    return f"{mount.source}:{mount.target}:{','.join(mode)}"


def _mount(mount: Mount, options: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"Type": mount.kind.value, "Target": mount.target}
    if mount.source:
        body["Source"] = mount.source
    if mount.read_only:
        body["ReadOnly"] = True
    if options:
        key = {
            MountKind.VOLUME: "VolumeOptions",
            MountKind.BIND: "BindOptions",
            MountKind.TMPFS: "TmpfsOptions",
        }[mount.kind]
        body[key] = options
    return body
