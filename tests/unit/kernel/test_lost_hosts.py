"""A host that cannot be reached keeps its reason and its remedy on the way into plan and status."""

import socket
from pathlib import Path

import pytest

from tests.property.fleets import Pair, hosts, proxied, release
from tests.property.voyage import deployed, planned
from underway.adapters.engine.border import silence
from underway.adapters.engine.route import UnixRoute
from underway.errors import UnreachableError
from underway.kernel.world import lost_host
from underway.model.names import HostName
from underway.model.snapshot import Snapshot, Unreachable

A = HostName("a")


def refused(path: Path) -> OSError:
    """What connecting to a file that is no socket says."""
    path.touch()
    with socket.socket(socket.AF_UNIX) as probe, pytest.raises(OSError) as caught:  # noqa: PT011
        probe.connect(str(path))
    return caught.value


def test_a_missing_socket_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError) as caught:
        UnixRoute(A, tmp_path / "nope").socket_path()
    lost = lost_host(A, caught.value)
    assert lost.reason == f"there is no socket {tmp_path / 'nope'}"
    assert "DOCKER_HOST" in lost.hint


def test_refused_and_forbidden_are_told_apart(tmp_path: Path) -> None:
    nobody = silence(A, "connect", refused(tmp_path / "plain"))
    forbidden = silence(A, "connect", PermissionError(13, "Permission denied"))
    late = silence(A, "connect", TimeoutError("timed out"))
    assert "nothing listens" in nobody.message
    assert (forbidden.code, "docker` group" in forbidden.hint) == ("engine-denied", True)
    assert "in time" in late.message
    assert len({nobody.hint, forbidden.hint, late.hint}) == 3


def test_the_plan_refuses_with_each_hosts_reason_and_remedy() -> None:
    two = hosts(2)
    made = release(1, (proxied("web", two, replicas=2),), two)
    snapshot = deployed(Pair(made, made).fleet(), made).snapshot()
    first = next(host for host in snapshot.hosts if host.name == "app1")
    lost = Unreachable(HostName("app2"), "its name is unknown", "Check the spelling.")
    with pytest.raises(UnreachableError) as caught:
        planned(made, Snapshot(snapshot.app, (first, lost), snapshot.taken_at))
    assert caught.value.cause == "app2: its name is unknown"
    assert caught.value.hint.splitlines() == [
        "Check the spelling.",
        "or leave it out: --skip-host app2 (others take over its replicas)",
    ]
    alone = Unreachable(HostName("app1"), "cut", "Check.")
    with pytest.raises(UnreachableError) as caught:
        planned(made, Snapshot(snapshot.app, (alone, lost), snapshot.taken_at))
    assert "--skip-host" not in caught.value.hint
