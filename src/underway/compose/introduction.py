"""The first `x-underway` of a project: what its file tells, what is asked, and what is written.

Everything written is commented for somebody who reads it for the first time.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from underway.compose.canonical import Tree, list_of, mapping_of
from underway.compose.insertion import (
    Insertion,
    end_of_file,
    first_line,
    inserted,
    service_spot,
)
from underway.compose.positions import SourceText, written_name
from underway.compose.replacement import is_database_image
from underway.compose.x_underway import KEY
from underway.errors import RefusedError, UsageError
from underway.errors.suggestion import name_hint

SCHEMA_FILE: Final = "x-underway.schema.json"
HTTP_PORT: Final = 80
_TLS_PORT: Final = 443
_DEFAULT: Final = re.compile(r"\$\{\w+:?-([^}]*)\}")
_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A service that users may reach: the ports it publishes (host, container), 0 for unknown."""

    service: str
    ports: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of the user's wishes.

    `hosts` are URLs with private addresses, empty for the engine of this machine; `pinned` the
    services that keep data, which a fleet places on its first host. `service` "" has no proxy.
    `builds`: an image is built from the file, and gets a tag.
    """

    service: str = ""
    host_name: str = ""
    container_port: int = 0
    http_port: int = HTTP_PORT
    health: str = ""
    hosts: tuple[tuple[str, str], ...] = ()
    pinned: tuple[str, ...] = ()
    builds: bool = False
    has_schema: bool = True


def candidates(tree: Tree) -> tuple[Candidate, ...]:
    """The services that publish a TCP port and are no database, by name."""
    found = []
    for name, service in sorted(mapping_of(tree.get("services")).items()):
        ports = tuple(_ports(service))
        has_volume = bool(service.get("volumes"))
        if ports and not is_database_image(str(service.get("image", "")), has_volume=has_volume):
            found.append(Candidate(name, ports))
    return tuple(found)


def chosen(tree: Tree, service: str) -> Candidate | None:
    """The service users reach; None where none publishes a port.

    Raises UsageError (`service-unknown`, `init-service-unclear`).
    """
    services = mapping_of(tree.get("services"))
    if service and service not in services:
        raise UsageError(
            "service-unknown",
            f"the file has no service `{service}`",
            hint=name_hint(service, services),
        )
    if service:
        return Candidate(service, tuple(_ports(services[service])))
    found = candidates(tree)
    if len(found) > 1:
        names = ", ".join(one.service for one in found)
        raise UsageError(
            "init-service-unclear",
            f"several services publish ports: {names}",
            cause="users' requests come through the proxy, which must know to which of them",
            hint=f"name it: underway init --service {found[0].service}",
        )
    return found[0] if found else None


def users_port(candidate: Candidate) -> int:
    """The host's port by which users reach a service now; a proxy without TLS leaves 443 alone."""
    held = [host for host, _ in candidate.ports if host and host != _TLS_PORT]
    return HTTP_PORT if HTTP_PORT in held or not held else held[0]


def container_port(candidate: Candidate) -> int:
    """The port of the container behind the one that users reach; 0 where the file has none."""
    wished = users_port(candidate)
    ports = [inner for host, inner in candidate.ports if host == wished and inner]
    known = [inner for _, inner in candidate.ports if inner]
    return next(iter([*ports, *known]), 0)


def keeping_data(tree: Tree) -> tuple[str, ...]:
    """The services with a named volume, by name: they stay where their data is."""
    named = mapping_of(tree.get("volumes"))
    return tuple(
        name
        for name, service in sorted(mapping_of(tree.get("services")).items())
        if any(_source(mount) in named for mount in list_of(service.get("volumes")))
    )


def builds(tree: Tree) -> bool:
    """Whether an image is built from the file."""
    return any("build" in service for service in mapping_of(tree.get("services")).values())


def require_new(tree: Tree) -> None:
    """Raise RefusedError `init-done` where the file says x-underway already."""
    services = mapping_of(tree.get("services"))
    if KEY in tree or any(KEY in mapping_of(service) for service in services.values()):
        raise RefusedError(
            "init-done",
            f"the file has `{KEY}` already",
            hint="edit it: `underway config` shows how it is understood",
        )


def without_ours(tree: Tree) -> dict[str, object]:
    """Compose's canonical tree without what only Underway reads: what Compose acts on."""
    services = {
        name: {key: value for key, value in mapping_of(service).items() if key != KEY}
        for name, service in mapping_of(tree.get("services")).items()
    }
    return {**{key: value for key, value in tree.items() if key != KEY}, "services": services}


