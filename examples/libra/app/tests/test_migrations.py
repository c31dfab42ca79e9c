import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from libra.database import Database, SchemaUnfitError
from libra.migrations import CODE_LEVEL, Migration, MigrationError, migrate, read_migrations


def check_schema(url: str) -> None:
    async def check() -> None:
        database = Database(url)
        await database.open()
        try:
            await database.check_schema()
        finally:
            await database.close()

    asyncio.run(check())


def further(*, works_with: int, statements: str = "SELECT 1") -> Migration:
    return Migration(CODE_LEVEL + 1, "further", works_with, statements)


def test_a_second_run_applies_nothing(database_url: str) -> None:
    assert [step.level for step in migrate(database_url, read_migrations())] == [1, 2]
    assert migrate(database_url, read_migrations()) == ()


def test_runs_at_the_same_time_apply_each_migration_once(database_url: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        runs = [threads.submit(migrate, database_url, read_migrations()) for _ in range(6)]
        applied = [step.level for run in runs for step in run.result(timeout=60)]
    assert sorted(applied) == [1, 2]


def test_a_migration_that_fails_leaves_the_level_before_it(database_url: str) -> None:
    broken = further(works_with=1, statements="CREATE TABLE half (a int); SELECT 1/0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(database_url, (*read_migrations(), broken))
    assert migrate(database_url, read_migrations()) == ()
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)


def test_a_migration_changed_after_use_is_refused(database_url: str) -> None:
    first, *rest = read_migrations()
    migrate(database_url, (first, *rest))
    changed = Migration(first.level, first.name, first.works_with, first.statements + "-- late")
    with pytest.raises(MigrationError, match="changed"):
        migrate(database_url, (changed, *rest))


def test_code_is_unfit_before_its_migrations(database_url: str) -> None:
    with pytest.raises(SchemaUnfitError, match="migrate"):
        check_schema(database_url)
    migrate(database_url, read_migrations()[:1])
    with pytest.raises(SchemaUnfitError, match="level 1"):
        check_schema(database_url)


def test_older_code_stays_fit_after_an_expanding_migration(database_url: str) -> None:
    migrate(database_url, (*read_migrations(), further(works_with=CODE_LEVEL)))
    check_schema(database_url)


def test_older_code_is_unfit_after_a_contracting_migration(database_url: str) -> None:
    migrate(database_url, (*read_migrations(), further(works_with=CODE_LEVEL + 1)))
    with pytest.raises(SchemaUnfitError, match="newer release"):
        check_schema(database_url)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("0002_gap.sql", "-- works-with: 1\n"),
        ("0001_no_header.sql", "SELECT 1"),
        ("one.sql", "-- works-with: 1\n"),
    ],
)
def test_a_folder_with_a_gap_or_a_bad_header_is_refused(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(MigrationError):
        read_migrations(tmp_path)
