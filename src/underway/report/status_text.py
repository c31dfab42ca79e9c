"""What an app is doing now, as text: hosts, replicas, traffic, and what ends each difference.

Pure: ages count from the moment the report was taken.
"""

from underway.model.snapshot import ContainerStatus, Health
from underway.model.status import (
    EdgeStatus,
    HostStatus,
    ReplicaStanding,
    ReplicaStatus,
    ServiceStatus,
    StatusReport,
    TrafficState,
)
from underway.model.testing import Proof
from underway.report.amounts import age_text, count_text
from underway.report.line import Line, Span, bad, faint, good, line, strong, table, warn

_HEADS = ("SERVICE", "REPLICA", "HOST", "RELEASE", "HEALTH", "AGE", "TRAFFIC")


def status_lines(report: StatusReport) -> list[Line]:
    """The whole report; differences and their remedies last, where the eye ends."""
    lines = [_head(report), *_limit(report), ()]
    lines.extend(_hosts(report))
    if report.services:
        lines.append(())
        lines.extend(_replicas(report))
    if report.edges:
        lines.append(())
        lines.extend(_edges(report.edges))
    lines.append(())
    lines.extend(_drift(report))
    return lines


def _head(report: StatusReport) -> Line:
    environment = f" in {report.environment}" if report.environment else ""
    if not any(host.is_reachable for host in report.hosts):
        return line(strong(f"{report.app}{environment}"), ": ", bad("unknown, no host answers"))
    if not report.release:
        return line(strong(f"{report.app}{environment}"), ": not deployed yet")
    tag = f" ({report.tag})" if report.tag else ""
    wished = sum(service.wished for service in report.services)
    ready = sum(service.ready for service in report.services)
    tone = good if ready >= wished else bad
    return line(
        strong(f"{report.app}{environment}"),
        f": release {report.release}{tag}, ",
        tone(f"{ready} of {count_text(wished, 'replica')} ready"),
        warn(", untested") if report.tests is Proof.UNTESTED else "",
    )


def _limit(report: StatusReport) -> list[Line]:
    """That the fleet has two releases on purpose, and what completes the newer one."""
    if report.limit is None:
        return []
    some = ", ".join(report.limit.hosts)
    text = f"on {some} alone, on purpose; other hosts keep release {report.limit.others}"
    return [line(warn(text), faint(f" (underway deploy {report.release} completes it)"))]


def _hosts(report: StatusReport) -> list[Line]:
    rows = [[faint("HOST"), faint("URL"), faint("ENGINE"), faint("STATE")]]
    rows.extend(_host(host, report) for host in report.hosts)
    return table(rows)


def _host(host: HostStatus, report: StatusReport) -> list[Span]:
    if not host.is_reachable:
        state = bad(f"UNREACHABLE: {host.reason}")
    elif host.lock is not None:
        since = age_text(host.lock.since, report.taken_at) or host.lock.since
        state = warn(f"locked by {host.lock.holder} for {since}")
    elif report.release and host.release != _shall_have(host, report):
        known = f"release {host.release}" if host.release else "no release"
        state = warn(f"records {known}")
    else:
        state = good("ok")
    return [
        Span(host.name),
        faint(host.url or "this machine"),
        Span(host.engine_version or "-"),
        state,
    ]


def _shall_have(host: HostStatus, report: StatusReport) -> int:
    """The release that a host is to run."""
    limit = report.limit
    return limit.others if limit and host.name not in limit.hosts else report.release


def _replicas(report: StatusReport) -> list[Line]:
    rows = [[faint(head) for head in _HEADS]]
    for service in report.services:
        rows.extend(_service(service, report))
    return table(rows)


def _service(service: ServiceStatus, report: StatusReport) -> list[list[Span]]:
    rows = [_replica(service, replica, report) for replica in service.replicas]
    # While a run replaces them, what it has brought already stands for what it took away.
    is_there = {ReplicaStanding.CURRENT, ReplicaStanding.NEW}
    missing = service.wished - sum(replica.standing in is_there for replica in service.replicas)
    if missing > 0:
        text = f"{count_text(missing, 'replica')} missing"
        rows.append([Span(service.name), bad(text)])
    elif service.is_stopped:
        text = f"stopped on purpose (underway start {service.name})"
        rows.append([Span(service.name), warn(text)])
    elif not rows:
        rows.append([Span(service.name), faint("no replica wished")])
    if service.instead_of and not service.is_stopped:
        text = f"scaled to {service.wished}, the file says {service.instead_of}"
        rows.append([Span(service.name), faint(text)])
    return rows


def _replica(service: ServiceStatus, replica: ReplicaStatus, report: StatusReport) -> list[Span]:
    release = f"{replica.release or '-'}"
    return [
        Span(service.name),
        Span(replica.name),
        Span(replica.host),
        Span(release) if replica.is_current else warn(f"{release} ({replica.standing})"),
        _health(replica),
        Span(age_text(replica.started_at, report.taken_at) or "-"),
        _traffic(replica),
    ]


def _health(replica: ReplicaStatus) -> Span:
    restarts = f", {count_text(replica.restart_count, 'restart')}" if replica.restart_count else ""
    if replica.status is not ContainerStatus.RUNNING:
        return bad(f"{replica.status}{restarts}")
    match replica.health:
        case Health.HEALTHY:
            return good(f"healthy{restarts}")
        case Health.NONE:
            return good(f"running{restarts}")
        case Health.STARTING:
            return warn(f"starting{restarts}")
        case Health.UNHEALTHY:
            return bad(f"unhealthy{restarts}")


def _traffic(replica: ReplicaStatus) -> Span:
    """One word where all edges agree, else each edge with its word."""
    states = {entry.state for entry in replica.traffic}
    if not states:
        return faint("-")
    if len(states) == 1:
        return _traffic_tone(states, next(iter(states)).value)
    text = ", ".join(f"{entry.edge}: {entry.state}" for entry in replica.traffic)
    return _traffic_tone(states, text)


def _traffic_tone(states: set[TrafficState], text: str) -> Span:
    if TrafficState.DOWN in states:
        return bad(text)
    if states == {TrafficState.LIVE}:
        return good(text)
    return warn(text)


def _edges(edges: tuple[EdgeStatus, ...]) -> list[Line]:
    rows = [[faint("EDGE"), faint("PROXY"), faint("PORT"), faint("SERVES")]]
    for edge in edges:
        proxy = Span(f"HAProxy {edge.version}") if edge.version else bad("none runs")
        if edge.is_outdated:
            proxy = warn(f"HAProxy {edge.version}, old: a deploy renews it")
        port = str(edge.http_port) if edge.http_port else "-"
        rows.append([Span(edge.host), proxy, Span(port), Span(", ".join(edge.names) or "-")])
    return table(rows)


def _drift(report: StatusReport) -> list[Line]:
    if not report.drift:
        if any(not host.is_reachable for host in report.hosts):
            return [line(warn("unknown"), ": a host that did not answer may differ")]
        text = "as the release says" if report.release else "nothing of this app is left or missing"
        return [line(good("no drift"), f": {text}")]
    lines = [line(warn(count_text(len(report.drift), "difference")))]
    for drift in report.drift:
        lines.append(line("  ", warn(drift.kind), f" {drift.subject}: {drift.explanation}"))
        if drift.remedy:
            lines.append(line(good("    ends it: "), drift.remedy))
    return lines
