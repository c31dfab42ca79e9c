"""The open connections of one run: what `observe` reads and steps act on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from underway.errors import UnderwayError, UnreachableError
from underway.model.names import AppName, HostName
from underway.model.snapshot import Unreachable
from underway.model.spec import HostSpec
from underway.ports import Engine, Ledger, Proxy, Vault


def lost_host(name: HostName, error: UnderwayError) -> Unreachable:
    """The host that could not be asked, as the error tells it: its name is not said twice."""
    reason = error.message.removeprefix(f"{name}: ")
    if error.cause and error.cause not in reason:
        reason = f"{reason} ({error.cause})"
    return Unreachable(name, reason, error.hint)


@dataclass(slots=True)
class World:
    """Engines, proxies, ledgers and vaults by host; `lost` tells why a host has none.

    `revive` makes the app's anchor run on a host that holds its records, and tells whether it does:
    records that nobody can read are not records that are not there. `reach` connects to more hosts,
    as far as they can be: those that recorded releases name and the file does not.
    """

    app: AppName
    engines: Mapping[HostName, Engine]
    proxies: Mapping[HostName, Proxy]
    ledgers: Mapping[HostName, Ledger]
    vaults: Mapping[HostName, Vault]
    lost: dict[HostName, Unreachable] = field(default_factory=dict)
    revive: Callable[[HostName], bool] = lambda _: False
    reach: Callable[[Sequence[HostSpec]], None] = lambda _: None

    @property
    def hosts(self) -> tuple[HostName, ...]:
        """All hosts, reached or not, sorted."""
        return tuple(sorted({*self.engines, *self.lost}))

    def engine(self, host: HostName) -> Engine:
        """The engine of `host`; UnreachableError if there is no connection."""
        try:
            return self.engines[host]
        except KeyError:
            lost = self.lost.get(host, Unreachable(host, "not connected"))
            raise UnreachableError(
                "host-unreachable", f"{host}: {lost.reason}", hint=lost.hint
            ) from None

    def proxy(self, host: HostName) -> Proxy:
        """The proxy of `host`; UnreachableError if there is no connection."""
        self.engine(host)
        return self.proxies[host]

    def ledger(self, host: HostName) -> Ledger:
        """The ledger of `host`; UnreachableError if there is no connection."""
        self.engine(host)
        return self.ledgers[host]

    def vault(self, host: HostName) -> Vault:
        """The vault of `host`; UnreachableError if there is no connection."""
        self.engine(host)
        return self.vaults[host]
