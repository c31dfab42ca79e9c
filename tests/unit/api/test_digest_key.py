"""The app's digest key is taken from wherever it stands; a new one only before the first deploy."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from tests.fakes.simulated_host import FACTS
from underway.api.shipping import key_of, vault_key
from underway.model.names import AppName, HostName
from underway.model.release import LedgerState
from underway.model.snapshot import HostState, Snapshot

KEY: Final = b"k" * 32
H1, H2 = HostName("h1"), HostName("h2")


@dataclass
class Vaults:
    """Vaults of a fleet; only one of them has the key."""

    holder: HostName | None
    asked: int = 0

    def vault(self, host: HostName) -> Any:
        self.asked += 1
        return SimpleNamespace(key=lambda: KEY if host == self.holder else None)


def session(vaults: Vaults, *, is_secret: bool = True, unread: object = None) -> Any:
    values = {"secret/key": "s"} if is_secret else {}
    return SimpleNamespace(world=vaults, values=values, unread=unread)


def snapshot(*, filled: bool) -> Snapshot:
    hosts = (
        HostState(H1, FACTS, ledger=LedgerState(H1)),
        HostState(H2, FACTS, ledger=LedgerState(H2), vault=(1,) if filled else ()),
    )
    return Snapshot(AppName("libra"), hosts)


def test_the_key_comes_from_a_vault_that_has_values() -> None:
    vaults = Vaults(H2)
    assert key_of(session(vaults), snapshot(filled=True)) == KEY
    assert vaults.asked == 1


def test_a_key_whose_first_values_never_arrived_is_the_key() -> None:
    assert key_of(session(Vaults(H2)), snapshot(filled=False)) == KEY


def test_an_app_without_sensitive_values_asks_no_vault() -> None:
    vaults = Vaults(H2)
    assert vault_key(session(vaults, is_secret=False), snapshot(filled=False)) is None
    assert not vaults.asked


def test_a_session_that_does_not_know_its_values_asks_every_vault() -> None:
    unknown = session(Vaults(H2), is_secret=False, unread="only the site was read")
    assert vault_key(unknown, snapshot(filled=False)) == KEY


def test_before_the_first_deploy_the_key_is_new_each_time() -> None:
    fresh = {key_of(session(Vaults(None)), snapshot(filled=False)) for _ in range(2)}
    assert len(fresh) == 2
