"""Where users reach the app: the URLs that its edges serve."""

from typing import Final
from urllib.parse import urlsplit

from underway.api.comparing import chosen_release
from underway.api.output import require_services
from underway.api.session import Session
from underway.errors import UsageError
from underway.model.names import NO_RELEASE, ServiceName
from underway.model.spec import AppSpec, HostSpec, ServiceSpec
from underway.model.status import ServiceUrl

_HTTP_PORT: Final = 80


def urls(session: Session, service: ServiceName | None = None) -> tuple[ServiceUrl, ...]:
    """The URLs of all services that users reach through the edges, or of one.

    They are those of the release that the app runs. Raises RefusedError `nothing-deployed`,
    UsageError `service-unknown` and `service-not-proxied`.
    """
    snapshot = session.observe()
    spec = chosen_release(session, snapshot, NO_RELEASE).spec
    if service is None:
        return tuple(url for one in spec.services for url in urls_of(spec, one))
    require_services(session, snapshot, (service,))
    found = tuple(u for one in spec.services if one.name == service for u in urls_of(spec, one))
    if not found:
        raise UsageError(
            "service-not-proxied",
            f"no edge takes users to `{service}`",
            hint="Give it `x-underway: {proxy: HOST}`, or name a service that has it.",
        )
    return found


def urls_of(spec: AppSpec, service: ServiceSpec) -> tuple[ServiceUrl, ...]:
    """By host name; one that answers to any name is reached by the address of each edge."""
    if service.proxy is None:
        return ()
    edges = [_address(spec.host(name)) for name in spec.edge.hosts]
    port = "" if spec.edge.http_port == _HTTP_PORT else f":{spec.edge.http_port}"
    names = service.proxy.hosts or tuple(edges)
    return tuple(ServiceUrl(service.name, f"http://{n}{port}{service.proxy.path}") for n in names)


def _address(host: HostSpec) -> str:
    """Where an edge is reached by whoever has no name for it."""
    parts = urlsplit(host.url)
    return parts.hostname if parts.scheme in {"ssh", "tcp"} and parts.hostname else "localhost"
