"""A client remembers heads per app and engine, and a place that cannot be written stops nothing."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from underway.adapters.heads import StateHeads, heads_directory
from underway.model.names import AppName

LIBRA, OTHER = AppName("libra"), AppName("other")


@dataclass
class Notes:
    """What was noted."""

    told: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.told.append(text)


def heads(directory: Path | None) -> tuple[StateHeads, Notes]:
    notes = Notes()
    return StateHeads(directory, notes), notes


def test_another_run_recalls_what_one_remembered(tmp_path: Path) -> None:
    one, notes = heads(tmp_path / "heads")
    one.remember(LIBRA, "E1", "aa")
    one.remember(LIBRA, "E1", "bb")
    one.remember(LIBRA, "E2", "cc")
    one.remember(OTHER, "E1", "dd")
    another, _ = heads(tmp_path / "heads")
    assert another.recall(LIBRA) == {"E1": "bb", "E2": "cc"}
    another.forget(LIBRA, "E1")
    assert one.recall(LIBRA) == {"E2": "cc"}
    assert one.recall(OTHER) == {"E1": "dd"}
    assert notes.told == []


def test_one_file_per_app_and_engine_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    kept, _ = heads(tmp_path)
    kept.remember(LIBRA, "E1", "aa")
    kept.remember(LIBRA, "E1", "bb")
    (file,) = (tmp_path / "libra").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("engine", ["../../../evil", "/etc/evil", "a\x00b", "x" * 5000])
def test_an_engine_chooses_no_path(tmp_path: Path, engine: str) -> None:
    kept, notes = heads(tmp_path / "heads")
    kept.remember(LIBRA, engine, "aa")
    assert kept.recall(LIBRA) == {engine: "aa"}
    assert list(tmp_path.rglob("*.json")) == list(tmp_path.glob("heads/libra/*.json"))
    assert notes.told == []


def test_a_place_that_cannot_be_written_is_noted_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    kept, notes = heads(tmp_path / "file" / "heads")
    kept.remember(LIBRA, "E1", "aa")
    kept.remember(LIBRA, "E2", "bb")
    kept.forget(LIBRA, "E1")
    assert kept.recall(LIBRA) == {}
    assert len(notes.told) == 1
    assert "Not a directory" in notes.told[0]


def test_a_file_that_cannot_be_read_is_noted_and_replaced(tmp_path: Path) -> None:
    kept, notes = heads(tmp_path)
    kept.remember(LIBRA, "E1", "aa")
    kept.remember(LIBRA, "E2", "bb")
    for file in (tmp_path / "libra").iterdir():
        if b"E1" in file.read_bytes():
            file.write_bytes(b"\xff half")
    another, notes = heads(tmp_path)
    assert another.recall(LIBRA) == {"E2": "bb"}
    assert len(notes.told) == 1
    another.remember(LIBRA, "E1", "cc")
    assert another.recall(LIBRA) == {"E1": "cc", "E2": "bb"}


def test_without_a_home_nothing_is_remembered_and_it_is_said() -> None:
    kept, notes = heads(None)
    kept.remember(LIBRA, "E1", "aa")
    assert kept.recall(LIBRA) == {}
    assert len(notes.told) == 1


def test_the_place_is_the_users_state_directory() -> None:
    home = {"HOME": "/home/kim"}
    assert heads_directory(home) == Path("/home/kim/.local/state/underway/heads")
    state = {**home, "XDG_STATE_HOME": "/state"}
    assert heads_directory(state) == Path("/state/underway/heads")
    relative = {**home, "XDG_STATE_HOME": "state"}
    assert heads_directory(relative) == Path("/home/kim/.local/state/underway/heads")
    assert heads_directory({}) is None
