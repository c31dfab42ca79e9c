"""Beacon says who it is, keeps what it acknowledges, ends in order, and fails as it is told."""

import hashlib
import http.client
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.lab_load.beacons import Process, running, start

END_S = 5


def ask(beacon: Process, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", beacon.port, timeout=END_S)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_for_status(beacon: Process, path: str, status: int) -> None:
    deadline = time.monotonic() + END_S
    while ask(beacon, "GET", path)[0] != status:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_starts_within_a_moment() -> None:
    started_at = time.monotonic()
    with running() as beacon:
        wait_for_status(beacon, "/up", 200)
        assert time.monotonic() - started_at < 1.0  # 0.1 s on an idle machine


def test_it_says_who_answers_in_body_and_headers() -> None:
    with running(BEACON_REPLICA="web-1") as beacon:
        connection = http.client.HTTPConnection("127.0.0.1", beacon.port)
        for path in ("/", "/version", "/users-path", "/slow?s=0.01"):
            connection.request("GET", path)
            answer = connection.getresponse()
            who = json.loads(answer.read())
            assert (who["version"], who["replica"]) == ("v1", "web-1")
            assert (answer.headers["X-Version"], answer.headers["X-Replica"]) == ("v1", "web-1")
            assert answer.headers["Connection"] is None
        connection.close()


def test_another_environment_has_another_digest_and_values_are_exact() -> None:
    value = "a \"quote\", an 'apostrophe'\na new line, ä and 語 $HOME %s \\"
    with running(BEACON_TEXT=value) as one, running(BEACON_TEXT="") as other:
        assert ask(one, "GET", "/env/BEACON_TEXT") == (200, value.encode())
        assert ask(other, "GET", "/env/BEACON_TEXT") == (200, b"")
        assert ask(one, "GET", "/env/PATH")[0] == 404
        assert ask(one, "GET", "/env/BEACON_NONE")[0] == 404
        digests = {json.loads(ask(b, "GET", "/version")[1])["env"] for b in (one, other)}
        assert len(digests) == 2


def test_a_secret_is_shown_as_its_digest_only(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"s3cret\n")
    with running(BEACON_SECRETS=str(tmp_path)) as beacon:
        status, body = ask(beacon, "GET", "/secret/key")
        assert (status, json.loads(body)["sha256"]) == (
            200,
            hashlib.sha256(b"s3cret\n").hexdigest(),
        )
        assert ask(beacon, "GET", "/secret/none")[0] == 404
        assert ask(beacon, "GET", "/secret/..%2Fkey")[0] == 404
        assert ask(beacon, "GET", "/secret/../key")[0] == 404


@pytest.mark.parametrize("is_chunked", [False, True])
def test_bodies_of_both_framings_are_hashed(*, is_chunked: bool) -> None:
    data = os.urandom(300_000)
    pieces = [data[i : i + 70_000] for i in range(0, len(data), 70_000)]
    with running() as beacon:
        status, body = ask(beacon, "POST", "/echo", iter(pieces) if is_chunked else data)
    found = json.loads(body)
    assert (status, found["length"]) == (200, len(data))
    assert found["sha256"] == hashlib.sha256(data).hexdigest()


def test_files_come_back_and_need_a_mount(tmp_path: Path) -> None:
    data = os.urandom(100_000)
    with running(BEACON_DATA=str(tmp_path)) as beacon:
        assert ask(beacon, "PUT", "/files/a.bin", data)[0] == 201
        assert ask(beacon, "GET", "/files/a.bin") == (200, data)
        assert ask(beacon, "GET", "/files/none")[0] == 404
        assert ask(beacon, "PUT", "/files/.hidden", data)[0] == 404
        assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
    with running() as beacon:
        assert ask(beacon, "PUT", "/files/a.bin", data)[0] == 507


def test_sigterm_lets_a_request_in_flight_finish_and_announces_the_close() -> None:
    with running() as beacon:
        slow = http.client.HTTPConnection("127.0.0.1", beacon.port, timeout=END_S)
        slow.request("GET", "/slow?s=1")
        events = http.client.HTTPConnection("127.0.0.1", beacon.port, timeout=END_S)
        events.request("GET", "/events")
        stream = events.getresponse()
        assert b"v1" in stream.readline()
        beacon.process.terminate()
        wait_for_status(beacon, "/up", 503)
        answer = slow.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
        assert json.loads(answer.read())["version"] == "v1"
        stream.read()  # raises where the last chunk is missing
        assert beacon.process.wait(END_S) == 0


@pytest.mark.parametrize("fault", ["never-ready", "ready-after:60", "serve-on:web-2", "gate:/no/x"])
def test_what_is_not_ready_says_503_while_users_are_answered(fault: str) -> None:
    with running(BEACON_FAIL=fault, BEACON_REPLICA="web-1") as beacon:
        assert ask(beacon, "GET", "/up")[0] == 503
        assert ask(beacon, "GET", "/version")[0] == 200


def test_a_gate_opens_and_a_replica_is_made_unready_by_hand(tmp_path: Path) -> None:
    gate, unready = tmp_path / "gate", tmp_path / "unready"
    with running(BEACON_FAIL=f"gate:{gate}", BEACON_UNREADY=str(unready)) as beacon:
        port = str(beacon.port)
        assert ask(beacon, "GET", "/up")[0] == 503
        assert start("healthy", BEACON_PORT=port).wait(END_S) == 1
        gate.touch()
        assert ask(beacon, "GET", "/up")[0] == 200
        assert start("healthy", BEACON_PORT=port).wait(END_S) == 0
        unready.touch()
        assert ask(beacon, "GET", "/up")[0] == 503
    assert start("healthy", BEACON_PORT=port).wait(END_S) == 1


def test_probes_from_one_address_can_be_refused() -> None:
    with running(BEACON_REFUSE_FROM="10.9.9.9,127.0.0.1") as beacon:
        assert ask(beacon, "GET", "/up")[0] == 503
    with running(BEACON_REFUSE_FROM="10.9.9.9") as beacon:
        assert ask(beacon, "GET", "/up")[0] == 200


def test_a_broken_users_path_hides_behind_a_good_probe() -> None:
    with running(BEACON_FAIL="broken-users-path") as beacon:
        assert ask(beacon, "GET", "/users-path")[0] == 500
        assert ask(beacon, "GET", "/up")[0] == 200


@pytest.mark.parametrize("fault", ["crash-at-start", "crash-after:0.2"])
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_crash_leaves_its_cause_in_the_last_line(fault: str, command: str) -> None:
    output, _ = (process := start(command, BEACON_FAIL=fault)).communicate(timeout=END_S)
    assert process.returncode == 3
    assert output.splitlines()[-1].startswith("RuntimeError: v1 cannot reach its database")


def test_ignoring_sigterm_goes_on_serving() -> None:
    with running(BEACON_FAIL="ignore-term") as beacon:
        beacon.process.send_signal(signal.SIGTERM)
        assert beacon.process.stdout
        assert "SIGTERM" in beacon.process.stdout.readline()
        assert ask(beacon, "GET", "/up")[0] == 200


def test_a_worker_ticks_and_ends_in_order() -> None:
    process = start("worker", BEACON_REPLICA="worker-1")
    assert process.stdout
    assert process.stdout.readline() == "tick version=v1 replica=worker-1\n"
    process.terminate()
    assert process.wait(END_S) == 0
    process.communicate()


def test_migrations_leave_a_line_each_or_fail_or_hang(tmp_path: Path) -> None:
    data = str(tmp_path)
    for version in ("v1", "v2"):
        assert start("migrate", BEACON_DATA=data, BEACON_VERSION=version).wait(END_S) == 0
    assert start("migrate", BEACON_DATA=data, BEACON_MIGRATE="fail").wait(END_S) == 1
    hanging = start("migrate", BEACON_DATA=data, BEACON_MIGRATE="hang")
    assert hanging.stdout
    assert "migrating" in hanging.stdout.readline()
    assert hanging.poll() is None
    hanging.kill()
    hanging.communicate()
    lines = (tmp_path / "migrations.log").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["v1", "v2"]


def test_the_file_stays_small_enough_to_read() -> None:
    source = Path(__file__).resolve().parents[3] / "lab" / "beacon" / "beacon.py"
    assert len(source.read_text().splitlines()) <= 350
