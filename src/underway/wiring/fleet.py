"""The open connections of a run: to the file's hosts, and to those that recorded releases name.

A host that was taken out of the file still holds what the last release put there, and its proxy
still sends requests: it is reached by the address that was recorded, until a run has retired it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from underway.errors import UnderwayError
from underway.kernel.trust import NoHeads
from underway.kernel.world import World, lost_host
from underway.model.names import EDGE_CONTAINER, AppName, HostName
from underway.model.snapshot import Unreachable
from underway.model.spec import HostSpec
from underway.ports.heads import Heads

if TYPE_CHECKING:
    from underway.adapters.connector import DockerConnector
    from underway.adapters.engine import DockerEngine
    from underway.adapters.haproxy import HaproxyProxy
    from underway.adapters.ledger import AnchorLedger
    from underway.adapters.signature import TeamKey
    from underway.adapters.vault import AnchorVault


@dataclass(frozen=True, slots=True)
class Seals:
    """What ledgers are written with: the team's key, and the memory of what was written last."""

    key: "TeamKey | None" = None
    heads: Heads = field(default_factory=NoHeads)


class Fleet:
    """Engines by host, and the ports that stand on them; grows when more hosts are reached."""

    def __init__(
        self,
        app: AppName,
        connector: "DockerConnector",
        hosts: Sequence[HostSpec],
        *,
        seals: Seals | None = None,
    ) -> None:
        """Connect to `hosts` at once; those that do not answer are lost.

        Raises ConfigurationError for a URL that means no engine.
        """
        self._connector = connector
        self._app = app
        self._seals = seals or Seals()
        self.engines: dict[HostName, DockerEngine] = {}
        self._proxies: dict[HostName, HaproxyProxy] = {}
        self._ledgers: dict[HostName, AnchorLedger] = {}
        self._vaults: dict[HostName, AnchorVault] = {}
        self._lost: dict[HostName, Unreachable] = {}
        self._asked: set[HostName] = {host.name for host in hosts}
        self._take(connector.connect_all(hosts))

    def world(self, revive: Callable[[HostName], bool]) -> World:
        """The ports of all hosts, as they are when they are used."""
        ports = (self.engines, self._proxies, self._ledgers, self._vaults, self._lost)
        return World(self._app, *ports, revive=revive, reach=self.reach)

    def reach(self, hosts: Sequence[HostSpec]) -> None:
        """Connect to hosts that recorded releases name; a known engine under another name is left.

        Only what means the same host from every machine is followed: an address.
        """
        for host in hosts:
            if host.name in self._asked or not _is_remote(host):
                continue
            self._asked.add(host.name)
            try:
                engine = self._connector.connect(host)
                known = {self.engines[name].facts().id for name in sorted(self.engines)}
                if engine.facts().id in known:
                    continue
            except UnderwayError as error:
                self._take({host.name: error})
            else:
                self._take({host.name: engine})

    def _take(self, opened: "Mapping[HostName, DockerEngine | UnderwayError]") -> None:
        """Make the ports of every host that was reached."""
        from underway.adapters.engine import CommandServer
        from underway.adapters.haproxy import HaproxyProxy
        from underway.adapters.haproxy.refusal import ScriptExit
        from underway.adapters.ledger import AnchorLedger
        from underway.adapters.vault import AnchorVault
        from underway.rollout.naming import anchor_name

        for name, engine in opened.items():
            if isinstance(engine, UnderwayError):
                self._lost[name] = lost_host(name, engine)
                continue
            anchor = CommandServer(engine, anchor_name(self._app))
            self.engines[name] = engine
            edge = CommandServer(engine, EDGE_CONTAINER, moved=ScriptExit.SUCCEEDED)
            self._proxies[name] = HaproxyProxy(edge)
            self._ledgers[name] = AnchorLedger(
                anchor, self._app, key=self._seals.key, on_head=self._memory_of(engine)
            )
            self._vaults[name] = AnchorVault(anchor, self._app)

    def _memory_of(self, engine: "DockerEngine") -> Callable[[str], None]:
        """Remembers a head of the ledger on `engine`, if that still tells who it is."""

        def remember(head: str) -> None:
            with suppress(UnderwayError):
                self._seals.heads.remember(self._app, engine.facts().id, head)

        return remember


def _is_remote(host: HostSpec) -> bool:
    """Whether the host's URL leads to the same engine from everywhere."""
    from underway.adapters.endpoint import TcpEndpoint, UnixEndpoint, endpoint_of

    try:
        endpoint = endpoint_of(host.url)
    except UnderwayError:
        return False
    is_here = isinstance(endpoint, TcpEndpoint) and endpoint.host in {"localhost", "127.0.0.1"}
    return not (is_here or isinstance(endpoint, UnixEndpoint))
