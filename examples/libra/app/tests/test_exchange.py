import hashlib
import random
import socket
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Serve
from tests.process import LibraProcess, User, wait_for

SHARED = "Shared counsel"
BIG = random.Random(7).randbytes(10 * 1024 * 1024 + 3)  # noqa: S311


@pytest.fixture
def libra(seeded: str, serve: Serve) -> LibraProcess:
    assert seeded
    return serve(LIBRA_MAX_UPLOAD=str(len(BIG)))


@pytest.fixture
def user(libra: LibraProcess) -> User:
    return libra.log_in("antonio")


def stored_under(environment: dict[str, str]) -> list[Path]:
    root = Path(environment["LIBRA_UPLOADS"])
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("body", [b"", b"x", BIG])
def test_a_file_comes_back_as_it_went(user: User, body: bytes) -> None:
    answer = user.upload(user.matter(SHARED), "brief.pdf", body)
    file = answer.document["file"]
    assert (answer.status, file["size_bytes"]) == (201, len(body))
    assert file["sha256"] == hashlib.sha256(body).hexdigest()
    other = user.libra.log_in("scout").request("GET", f"/api/files/{file['id']}")
    assert (other.status, other.body) == (200, body)
    assert other.headers["ETag"] == f'"{file["sha256"]}"'


def test_what_stands_on_the_disk_is_sealed(user: User, environment: dict[str, str]) -> None:
    user.upload(user.matter(SHARED), "confession.txt", b"I did it. " * 1000)
    (path,) = stored_under(environment)
    assert b"I did it" not in path.read_bytes()


def test_names_keep_their_letters_and_lose_their_folders(user: User) -> None:
    matter = user.matter(SHARED)
    name = user.upload(matter, "..%2F..%2FZo%C3%AB%20%E2%9A%96%0A.pdf", b"x").document["file"][
        "name"
    ]
    assert name == "Zoë ⚖.pdf"
    assert user.upload(matter, "", b"x").status == 400
    assert user.upload(matter, "%2F", b"x").status == 400


def test_a_file_that_is_too_large_leaves_nothing(user: User, environment: dict[str, str]) -> None:
    assert user.upload(user.matter(SHARED), "huge", BIG + b"x").status == 413
    assert stored_under(environment) == []


def test_an_upload_that_breaks_off_leaves_nothing(
    user: User, environment: dict[str, str], seeded: str
) -> None:
    path = f"/api/matters/{user.matter(SHARED)}/files?name=broken"
    with socket.create_connection(("127.0.0.1", user.libra.port)) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: libra\r\nAuthorization: Bearer {user.token}\r\n"
            f"Content-Length: {len(BIG)}\r\n\r\n".encode()
            + BIG[:2_000_000]
        )
        wait_for("the draft", lambda: len(stored_under(environment)) == 1)
    wait_for("the draft to go", lambda: stored_under(environment) == [])
    with psycopg.connect(seeded) as connection:
        assert connection.execute("SELECT count(*) FROM files").fetchone() == (0,)


def test_files_are_listed_newest_first_page_by_page(user: User) -> None:
    matter = user.matter(SHARED)
    for number in range(5):
        assert user.upload(matter, f"{number}.txt", b"x").status == 201
    path, names = f"/api/matters/{matter}/files", []
    query = "?limit=2"
    while query:
        page = user.request("GET", path + query).document
        names += [file["name"] for file in page["files"]]
        last = page["next_before"]
        query = f"?limit=2&before={last}" if last is not None else ""
    assert names == [f"{number}.txt" for number in (4, 3, 2, 1, 0)]
    assert user.request("GET", path + "?before=x").status == 400


def test_a_damaged_or_missing_file_is_never_sent_as_whole(
    user: User, environment: dict[str, str]
) -> None:
    file = user.upload(user.matter(SHARED), "a.txt", b"x").document["file"]
    (path,) = stored_under(environment)
    sealed = bytearray(path.read_bytes())
    sealed[-1] ^= 1
    path.write_bytes(sealed)
    answer = user.request("GET", f"/api/files/{file['id']}")
    assert (answer.status, answer.document["error"]) == (500, "file-damaged")
    path.unlink()
    answer = user.request("GET", f"/api/files/{file['id']}")
    assert (answer.status, answer.document["error"]) == (500, "file-missing")


def test_a_download_is_recorded(user: User, seeded: str) -> None:
    file = user.upload(user.matter(SHARED), "a.txt", b"x").document["file"]
    assert user.request("HEAD", f"/api/files/{file['id']}").status == 200
    assert user.request("GET", f"/api/files/{file['id']}").status == 200
    with psycopg.connect(seeded) as connection:
        assert connection.execute("SELECT count(*) FROM downloads").fetchone() == (1,)
