import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psycopg
from libra import commands
from libra.migrations import CODE_LEVEL

from tests.conftest import Serve
from tests.process import LibraProcess, wait_for

HEALTHY = Path(commands.__file__).parent.parent / "healthy"
ODD = 'He said "it\'s" $HOME \\n {{script}} <b>\nZweite Zeile: Grüße, 法律 ⚖\t'


def cause(libra: LibraProcess) -> str:
    wait_for("an answer", lambda: libra.status_of("/up") != 0)
    answer = libra.request("GET", "/up")
    return "" if answer.status == 200 else str(answer.document["cause"])


def healthy(libra: LibraProcess) -> int:
    return subprocess.run(
        [sys.executable, str(HEALTHY)],
        env={"LIBRA_PORT": str(libra.port)},
        capture_output=True,
        timeout=30,
        check=False,
    ).returncode


def test_version_says_exactly_what_runs(seeded: str, serve: Serve) -> None:
    assert seeded
    libra = serve(LIBRA_GREETING=ODD, LIBRA_VERSION="v7", LIBRA_RELEASE="12")
    version = libra.request("GET", "/version").document
    assert (version["version"], version["release"]) == ("v7", "12")
    assert version["greeting"] == ODD
    assert version["greeting_sha256"] == hashlib.sha256(ODD.encode()).hexdigest()
    page = libra.request("GET", "/").body.decode()
    assert "He said &quot;it&#x27;s&quot; $HOME \\n {{script}} &lt;b&gt;\nZweite" in page
    other = serve().request("GET", "/version").document
    assert other["instance"] != version["instance"]


def test_slow_is_bounded(seeded: str, serve: Serve) -> None:
    assert seeded
    libra = serve()
    for seconds in ("31", "-1", "nan", "x", ""):
        assert libra.request("GET", f"/slow?s={seconds}").status == 400, seconds
    assert libra.request("GET", "/slow?s=0").status == 200


def test_up_and_healthy_follow_the_schema(serve: Serve, manage: object) -> None:
    libra = serve(is_awaited=False)
    assert cause(libra) == "schema-unfit"
    assert healthy(libra) == 1
    assert callable(manage)
    assert manage("migrate").returncode == 0
    wait_for("/up", libra.is_up)
    assert healthy(libra) == 0


def test_up_follows_the_directory(seeded: str, serve: Serve, environment: dict[str, str]) -> None:
    assert seeded
    libra, uploads = serve(), Path(environment["LIBRA_UPLOADS"])
    shutil.rmtree(uploads)
    assert cause(libra) == "uploads-not-writable"
    uploads.mkdir()
    assert cause(libra) == ""


def test_up_tells_an_unreachable_database(serve: Serve) -> None:
    libra = serve(is_awaited=False, DATABASE_URL="postgresql://libra@127.0.0.1:1/libra")
    assert cause(libra) == "database-unreachable"
    answer = libra.request("GET", "/api/matters", Authorization="Bearer x")
    assert (answer.status, answer.document["error"]) == (503, "database-unreachable")


def test_connections_ended_by_the_database_fail_no_request(seeded: str, serve: Serve) -> None:
    libra = serve()
    user = libra.log_in("scout")
    with psycopg.connect(seeded, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'libra' AND datname = current_database()",
        )
    assert user.request("GET", "/api/matters").status == 200


def test_a_start_migrates_when_asked(serve: Serve, database_url: str) -> None:
    serve(LIBRA_MIGRATE_AT_START="1")
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT max(level) FROM schema_migrations").fetchone()
    assert row == (CODE_LEVEL,)


def test_bad_settings_end_the_start_with_their_name(serve: Serve) -> None:
    libra = serve(is_awaited=False, LIBRA_KEY="short")
    assert libra.process.wait(30) == 1
    assert "LIBRA_KEY" in libra.output()


def test_faults_are_made_as_asked(seeded: str, serve: Serve, tmp_path: Path) -> None:
    assert seeded
    assert serve(is_awaited=False, LIBRA_FAIL="crash-at-start").process.wait(30) == 3
    begin = time.monotonic()
    assert serve(LIBRA_FAIL="crash-after:2").process.wait(30) == 3
    assert time.monotonic() - begin >= 2
    assert cause(serve(is_awaited=False, LIBRA_FAIL="never-ready")) == "test-switch"
    gated = serve(is_awaited=False, LIBRA_FAIL=f"ready-file:{tmp_path}/ready")
    assert cause(gated) == "test-switch"
    (tmp_path / "ready").touch()
    wait_for("/up", gated.is_up)
    failing = serve(LIBRA_FAIL="errors:1")
    assert failing.request("GET", "/version").status == 500


def test_a_slow_start_serves_at_last(seeded: str, serve: Serve) -> None:
    assert seeded
    begin = time.monotonic()
    serve(LIBRA_FAIL="slow-start:2")
    assert time.monotonic() - begin >= 2


def test_faults_at_the_stop_are_made_as_asked(seeded: str, serve: Serve) -> None:
    assert seeded
    dropping, ignoring = serve(LIBRA_FAIL="drop-at-stop"), serve(LIBRA_FAIL="ignore-stop")
    ignoring.process.terminate()
    assert dropping.end() == 0
    assert "stopped" not in dropping.output()
    assert ignoring.is_up()
