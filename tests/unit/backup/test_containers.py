"""Who works with backups on a host, and who only looks, have containers of their own."""

from tests.unit.backup.sample import APP
from underway.backup.containers import looking_name, sidecar_name


def test_who_looks_takes_nobodys_place() -> None:
    assert len({sidecar_name(APP), looking_name(APP, "aa"), looking_name(APP, "bb")}) == 3
