"""What `edge-state` printed, read into the domain's words. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from underway.adapters.haproxy.sections import sections_of
from underway.adapters.haproxy.server_rows import ServerRow, check_statuses, server_rows
from underway.model.names import EDGE_CONTAINER, AppName, ContainerName, RunNumber, ServiceName
from underway.model.traffic import EdgeState, ObservedServer, ObservedUpstream, live_side
from underway.rollout.haproxy_config import BackendName, digest_of, parsed_backend
from underway.rollout.haproxy_listener import listens_of, routes_of_users

_RUNNING_STRUCTURE = "underway-"


@dataclass(slots=True)
class _Answer:
    """The sections of one answer."""

    info: dict[str, str] = field(default_factory=dict)
    port: int = 0
    structure: str = ""
    rested: tuple[str, ...] = ()
    rows: tuple[ServerRow, ...] = ()
    checks: dict[tuple[BackendName, str], str] = field(default_factory=dict)
    routes: tuple[tuple[str, BackendName], ...] = ()
    runs: dict[AppName, RunNumber] = field(default_factory=dict)
    files: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def is_current(self) -> bool:
        """Whether the running proxy has loaded the structure that the files say."""
        return self.info.get("description") == _RUNNING_STRUCTURE + self.structure


def edge_state(text: str, container: ContainerName = EDGE_CONTAINER) -> EdgeState:
    """Read what `container` answered; IntegrityError `edge-answer-unreadable` if it is cut off."""
    answer = _answer(text)
    return EdgeState(
        version=answer.info.get("Version", ""),
        upstreams=tuple(
            _upstream(answer, AppName(app), ServiceName(service))
            for app, service in sorted(answer.files)
        ),
        runs=tuple(sorted(answer.runs.items())),
        http_port=answer.port,
        container=container,
        rested=answer.rested,
    )


def _answer(text: str) -> _Answer:  # noqa: C901 -- one case each
    answer = _Answer()
    for section in sections_of(text):
        lines = section.lines
        match section.heading:
            case ("info",):
                answer.info = dict(_pairs(lines))
            case ("port",):
                answer.port = int(lines[0])
            case ("rested",):
                answer.rested = tuple(sorted(lines))
            case ("structure",):
                answer.structure = lines[0]
            case ("servers",):
                answer.rows = tuple(server_rows(lines))
            case ("stat",):
                answer.checks = check_statuses(lines)
            case ("map",):
                answer.routes = tuple(_routes(lines))
            case ("run", app):
                answer.runs[AppName(app)] = RunNumber(int(lines[0]))
            case ("file", name):
                app, _, service = name.partition(":")
                answer.files[app, service] = "\n".join(lines)
            case _:
                continue
    return answer


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        key, _, value = line.partition(": ")
        yield key, value


def _routes(lines: Sequence[str]) -> Iterable[tuple[str, BackendName]]:
    for line in lines:
        words = line.split()
        backend = parsed_backend(words[-1]) if words else None
        if backend is not None:
            yield words[-2], backend


def _upstream(answer: _Answer, app: AppName, service: ServiceName) -> ObservedUpstream:
    """One service. `fragment` is "" while the running proxy is not what one change would leave."""
    routes = [
        (key, backend.side)
        for key, backend in answer.routes
        if (backend.app, backend.service) == (app, service)
    ]
    keys = tuple(sorted(key for key, _ in routes))
    servers = tuple(_servers(answer, app, service))
    sides = {side for _, side in routes}
    is_whole = answer.is_current and len(sides) <= 1
    return ObservedUpstream(
        app=app,
        service=service,
        live=live_side(sides, servers),
        fragment=digest_of(answer.files[app, service], keys) if is_whole else "",
        routes=routes_of_users(keys),
        listens=listens_of(keys),
        servers=servers,
    )


def _servers(answer: _Answer, app: AppName, service: ServiceName) -> Iterable[ObservedServer]:
    return sorted(
        row.observed(answer.checks.get((row.backend, row.name), ""))
        for row in answer.rows
        if (row.backend.app, row.backend.service) == (app, service)
        and not _lingers(row, answer.files[app, service])
    )


def _lingers(row: ServerRow, fragment: str) -> bool:
    """Whether a server was given up: in maintenance, unknown to the files, only not yet deleted."""
    if not row.is_administered:
        return False
    backend = ""
    for line in fragment.splitlines():
        words = line.split()
        if words[:1] == ["backend"]:
            backend = words[1]
        if words[:2] == ["server", row.name] and parsed_backend(backend) == row.backend:
            return False
    return True
