"""Ports that only images tell: the one that a proxied service exposes, where none is named."""

from collections.abc import Mapping
from dataclasses import replace

from underway.errors import ConfigurationError
from underway.image.yard import Yard
from underway.model.image import ImageIdentity
from underway.model.names import ServiceName
from underway.model.spec import AppSpec, ServiceSpec


def with_ports(spec: AppSpec, yard: Yard, images: Mapping[ServiceName, ImageIdentity]) -> AppSpec:
    """The specification with each unsaid port of a proxied service taken from its image."""
    services = tuple(
        replace(service, proxy=replace(service.proxy, port=_port(yard, service, images)))
        if service.proxy is not None and not service.proxy.port
        else service
        for service in spec.services
    )
    return replace(spec, services=services)


def _port(yard: Yard, service: ServiceSpec, images: Mapping[ServiceName, ImageIdentity]) -> int:
    image = images[service.name]
    ports: tuple[int, ...] = ()
    for engine in (
        yard.engine,
        *(yard.hosts[name] for name in service.hosts if name in yard.hosts),
    ):
        state = engine.image(image.config_digest) or engine.image(
            image.pull_reference or image.reference
        )
        if state is not None:
            ports = state.exposed_ports
            break
    if len(ports) == 1:
        return ports[0]
    said = "exposes no port" if not ports else f"exposes {', '.join(map(str, ports))}"
    raise ConfigurationError(
        "proxy-port-unknown",
        f"service `{service.name}` names no port for the proxy, and its image {said}",
        hint="Write `proxy: {host: ..., port: ...}`.",
        place=service.place,
    )