def service_lines(answers: Answers) -> tuple[str, ...]:
    """What a service gets, not indented."""
    proxy = [f"host: {answers.host_name}"]
    if answers.container_port:
        proxy.append(f"port: {answers.container_port}")
    if answers.health:
        proxy.append(f"health: {answers.health}")
    lines = [
        f"{KEY}:",
        "  # Users reach it by this host name, through the proxy; `port` is the container's.",
        f"  proxy: {{{', '.join(proxy)}}}",
    ]
    if not answers.health:
        lines += [
            "  # Add `health: /PATH`, and a replica gets requests once that path answers well;",
            "  # without it, once its port is open.",
        ]
    return tuple(lines)


def app_lines(answers: Answers) -> tuple[str, ...]:
    """What the end of the file gets."""
    return (
        "",
        "# How Underway keeps this application running. Docker Compose ignores it.",
        "# `underway config` shows what was understood, `underway plan` what a deploy would do.",
        f"{KEY}:",
        *_host_lines(answers),
        *_edge_lines(answers),
        *_tag_lines(answers),
    )


def completed(source: SourceText, app: str, answers: Answers) -> str:
    """The file's text with the name of the app, the schema, and `x-underway`."""
    top = first_line(source)
    head: list[str] = []
    if answers.has_schema:
        head.append(f"# yaml-language-server: $schema={SCHEMA_FILE}")
    if not written_name(source.text):
        head += ["# The app's name: the same from every directory and machine.", f"name: {app}", ""]
    additions = [
        Insertion(top, tuple(head)),
        Insertion(end_of_file(source.text), app_lines(answers)),
    ]
    if answers.service:
        spot = service_spot(source, answers.service)
        lines = tuple(" " * spot.indent + line for line in service_lines(answers))
        additions.append(Insertion(spot.after + 1, lines))
    return inserted(source.text, additions)


def _host_lines(answers: Answers) -> Iterator[str]:
    if not answers.hosts:
        yield "  # Where it runs: on the Docker engine of this machine, or on servers:"
        yield '  # hosts: ["ssh://deploy@app1.example.com"]'
        return
    yield "  # Where it runs, reached by your own ssh; `address` is the private one, which the"
    yield "  # hosts reach one another by."
    yield "  hosts:"
    for url, address in answers.hosts:
        yield f'    - {{url: "{url}", address: {address}}}' if address else f'    - "{url}"'
    first = _name(answers.hosts[0][0])
    if len(answers.hosts) > 1 and answers.pinned:
        yield "  # Services stay on the host that holds their data; others run on all hosts."
        yield f"  place: {{{', '.join(f'{name}: {first}' for name in answers.pinned)}}}"


def _edge_lines(answers: Answers) -> Iterator[str]:
    if not answers.service:
        yield "  # No service publishes a port for users. One that they shall reach gets"
        yield f"  # `{KEY}: {{proxy: HOST_NAME}}` of its own."
        return
    hosts = f"hosts: {_name(answers.hosts[0][0])}, " if len(answers.hosts) > 1 else ""
    yield "  # The edge takes users' requests: where its proxy listens."
    yield f"  edge: {{{hosts}http_port: {answers.http_port}}}"


def _tag_lines(answers: Answers) -> tuple[str, ...]:
    if not answers.builds:
        return ()
    return (
        "  # How the images built from this file are tagged; {semver} would come from git tags.",
        '  tags: ["{date}-{commit}"]',
    )


def _name(url: str) -> str:
    """What a host is called whose URL says no more."""
    return url.partition("://")[2].rpartition("@")[2].partition("/")[0].partition(":")[0] or url


def _ports(service: Tree) -> Iterator[tuple[int, int]]:
    for entry in list_of(service.get("ports")):
        if isinstance(entry, dict):
            if entry.get("protocol", "tcp") == "tcp":
                yield _number(entry.get("published")), _number(entry.get("target"))
            continue
        text = _DEFAULT.sub(r"\1", str(entry))
        numbers, _, protocol = text.partition("/")
        parts = numbers.split(":")
        if protocol in {"", "tcp"}:
            yield (_number(parts[-2]) if len(parts) > 1 else 0), _number(parts[-1])


def _number(value: object) -> int:
    found = _NUMBER.fullmatch(_DEFAULT.sub(r"\1", str(value or "")))
    return int(found[0]) if found else 0


def _source(mount: object) -> str:
    if isinstance(mount, dict):
        return str(mount.get("source", ""))
    return str(mount).partition(":")[0]


def listed(found: Sequence[Candidate]) -> str:
    """Candidates as a question shows them: `web (8080), admin (9000)`."""
    return ", ".join(
        f"{one.service} ({', '.join(str(host or inner) for host, inner in one.ports)})"
        for one in found
    )
