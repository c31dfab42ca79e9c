"""A copy of plain files says which databases in it are sound, and when the whole is."""

from dataclasses import replace

from tests.unit.backup.sample import MANIFEST
from underway.backup.apply import with_databases
from underway.model.restore_point import Part, PartKind
from underway.ports.backup import SavedDatabases

PLAIN = replace(MANIFEST.volumes[1], is_fuzzy=True)
BARE = replace(PLAIN, parts=(replace(PLAIN.parts[0], bytes=0),))
ONE = SavedDatabases("e" * 64, (("/volumes/uploads/a%20b.db", 4096),))


def test_databases_are_a_part_of_their_own_beside_the_files():
    copy = with_databases(PLAIN, ONE)
    part = Part(PartKind.SQLITE, "e" * 64, "/volumes/uploads", 4096, 1)
    assert copy.parts == (*PLAIN.parts, part)
    assert copy.databases == ("a%20b.db",)
    assert copy.is_fuzzy, "files beside it were copied while they may have been written"


def test_one_database_and_nothing_else_is_consistent():
    assert not with_databases(BARE, ONE).is_fuzzy


def test_two_databases_are_each_sound_and_together_of_two_moments():
    two = replace(ONE, sizes=(*ONE.sizes, ("/volumes/uploads/c.db", 512)))
    assert with_databases(BARE, two).is_fuzzy


def test_a_volume_gets_none_of_anothers_databases():
    other = SavedDatabases("e" * 64, (("/volumes/uploads-2/a.db", 4096),))
    assert with_databases(PLAIN, other) == PLAIN
    assert with_databases(PLAIN, None) == PLAIN
