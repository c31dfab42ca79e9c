"""Known images have ways of their own; the commands hold no value, only where to find it."""

import pytest

from underway.backup.presets import POSTGRES, database_stem, preset_of


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
