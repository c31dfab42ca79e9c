"""Real parts only: each test has a schema of its own in a real PostgreSQL, and real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from libra import commands
from libra.migrations import migrate, read_migrations
from libra.settings import read_database_url
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.process import TEST_KEY, LibraProcess, free_port

Serve = Callable[..., LibraProcess]


@pytest.fixture(scope="session")
def server_url() -> str:
    if not os.environ.get("DATABASE_URL"):
        pytest.exit("DATABASE_URL must name a PostgreSQL database for the tests", returncode=2)
    return read_database_url(os.environ)


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    schema = sql.Identifier(f"libra_test_{uuid4().hex}")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        try:
            yield make_conninfo(server_url, options=f"-csearch_path={schema.as_string()[1:-1]}")
        finally:
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(schema))


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    inherited = {name: value for name, value in os.environ.items() if "LIBRA" not in name}
    inherited.pop("DATABASE_PASSWORD_FILE", None)
    return inherited | {
        "DATABASE_URL": database_url,
        "LIBRA_KEY": TEST_KEY,
        "LIBRA_UPLOADS": str(uploads),
        "PYTHONPATH": str(Path(commands.__file__).parent.parent),
    }


@pytest.fixture
def manage(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    program = Path(commands.__file__).parent.parent / "manage"

    def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(program), *arguments],
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def seeded(database_url: str, manage: Callable[..., subprocess.CompletedProcess[str]]) -> str:
    migrate(database_url, read_migrations())
    done = manage("seed")
    assert done.returncode == 0, done.stderr
    return database_url


@pytest.fixture
def serve(environment: dict[str, str]) -> Iterator[Serve]:
    started: list[LibraProcess] = []

    def start(*, is_awaited: bool = True, **variables: str) -> LibraProcess:
        port = free_port()
        process = LibraProcess(environment | variables | {"LIBRA_PORT": str(port)}, port)
        started.append(process)
        if is_awaited:
            process.wait_until_up()
        return process

    yield start
    for process in started:
        process.end(signal.SIGKILL)
