"""What a team key vouches for, and what is never believed."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from underway.adapters.chain import Acceptance, Body, Current, checked, hash_of, state, written
from underway.adapters.scrutiny import doubts_of
from underway.adapters.signature import TeamKey
from underway.errors import IntegrityError
from underway.model.history import DoubtKind
from underway.model.names import AppName, HostName, ReleaseNumber, RunNumber
from underway.model.release import RunRecord
from underway.model.sensitive import Sensitive

HOST = HostName("app1")
KEY = TeamKey(AppName("libra"), Sensitive(b"k" * 32))
OTHER = TeamKey(AppName("libra"), Sensitive(b"o" * 32))
ELSEWHERE = TeamKey(AppName("other"), Sensitive(b"k" * 32))
Entry = tuple[Body, TeamKey | None]


def current(number: int) -> Current:
    return Current(ReleaseNumber(number))


def chain(entries: Sequence[Entry]) -> dict[int, bytes]:
    files: dict[int, bytes] = {}
    for body, key in entries:
        links = checked(HOST, files)
        number, files[len(files) + 1] = written(body, links[-1] if links else None, key)
        assert number == len(files)
    return files


def doubts(files: dict[int, bytes], key: TeamKey | None = KEY) -> list[tuple[DoubtKind, int]]:
    found = doubts_of(checked(HOST, files, key), has_key=key is not None)
    return [(doubt.kind, doubt.sequence) for doubt in found]


def test_what_the_key_signed_is_believed() -> None:
    files = chain([(current(n), KEY) for n in (1, 2, 3)])
    assert doubts(files) == []
    assert state(HOST, checked(HOST, files, KEY)).hashes == tuple(map(hash_of, files.values()))


def test_without_a_key_a_file_is_what_it_always_was() -> None:
    (file,) = chain([(current(1), None)]).values()
    assert set(json.loads(file)) == {"hash", "record"}
    assert doubts({1: file}, None) == []


def test_an_unsigned_record_is_told_wherever_it_stands() -> None:
    for place in (0, 1, 2):
        entries: list[Entry] = [(current(n), KEY) for n in (1, 2, 3)]
        entries[place] = (current(9), None)
        assert doubts(chain(entries)) == [(DoubtKind.UNSIGNED, place + 1)]


@pytest.mark.parametrize("key", [OTHER, ELSEWHERE])
def test_another_teams_or_another_apps_signature_is_told(key: TeamKey) -> None:
    files = chain([(current(1), KEY), (current(2), key)])
    assert doubts(files) == [(DoubtKind.MISSIGNED, 2)]


def test_a_signature_moved_to_another_record_is_told() -> None:
    files = chain([(current(1), KEY), (current(2), None)])
    first, second = (json.loads(files[n]) for n in (1, 2))
    second["signature"] = first["signature"]
    files[2] = json.dumps(second, separators=(",", ":")).encode()
    assert doubts(files) == [(DoubtKind.MISSIGNED, 2)]


def test_an_app_without_a_record_is_not_doubted() -> None:
    assert doubts({}) == doubts({}, None) == []


def test_an_acceptance_vouches_for_what_stands_before_it_and_no_more() -> None:
    seal = Acceptance("kim", "now")
    before: list[Entry] = [(current(1), None), (current(2), OTHER), (seal, KEY)]
    assert doubts(chain(before)) == []
    assert doubts(chain([*before, (current(3), KEY)])) == []
    assert doubts(chain([*before, (current(3), None)])) == [(DoubtKind.UNSIGNED, 4)]


@pytest.mark.parametrize("key", [None, OTHER])
def test_nobody_accepts_without_the_key(key: TeamKey | None) -> None:
    entries: list[Entry] = [(current(1), KEY), (current(2), None), (Acceptance("x", "now"), key)]
    assert doubts(chain(entries)) == [(DoubtKind.UNSIGNED, 2)]


def test_signed_records_are_not_continued_without_the_key() -> None:
    assert doubts(chain([(current(1), KEY)]), None) == [(DoubtKind.KEYLESS, 1)]


def run(outcome: str) -> RunRecord:
    return RunRecord(RunNumber(4), "deploy", ReleaseNumber(1), "me", "now", "later", outcome)


def test_records_that_contradict_one_another_are_told() -> None:
    begun = RunRecord(RunNumber(4), "deploy", ReleaseNumber(1), "me", "now")
    entries: list[Entry] = [(begun, KEY), (run("done"), KEY), (run("undone"), KEY)]
    assert doubts(chain(entries)) == [(DoubtKind.CONFLICT, 3)]
    assert doubts(chain(entries[:2])) == []


@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from([None, OTHER, ELSEWHERE]))
def test_nobody_without_the_key_adds_or_rewrites_a_record(
    length: int, place: int, key: TeamKey | None
) -> None:
    """From any record on, a chain written anew with all that is public is not believed."""
    honest = [(current(n), KEY) for n in range(1, length + 1)]
    files = chain(honest)
    kept = {n: files[n] for n in files if n < place}
    forged = dict(kept)
    for number in range(len(kept) + 1, length + 2):
        links = checked(HOST, forged)
        _, forged[number] = written(current(99), links[-1] if links else None, key)
    assert doubts(forged)


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(deadline=None)
def test_no_byte_of_a_signed_file_can_be_changed(place: int, flip: int) -> None:
    files = chain([(current(1), KEY), (current(2), KEY)])
    data = bytearray(files[2])
    data[place % len(data)] ^= flip
    assert not is_believed({**files, 2: bytes(data)})


def is_believed(files: dict[int, bytes]) -> bool:
    try:
        return not doubts(files)
    except IntegrityError:
        return False


def test_the_key_is_not_shown() -> None:
    assert "kkk" not in repr(KEY)
    assert b"kkk" not in b"".join(chain([(current(1), KEY)]).values())
