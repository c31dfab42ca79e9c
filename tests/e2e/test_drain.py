"""What is in flight when traffic moves: it finishes inside the drain, or ends in order.

Every test deploys v2 over v1 and back under load, or holds a connection of its own open.
"""

import itertools
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from lab.load import Kind, Outcome
from tests.e2e.client import eventually
from tests.e2e.project import GENTLE, HOST, Project, Wish

DRAIN_S = 6
V1 = Wish("v1", strategy="blue-green")
V2 = replace(V1, version="v2")
WITHOUT_SOCKETS = replace(GENTLE, websockets=0)


@contextmanager
def asked(project: Project, path: str) -> Iterator[socket.socket]:
    """A connection through the edge on which `path` was asked for."""
    with socket.create_connection((project.edges["h1"], 80), timeout=60) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        yield wire


def test_18_what_is_longer_than_the_drain_is_ended_and_counted(project: Project) -> None:
    project.deploy(V1).expect(0)
    with asked(project, "/slow?s=4") as short, asked(project, "/slow?s=60") as long:
        done = project.deploy(V2).expect(0)
        assert f"1 request longer than {DRAIN_S} s" in done.err, done
        answer = short.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"x-version: v1" in answer.lower()
        ended = long.recv(65536)
        assert b" 200 " not in ended.split(b"\r\n")[0]
    project.sight.expect_settled(V2)


def test_19_22_sockets_end_with_a_goodbye_and_what_retires_gets_nothing_new(
    project: Project,
) -> None:
    project.deploy(V1).expect(0)
    old = [replica.name for replica in project.sight.replicas()]
    shown = {project.sight.get("/version").replica for _ in range(10)}
    with project.load() as load:
        load.wait_until(lambda found: found.count(Outcome.OK, Kind.MESSAGE) > 3, what="sockets")
        project.write(V2)
        with project.client.running("deploy") as client:
            client.await_told("Confirm web")
            eventually(lambda: re.search("stage .* Drain", client.err), "it drains")
            load.retire(*old, *shown)
            client.wait().expect(0)
        load.expect("v2")
        load.wait_until(lambda found: found.count(Outcome.GOODBYE) >= 3, what="goodbyes")
        found = load.stop()
    found.check()
    assert found.count(Outcome.CUT) == 0
    project.sight.expect_settled(V2)


def test_20_an_event_stream_is_never_buffered_and_ends_in_order(project: Project) -> None:
    project.deploy(V1).expect(0)
    with asked(project, "/events") as gone:
        gone.recv(1024)
    with project.load() as load, asked(project, "/events") as stream:
        project.write(V2)
        with project.client.running("deploy") as client:
            times, text = [], b""
            while piece := stream.recv(65536):
                times.append(time.monotonic())
                text += piece
                if text.endswith(b"\r\n0\r\n\r\n"):
                    break
            client.wait().expect(0)
        load.stop().check()
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(gaps) > DRAIN_S, "the stream lived through the drain"
    assert sorted(gaps)[len(gaps) // 2] > 0.3, "events come one by one"
    assert text.endswith(b"\r\n0\r\n\r\n"), "the stream ends in order"
    events = [json.loads(line) for line in re.findall(rb"data: (.*)\n", text)]
    assert {event["version"] for event in events} == {"v1"}


@pytest.mark.parametrize(
    "manners", [pytest.param("drop-on-term", marks=pytest.mark.exhaustive), "ignore-term"]
)
def test_21_how_an_application_takes_sigterm_costs_no_request(
    project: Project, manners: str
) -> None:
    """It is drained by then. One that ignores it is ended after its grace, beside the others."""
    rude = replace(V1, fail=manners, replicas=3)
    project.deploy(rude).expect(0)
    with project.load(WITHOUT_SOCKETS) as load:
        done = project.deploy(replace(V2, replicas=3)).expect(0)
        load.expect("v2")
        load.stop().check()
    project.sight.expect_settled(replace(V2, replicas=3))
    taken = [float(s) for s in re.findall(r"done .* stop beacon-web\S+ +([0-9.]+)s", done.err)]
    assert len(taken) == 3, done
    stage = re.search(r"stage \d+ Retire", done.err)
    assert stage, done
    if manners == "ignore-term":
        assert all(s > 2 for s in taken), "each had its grace"
    assert done.took_s < 60
