import http.client
import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import ConnectionClosed

from tests.conftest import Serve
from tests.process import DEADLINE_S, Answer, LibraProcess, User, wait_for

SHARED = "Shared counsel"
PIECES = 20


def upload_slowly(
    user: User, matter: str, begun: threading.Event, go_on: threading.Event
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", user.libra.port, timeout=DEADLINE_S)
    connection.putrequest("POST", f"/api/matters/{matter}/files?name=slow.bin")
    connection.putheader("Authorization", f"Bearer {user.token}")
    connection.putheader("Content-Length", str(PIECES * 50_000))
    connection.endheaders()
    for number in range(PIECES):
        connection.send(b"x" * 50_000)
        if number == PIECES // 2:
            begun.set()
            assert go_on.wait(DEADLINE_S)
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


def is_listening(libra: LibraProcess) -> bool:
    return libra.status_of("/version") != 0


def test_requests_and_uploads_in_flight_finish_after_sigterm(seeded: str, serve: Serve) -> None:
    assert seeded
    libra = serve()
    user = libra.log_in("antonio")
    matter, begun, go_on = user.matter(SHARED), threading.Event(), threading.Event()
    with ThreadPoolExecutor(2) as threads, user.listen() as socket:
        slow = threads.submit(libra.request, "GET", "/slow?s=2")
        upload = threads.submit(upload_slowly, user, matter, begun, go_on)
        assert begun.wait(DEADLINE_S)
        libra.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(DEADLINE_S)
        wait_for("the door to close", lambda: not is_listening(libra))
        go_on.set()
        assert slow.result(DEADLINE_S).document["slept_s"] == 2
        assert upload.result(DEADLINE_S).status == 201
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert libra.process.wait(DEADLINE_S) == 0
    assert "stopped" in libra.output()


def test_a_stop_does_not_wait_for_idle_connections(seeded: str, serve: Serve) -> None:
    assert seeded
    libra = serve()
    connection = http.client.HTTPConnection("127.0.0.1", libra.port, timeout=DEADLINE_S)
    connection.request("GET", "/version")
    json.loads(connection.getresponse().read())
    begin = time.monotonic()
    assert libra.end() == 0
    assert time.monotonic() - begin < 2


def test_a_stop_ends_what_outlasts_the_drain(seeded: str, serve: Serve) -> None:
    assert seeded
    libra = serve(LIBRA_DRAIN="1")
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(libra.request, "GET", "/slow?s=30")
        connection = http.client.HTTPConnection("127.0.0.1", libra.port, timeout=DEADLINE_S)
        connection.request("GET", "/slow?s=0.2")
        connection.getresponse().read()
        begin = time.monotonic()
        assert libra.end() == 0
        assert time.monotonic() - begin < 5
        assert slow.result(DEADLINE_S).status == 500


def test_a_slow_start_can_be_stopped(serve: Serve) -> None:
    libra = serve(is_awaited=False, LIBRA_FAIL="slow-start:60")
    assert libra.process.stdout is not None
    assert b"slow-start" in libra.process.stdout.readline()
    begin = time.monotonic()
    assert libra.end() == 0
    assert time.monotonic() - begin < 5
