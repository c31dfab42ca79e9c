import json

import psycopg
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.conftest import Serve
from tests.process import DEADLINE_S

SHARED = "Shared counsel"
BOND = "Antonio ./. Shylock: the bond"


def test_an_upload_on_one_replica_is_told_through_another(seeded: str, serve: Serve) -> None:
    assert seeded
    taking, telling = serve(), serve()
    uploader, listener = taking.log_in("antonio"), telling.log_in("scout")
    with listener.listen() as socket:
        file = uploader.upload(uploader.matter(SHARED), "news.txt", b"x").document["file"]
        message = json.loads(socket.recv(DEADLINE_S))
    assert message == {"type": "file", "file": file}


def test_an_outsider_hears_nothing_of_a_matter(seeded: str, serve: Serve) -> None:
    assert seeded
    libra = serve()
    insider, outsider = libra.log_in("antonio"), libra.log_in("scout")
    with outsider.listen() as socket:
        insider.upload(insider.matter(BOND), "secret.txt", b"x")
        insider.upload(insider.matter(SHARED), "open.txt", b"x")
        assert json.loads(socket.recv(DEADLINE_S))["file"]["name"] == "open.txt"


def test_a_ping_is_answered_with_its_content(seeded: str, serve: Serve) -> None:
    assert seeded
    with serve().log_in("scout").listen() as socket:
        socket.send("no json")
        socket.send('{"type": "ping", "number": 7}')
        assert json.loads(socket.recv(DEADLINE_S)) == {"type": "pong", "number": 7}


def test_who_is_not_logged_in_gets_no_socket(seeded: str, serve: Serve) -> None:
    assert seeded
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{serve().port}/live"):
        pass
    assert refused.value.response.status_code == 401


def test_a_socket_ends_with_its_session(seeded: str, serve: Serve) -> None:
    user = serve().log_in("scout")
    with psycopg.connect(seeded) as connection:
        connection.execute("UPDATE sessions SET expires_at = now() + interval '1 second'")
    with user.listen() as socket:
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(DEADLINE_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


def test_a_lost_listening_connection_comes_back_and_says_so(seeded: str, serve: Serve) -> None:
    libra = serve()
    user = libra.log_in("scout")
    with user.listen() as socket:
        with psycopg.connect(seeded, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE query LIKE 'LISTEN %' AND pid <> pg_backend_pid()",
            ).fetchone()
        assert ended is not None
        assert ended[0] >= 1
        assert json.loads(socket.recv(DEADLINE_S)) == {"type": "resync"}
        assert user.upload(user.matter(SHARED), "after.txt", b"x").status == 201
        assert json.loads(socket.recv(DEADLINE_S))["file"]["name"] == "after.txt"
