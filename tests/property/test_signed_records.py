"""Honest clients never doubt one another, and whoever has no key changes nothing that they believe.

Ledgers are the real ones, over an anchor in memory; each client has the key and its own memory.
"""

import io
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from underway.adapters.chain import Current, checked, written
from underway.adapters.ledger import AnchorLedger
from underway.adapters.signature import TeamKey
from underway.model.names import AppName, HostName, ReleaseNumber
from underway.model.release import LedgerState
from underway.model.sensitive import Sensitive
from underway.ports.output import ExecResult

APP: Final = AppName("libra")
HOST: Final = HostName("h1")
KEY: Final = TeamKey(APP, Sensitive(b"k" * 32))
FORGER: Final = TeamKey(APP, Sensitive(b"f" * 32))
TAKEN: Final = 75


@dataclass
class Disk:
    """An anchor's records, and what its two scripts do with them."""

    host: HostName = HOST
    files: dict[int, bytes] = field(default_factory=dict)

    def execute(
        self, name: str, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 30
    ) -> ExecResult:
        assert name
        assert timeout_s
        if not stdin:
            return ExecResult(0, self._archive(), b"")
        number = int(command[-1])
        if number in self.files:
            return ExecResult(TAKEN, b"", b"")
        self.files[number] = stdin
        return ExecResult(0, b"", b"")

    def _archive(self) -> bytes:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for number, content in self.files.items():
                entry = tarfile.TarInfo(f"records/{number:06}.json")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        return packed.getvalue()


class Client:
    """Somebody with the key, who remembers the last head."""

    def __init__(self, disk: Disk) -> None:
        self.head = ""
        self.ledger = AnchorLedger(disk, APP, key=KEY, on_head=self._remember)

    def _remember(self, head: str) -> None:
        self.head = head

    def look(self) -> LedgerState:
        state = self.ledger.read()
        assert state
        return state

    def doubts(self) -> bool:
        state = self.look()
        return bool(state.doubts) or (bool(self.head) and self.head not in state.hashes)

    def work(self, number: int) -> None:
        assert not self.doubts()
        self.ledger.set_current(ReleaseNumber(number), [])
        self.head = self.look().head


def append(disk: Disk, key: TeamKey | None, _: int) -> None:
    links = checked(disk.host, disk.files)
    number, data = written(Current(ReleaseNumber(666)), links[-1] if links else None, key)
    disk.files[number] = data


def truncate(disk: Disk, _: TeamKey | None, place: int) -> None:
    disk.files = {n: data for n, data in disk.files.items() if n < place}


def rewrite(disk: Disk, key: TeamKey | None, place: int) -> None:
    truncate(disk, key, place)
    append(disk, key, place)


Attack = Callable[[Disk, TeamKey | None, int], None]


def after(turns: Sequence[int]) -> tuple[Disk, list[Client]]:
    disk = Disk()
    clients = [Client(disk), Client(disk), Client(disk)]
    for number, who in enumerate(turns, start=1):
        clients[who].work(number)
    return disk, clients


TURNS = st.lists(st.integers(0, 1), min_size=1, max_size=8)


@given(TURNS)
@settings(deadline=None)
def test_honest_clients_never_doubt_one_another(turns: list[int]) -> None:
    disk, clients = after(turns)
    assert len(disk.files) == len(turns)
    assert not any(client.doubts() for client in clients)


@given(
    TURNS,
    st.sampled_from([append, rewrite]),
    st.sampled_from([None, FORGER]),
    st.integers(1, 9),
)
@settings(deadline=None)
def test_whoever_has_no_key_is_found_out_by_clients_that_remember_nothing(
    turns: list[int], attack: Attack, key: TeamKey | None, place: int
) -> None:
    disk, clients = after(turns)
    attack(disk, key, place)
    assert all(client.doubts() for client in clients), "the third one never saw the app"


@given(TURNS, st.integers(1, 8))
@settings(deadline=None)
def test_a_ledger_that_was_cut_off_is_found_out_by_whoever_saw_more(
    turns: list[int], place: int
) -> None:
    disk, clients = after(turns)
    seen = {who: turn for turn, who in enumerate(turns, start=1)}
    truncate(disk, None, place)
    for who, client in enumerate(clients):
        assert client.doubts() == (seen.get(who, 0) >= place)
