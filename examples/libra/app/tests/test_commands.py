import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.conftest import Serve

Manage = Callable[..., subprocess.CompletedProcess[str]]
SHARED = "Shared counsel"


def test_seeding_twice_adds_nothing(seeded: str, manage: Manage) -> None:
    assert manage("seed").returncode == 0
    with psycopg.connect(seeded) as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM matters),"
            " (SELECT count(*) FROM members)",
        ).fetchone()
    assert counts == (4, 3, 8)


def test_an_unreachable_database_ends_a_migration_with_a_reason(
    manage: Manage, environment: dict[str, str]
) -> None:
    environment["DATABASE_URL"] = "postgresql://libra@127.0.0.1:1/libra"
    done = manage("migrate", "--wait", "0.2")
    assert done.returncode == 1
    assert "migrate failed" in done.stderr


def test_a_user_added_by_hand_can_log_in(seeded: str, manage: Manage, serve: Serve) -> None:
    assert seeded
    arguments = ("user", "Nora", "--full-name", "Nora H.", "--role", "lawyer", "--password-stdin")
    assert manage(*arguments, text="short\n").returncode == 1
    assert manage(*arguments, text="a doll's house\n").returncode == 0
    serve().log_in("nora", "a doll's house")


def test_check_tells_whole_from_damaged_files_and_sweep_takes_only_orphans(
    seeded: str, manage: Manage, serve: Serve, environment: dict[str, str]
) -> None:
    assert seeded
    user = serve().log_in("portia")
    for name in ("a", "b", "c"):
        assert user.upload(user.matter(SHARED), name, name.encode() * 1000).status == 201
    whole, damaged, missing = sorted(Path(environment["LIBRA_UPLOADS"], "files").glob("??/*"))
    orphan, stranger = whole.parents[1] / "00" / ("0" * 32), whole.with_name("lost+found")
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"x")
    stranger.write_bytes(b"x")
    swept = manage("sweep", "--older-than", "0")
    assert "removed 1 files" in swept.stdout
    assert whole.exists()
    assert stranger.exists()
    assert not orphan.exists()
    checked = manage("check")
    assert (checked.returncode, checked.stdout) == (0, "3 files are whole, 0 are not\n")
    damaged.write_bytes(damaged.read_bytes()[:-1])
    missing.unlink()
    checked = manage("check")
    assert checked.returncode == 1
    assert "1 files are whole, 2 are not" in checked.stdout
