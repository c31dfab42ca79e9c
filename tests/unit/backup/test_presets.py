"""Known images have ways of their own; the commands hold no value, only where to find it."""

import subprocess
from pathlib import Path

import pytest

from underway.backup.presets import (
    MARIADB,
    POSTGRES,
    PRESETS,
    REDIS,
    database_stem,
    preset_of,
)
from underway.backup.presets.preset import Preset


@pytest.mark.parametrize(
    "image",
    [
        "postgres",
        "postgres:17",
        "docker.io/library/postgres:17-alpine",
        "10.0.0.1:5000/lab/postgres:17",
        "pgvector/pgvector@sha256:0123",
        "timescale/timescaledb-ha:pg17",
    ],
)
def test_an_image_is_known_by_the_last_part_of_its_name(image: str):
    assert preset_of(image) is POSTGRES


@pytest.mark.parametrize(
    ("image", "preset"),
    [
        ("mariadb:11", MARIADB),
        ("mysql:8.4", MARIADB),
        ("docker.io/percona/percona-server:8", MARIADB),
        ("redis:8-alpine", REDIS),
        ("valkey/valkey:9", REDIS),
    ],
)
def test_databases_of_one_kind_share_their_ways(image: str, preset: Preset):
    assert preset_of(image) is preset


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_every_script_is_one_that_a_shell_understands(preset: Preset):
    streams = preset.streams(("libra",))
    commands = [preset.ready, preset.listing, preset.ended, preset.check]
    commands += [command for one in streams for command in (one.command, one.restore)]
    scripts = [command[2] for command in commands if command[:2] == ("sh", "-c")]
    assert scripts
    for script in scripts:
        subprocess.run(["sh", "-n", "-c", script], check=True)


def test_rights_that_come_back_bring_no_older_password_with_them(tmp_path: Path):
    """MariaDB's dump names an account's password in its rights: the release's own stays."""
    client = tmp_path / "mariadb"
    client.write_text("#!/bin/sh\ncat\n")
    client.chmod(0o755)
    restore = next(s.restore for s in MARIADB.streams(()) if s.name == "accounts.sql")
    said = (
        "CREATE USER IF NOT EXISTS `a`@`%` IDENTIFIED BY PASSWORD '*AB';\n"
        "GRANT ALL PRIVILEGES ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*AB' WITH GRANT OPTION;\n"
        "GRANT USAGE ON *.* TO `b`@`%` IDENTIFIED VIA ed25519 USING 'x' OR unix_socket;\n"
    )
    path = f"{tmp_path}:/usr/bin:/bin"
    done = subprocess.run(
        restore, input=said, env={"PATH": path}, text=True, capture_output=True, check=True
    )
    assert done.stdout.splitlines() == [
        "CREATE USER IF NOT EXISTS `a`@`%` IDENTIFIED BY PASSWORD '*AB';",
        "GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION;",
        "GRANT USAGE ON *.* TO `b`@`%`;",
    ]


@pytest.mark.parametrize("image", ["", "libra", "my-postgres", "postgres/exporter"])
def test_others_are_not_known(image: str):
    assert preset_of(image) is None


def test_a_database_is_one_stream_and_the_roles_come_first():
    streams = POSTGRES.streams(("libra", "other db"))
    assert [s.name for s in streams] == [
        "roles.sql",
        "database/libra.dump",
        "database/other db.dump",
    ]
    assert streams[2].command[-1] == "other db"
    assert database_stem("pgdata/database/other db.dump") == "other db"
