from pathlib import Path
from uuid import uuid4

import pytest
from libra.sealing import parse_keyring
from libra.storage import FileStore, MissingFileError

from tests.process import TEST_KEY


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path, parse_keyring(TEST_KEY))


def files_under(store: FileStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


def test_a_kept_draft_is_read_back_and_leaves_no_draft(store: FileStore) -> None:
    file_id = uuid4()
    draft = store.draft(file_id)
    draft.write(b"dear ")
    draft.write(b"client")
    assert draft.keep().size_bytes == 11
    assert b"".join(store.read(file_id)) == b"dear client"
    assert files_under(store) == [store.path(file_id)]


def test_a_discarded_draft_leaves_nothing(store: FileStore) -> None:
    unfinished, finished = store.draft(uuid4()), store.draft(uuid4())
    unfinished.write(b"x")
    finished.keep()
    unfinished.discard()
    finished.discard()
    assert files_under(store) == []


def test_a_file_that_is_gone_is_told_apart_from_a_damaged_one(store: FileStore) -> None:
    with pytest.raises(MissingFileError):
        next(store.read(uuid4()))


def test_a_missing_directory_is_not_made_quietly(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "not mounted", parse_keyring(TEST_KEY))
    with pytest.raises(OSError, match="not mounted"):
        store.probe()


def test_a_probe_leaves_nothing(store: FileStore) -> None:
    store.probe()
    assert files_under(store) == []


def test_only_what_is_old_enough_is_listed_for_the_sweep(store: FileStore) -> None:
    file_id, draft_id = uuid4(), uuid4()
    store.draft(file_id).keep()
    store.draft(draft_id).write(b"x")
    assert set(store.stored_ids(min_age_s=0)) == {file_id, draft_id}
    assert list(store.stored_ids(min_age_s=3600)) == []
