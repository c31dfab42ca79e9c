import pytest
from hypothesis import given
from hypothesis import strategies as st

from underway.adapters.chain import Body, Current, Link, checked, state, written
from underway.errors import IntegrityError
from underway.model.names import HostName, ReleaseNumber, RunNumber
from underway.model.release import Binding, Limit, RunRecord

HOST = HostName("app1")


def chain_of(count: int) -> dict[int, bytes]:
    files: dict[int, bytes] = {}
    last: Link | None = None
    for number in range(1, count + 1):
        body: Body = Current(ReleaseNumber(number), (Binding("a", f"b{number}"),))
        sequence, files[number] = written(body, last)
        assert sequence == number
        last = checked(HOST, files)[-1]
    return files


def test_no_files_are_an_empty_chain() -> None:
    assert checked(HOST, {}) == ()
    assert state(HOST, ()).head == ""


def test_the_newest_word_counts() -> None:
    ledger = state(HOST, checked(HOST, chain_of(3)))
    assert ledger.current == 3
    assert ledger.bindings == (Binding("a", "b3"),)


def test_that_a_release_stands_on_some_hosts_alone_is_kept() -> None:
    limit = Limit((HOST,), ReleaseNumber(1))
    _, data = written(Current(ReleaseNumber(2), limit=limit), None)
    assert state(HOST, checked(HOST, {1: data})).limit == limit
    assert state(HOST, checked(HOST, chain_of(2))).limit is None


def test_a_chain_may_have_lost_its_beginning_but_nothing_else() -> None:
    files = chain_of(5)
    assert len(checked(HOST, {n: files[n] for n in (3, 4, 5)})) == 3
    with pytest.raises(IntegrityError, match="record 4"):
        checked(HOST, {n: files[n] for n in (2, 3, 5)})


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_single_byte_can_be_changed_unnoticed(place: int, flip: int) -> None:
    files = chain_of(2)
    data = bytearray(files[1])
    data[place % len(data)] ^= flip
    with pytest.raises(IntegrityError):
        checked(HOST, {**files, 1: bytes(data)})


def test_a_record_replaced_by_a_well_formed_one_is_noticed() -> None:
    files = chain_of(3)
    _, forged = written(Current(ReleaseNumber(9)), checked(HOST, {1: files[1]})[-1])
    with pytest.raises(IntegrityError, match="record 3"):
        checked(HOST, {**files, 2: forged})


def test_another_format_asks_for_an_upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("underway.adapters.chain.VERSION", 2)
    _, data = written(Current(ReleaseNumber(1)), None)
    monkeypatch.undo()
    with pytest.raises(IntegrityError) as caught:
        checked(HOST, {1: data})
    assert caught.value.code == "record-version"


def test_a_run_completed_later_is_one_run() -> None:
    begun = RunRecord(RunNumber(4), "deploy", ReleaseNumber(1), "me", "now")
    ended = RunRecord(RunNumber(4), "deploy", ReleaseNumber(1), "me", "now", "later", "done")
    _, first = written(begun, None)
    _, second = written(ended, checked(HOST, {1: first})[-1])
    assert state(HOST, checked(HOST, {1: first, 2: second})).runs == (ended,)
