"""What `underway check` finds on hosts before anything changes there.

Pure: judged from one snapshot, nothing is started or tried.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from underway.model.names import HostName
from underway.model.snapshot import HostState, Role, Snapshot
from underway.model.spec import AppSpec

CLOCK_SKEW_S: Final = 30.0
"""How far a host's clock may be off: observing all hosts takes some seconds itself."""


class CheckVerdict(StrEnum):
    """OK is fine; WARN works with a limit; FAIL stops a deploy."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One look at one topic (`disk`, `ports`, `clock`, ...) of one host.

    `host` "" means the machine that runs the command. `remedy` says what to do, "" if nothing.
    """

    host: HostName
    topic: str
    verdict: CheckVerdict
    text: str
    remedy: str = ""


def check_hosts(spec: AppSpec, snapshot: Snapshot) -> tuple[CheckResult, ...]:
    """All that a snapshot tells of whether the app's hosts can carry it, in the file's order."""
    results: list[CheckResult] = []
    for host in spec.hosts:
        seen = snapshot.host(host.name)
        if isinstance(seen, HostState):
            results += _host(spec, snapshot, seen)
        else:
            results.append(
                CheckResult(
                    host.name,
                    "engine",
                    CheckVerdict.FAIL,
                    f"does not answer: {seen.reason}",
                    f"look at {host.url or 'the engine of this machine'}",
                )
            )
    return tuple(results)


def _host(spec: AppSpec, snapshot: Snapshot, host: HostState) -> Iterator[CheckResult]:
    yield _engine(host)
    yield _clock(host, snapshot.taken_at)
    yield _restart(host)
    yield from _alone(snapshot, host)
    yield from _architecture(snapshot, host)
    if host.name in spec.edge.hosts:
        yield from _edge(spec, host)
    if host.facts.has_userns:
        text = "user namespaces shift the owners of files in volumes"
        yield CheckResult(host.name, "userns", CheckVerdict.WARN, text)


def _engine(host: HostState) -> CheckResult:
    facts = host.facts
    text = f"{facts.version}, API {facts.api_version}, {facts.os}/{facts.architecture}"
    if facts.os != "linux":
        return CheckResult(
            host.name, "engine", CheckVerdict.FAIL, text, "use a host with Linux containers"
        )
    return CheckResult(host.name, "engine", CheckVerdict.OK, text)


def _clock(host: HostState, now: float) -> CheckResult:
    try:
        moment = datetime.fromisoformat(host.facts.clock)
    except ValueError:
        return CheckResult(
            host.name, "clock", CheckVerdict.WARN, "the engine does not tell its time"
        )
    skew_s = abs(moment.timestamp() - now)
    if skew_s <= CLOCK_SKEW_S:
        return CheckResult(host.name, "clock", CheckVerdict.OK, "as on this machine")
    return CheckResult(
        host.name,
        "clock",
        CheckVerdict.WARN,
        f"{skew_s:.0f} s from this machine's: times in logs and history are off",
        "run a time service on both",
    )


def _restart(host: HostState) -> CheckResult:
    if host.facts.has_live_restore:
        text = "containers run on while the engine restarts"
        return CheckResult(host.name, "live-restore", CheckVerdict.OK, text)
    return CheckResult(
        host.name,
        "live-restore",
        CheckVerdict.WARN,
        "off: a restart of the engine stops every container",
        'set "live-restore": true in /etc/docker/daemon.json and reload the engine',
    )


def _alone(snapshot: Snapshot, host: HostState) -> Iterator[CheckResult]:
    """Two names for one engine would place a service twice on it, and lock it against itself."""
    twins = [
        other.name
        for other in snapshot.reachable
        if other.name != host.name and host.facts.id and other.facts.id == host.facts.id
    ]
    if twins:
        yield CheckResult(
            host.name,
            "identity",
            CheckVerdict.FAIL,
            f"is the same engine as {', '.join(sorted(twins))}",
            "name each engine once under x-underway.hosts",
        )


def _architecture(snapshot: Snapshot, host: HostState) -> Iterator[CheckResult]:
    others = {other.facts.architecture for other in snapshot.reachable} - {host.facts.architecture}
    if others:
        yield CheckResult(
            host.name,
            "architecture",
            CheckVerdict.WARN,
            f"{host.facts.architecture}, other hosts are {', '.join(sorted(others))}",
            "build images for every architecture (`build.platforms`)",
        )


def _edge(spec: AppSpec, host: HostState) -> Iterator[CheckResult]:
    if host.facts.is_rootless:
        yield CheckResult(
            host.name,
            "edge",
            CheckVerdict.FAIL,
            "a rootless engine cannot give the proxy the host's network",
            "let another host be the edge (x-underway.edge)",
        )
    port = spec.edge.http_port
    holders = sorted(
        container.name
        for container in host.containers
        if container.role != Role.EDGE and any(held == port for _, held in container.published)
    )
    if holders:
        yield CheckResult(
            host.name,
            "edge",
            CheckVerdict.FAIL,
            f"port {port} is held by container {', '.join(holders)}",
            "stop it, or give the edge another port (x-underway.edge)",
        )
    elif host.edge is not None:
        text = f"HAProxy {host.edge.version} runs on port {host.edge.http_port}"
        yield CheckResult(host.name, "edge", CheckVerdict.OK, text)
    elif not host.facts.is_rootless:
        text = f"no container holds port {port}; the first deploy starts the proxy"
        yield CheckResult(host.name, "edge", CheckVerdict.OK, text)
