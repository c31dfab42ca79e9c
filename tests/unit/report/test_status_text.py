from dataclasses import replace

import pytest

from tests.unit.report.sample import HOSTS, NEW, replica, status
from underway.model.names import ReleaseNumber
from underway.model.snapshot import ContainerStatus, Health
from underway.model.status import (
    Drift,
    DriftKind,
    HostStatus,
    LockStatus,
    ReplicaStanding,
    ReplicaTraffic,
    StatusReport,
    TrafficState,
)
from underway.report.line import draw
from underway.report.status_text import status_lines

WHOLE = """\
libra: release 12 (2026-03-01-3f2a91c), 2 of 2 replicas ready

HOST  URL                ENGINE  STATE
app1  ssh://deploy@app1  29.1.0  ok
app2  ssh://deploy@app2  29.1.0  ok

SERVICE  REPLICA             HOST  RELEASE  HEALTH   AGE     TRAFFIC
web      libra-web-7f3a2c-1  app1  12       healthy  3m 19s  live
web      libra-web-7f3a2c-2  app2  12       healthy  3m 19s  live

EDGE  PROXY          PORT  SERVES
app1  HAProxy 3.2.4  80    libra.test

no drift: as the release says
"""


def text(report: StatusReport) -> str:
    return draw(status_lines(report))


def with_replica(**changes: object) -> StatusReport:
    report = status()
    service = replace(report.services[0], replicas=(replica(HOSTS[0], **changes),), wished=1)
    return replace(report, services=(service,))


def test_whole_app():
    assert text(status()) == WHOLE
    assert status().exit_code == 0


def test_unreachable_host_shouts_its_reason_and_gives_exit_6():
    hosts = (
        status().hosts[0],
        HostStatus(HOSTS[1], "ssh://app2", is_reachable=False, reason="no answer in 10s"),
    )
    report = status(hosts=hosts)
    assert "app2  ssh://app2         -       UNREACHABLE: no answer in 10s" in text(report)
    assert "no drift" not in text(report)
    assert report.exit_code == 6


def test_lock_shows_its_holder_and_since_when():
    lock = LockStatus("kim@laptop", "2027-01-15T07:59:00Z")
    hosts = (replace(status().hosts[0], lock=lock), status().hosts[1])
    assert "locked by kim@laptop for 1m 00s" in text(status(hosts=hosts))


def test_drift_names_the_command_that_ends_it():
    drift = Drift(DriftKind.REPLICA_MISSING, NEW[HOSTS[1]], "removed by hand", "underway repair")
    report = status(drift=(drift,))
    assert "  replica-missing libra-web-7f3a2c-2: removed by hand\n" in text(report)
    assert "    ends it: underway repair\n" in text(report)
    assert report.exit_code == 11


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        (
            {"standing": ReplicaStanding.REPLACED, "release": ReleaseNumber(11)},
            "11 (being replaced)",
        ),
        ({"standing": ReplicaStanding.NEW, "release": ReleaseNumber(13)}, "13 (new)"),
        ({"standing": ReplicaStanding.LEFT_OVER, "release": ReleaseNumber(9)}, "9 (left over)"),
        ({"health": Health.UNHEALTHY, "restart_count": 2}, "unhealthy, 2 restarts"),
        ({"health": Health.NONE}, "running"),
        ({"status": ContainerStatus.EXITED}, "exited"),
        ({"started_at": "0001-01-01T00:00:00Z"}, "healthy  -"),
    ],
)
def test_replica_that_is_not_as_wished(changes: dict[str, object], shown: str):
    assert shown in text(with_replica(**changes))


def test_edges_that_disagree_are_told_apart():
    traffic = (
        ReplicaTraffic(HOSTS[0], TrafficState.LIVE),
        ReplicaTraffic(HOSTS[1], TrafficState.DRAIN),
    )
    assert "app1: live, app2: drain" in text(with_replica(traffic=traffic))


def test_missing_replicas_are_counted():
    service = replace(status().services[0], replicas=(), ready=0)
    shown = text(status(services=(service,)))
    assert "0 of 2 replicas ready" in shown
    assert "web      2 replicas missing" in shown


def test_app_that_was_never_deployed():
    shown = text(status(release=ReleaseNumber(0), tag="", services=(), edges=()))
    assert shown.startswith("libra: not deployed yet\n")


def test_a_service_that_was_stopped_or_scaled_says_so_and_how_it_ends():
    (web,) = status().services
    stopped = replace(web, wished=0, ready=0, replicas=(), is_stopped=True, instead_of=3)
    told = text(status(services=(stopped,)))
    assert "web      stopped on purpose (underway start web)" in told
    assert "scaled" not in told
    assert "scaled to 2, the file says 3" in text(status(services=(replace(web, instead_of=3),)))
