import json

import pytest

from tests.conftest import Serve
from tests.process import LibraProcess

BOND = "Antonio ./. Shylock: the bond"


@pytest.fixture
def libra(seeded: str, serve: Serve) -> LibraProcess:
    assert seeded
    return serve()


def try_to_log_in(libra: LibraProcess, name: str, secret: str) -> int:
    body = json.dumps({"name": name, "password": secret}).encode()
    return libra.request("POST", "/api/login", body).status


def test_nothing_is_told_to_who_is_not_logged_in(libra: LibraProcess) -> None:
    for method, path in [
        ("GET", "/api/me"),
        ("GET", "/api/matters"),
        ("POST", "/api/matters"),
        ("GET", "/api/matters/x/files"),
        ("POST", "/api/matters/x/files?name=a"),
        ("GET", "/api/files/x"),
    ]:
        answer = libra.request(method, path, Authorization="Bearer wrong")
        assert (answer.status, answer.document["error"]) == (401, "not-logged-in"), path


def test_an_outsider_sees_a_matter_and_its_files_as_unknown(libra: LibraProcess) -> None:
    insider, outsider = libra.log_in("antonio"), libra.log_in("scout")
    matter = insider.matter(BOND)
    file = insider.upload(matter, "bond.txt", b"a pound of flesh").document["file"]
    titles = [each["title"] for each in outsider.request("GET", "/api/matters").document["matters"]]
    assert BOND not in titles
    assert titles
    for method, path, body in [
        ("GET", f"/api/matters/{matter}/files", None),
        ("POST", f"/api/matters/{matter}/files?name=a", b"x"),
        ("GET", f"/api/files/{file['id']}", None),
    ]:
        assert outsider.request(method, path, body).status == 404, path


def test_an_admitted_user_sees_the_matter(libra: LibraProcess) -> None:
    lawyer, client = libra.log_in("portia"), libra.log_in("scout")
    matter = lawyer.request("POST", "/api/matters", b'{"title": "New matter"}').document["matter"]
    path = f"/api/matters/{matter['id']}/members"
    assert client.request("GET", f"/api/matters/{matter['id']}/files").status == 404
    assert lawyer.request("POST", path, b'{"name": "nobody"}').status == 404
    assert lawyer.request("POST", path, b'{"name": "Scout"}').status == 204
    assert lawyer.request("POST", path, b'{"name": "scout"}').status == 204
    assert client.request("GET", f"/api/matters/{matter['id']}/files").status == 200


def test_clients_neither_open_matters_nor_admit(libra: LibraProcess) -> None:
    client = libra.log_in("antonio")
    assert client.request("POST", "/api/matters", b'{"title": "Mine"}').status == 403
    path = f"/api/matters/{client.matter(BOND)}/members"
    assert client.request("POST", path, b'{"name": "scout"}').status == 403


def test_a_token_ends_with_the_logout(libra: LibraProcess) -> None:
    user = libra.log_in("portia")
    assert user.request("GET", "/api/me").document["user"]["role"] == "lawyer"
    assert user.request("POST", "/api/logout").status == 204
    assert user.request("GET", "/api/me").status == 401


def test_wrong_passwords_are_refused_and_at_length_not_heard(libra: LibraProcess) -> None:
    statuses = [try_to_log_in(libra, "portia", "no") for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    assert try_to_log_in(libra, "nobody", "libra-demo") == 401
    libra.log_in("atticus")


def test_a_cookie_sent_by_a_foreign_page_does_nothing(libra: LibraProcess) -> None:
    cookie = f"libra_session={libra.log_in('portia').token}"
    body, host = b'{"title": "Planted"}', f"127.0.0.1:{libra.port}"
    foreign = libra.request(
        "POST", "/api/matters", body, Cookie=cookie, Origin="https://evil.example"
    )
    own = libra.request("POST", "/api/matters", body, Cookie=cookie, Origin=f"http://{host}")
    assert (foreign.status, own.status) == (403, 201)


def test_a_login_that_is_no_login_is_answered_in_order(libra: LibraProcess) -> None:
    for body in (b"", b"[]", b"{", b'{"name": 1, "password": "x"}'):
        assert libra.request("POST", "/api/login", body).status == 400, body
    assert libra.request("POST", "/api/login", b"x" * 70_000).status == 413


def test_the_page_is_one_document_with_a_policy(libra: LibraProcess) -> None:
    answer = libra.request("GET", "/")
    assert answer.status == 200
    assert "{{" not in answer.body.decode()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
