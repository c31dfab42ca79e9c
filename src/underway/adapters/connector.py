"""`ports.Connector`: opens each host once per run, and closes them all in the end."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from underway.adapters.endpoint import SshEndpoint, TcpEndpoint, UnixEndpoint, endpoint_of
from underway.errors import ConfigurationError, UnderwayError
from underway.model.names import HostName
from underway.model.spec import HostSpec

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from underway.adapters.engine import DockerEngine, Route
    from underway.adapters.tunnel import TunnelDirectory

_PARALLEL: Final = 16


class DockerConnector:
    """Engines by host, kept for the run. Safe to use from several threads at once."""

    def __init__(self, directory: Path | None = None) -> None:
        """Nothing is opened yet; a host's `certificates` are named from `directory`."""
        self._base = directory or Path()
        self._guard = threading.Lock()
        self._engines: dict[HostName, DockerEngine] = {}
        self._opening: dict[HostName, threading.Lock] = {}
        self._directory: TunnelDirectory | None = None

    def connect(self, host: HostSpec) -> "DockerEngine":
        """The host's engine, opened and greeted once; raises UnreachableError.

        A host that could not be reached is tried again by the next call.
        """
        with self._guard:
            opening = self._opening.setdefault(host.name, threading.Lock())
        with opening:
            with self._guard:
                known = self._engines.get(host.name)
            if known is not None:
                return known
            engine = self._open(host)
            with self._guard:
                self._engines[host.name] = engine
            return engine

    def connect_all(
        self, hosts: Sequence[HostSpec]
    ) -> dict[HostName, "DockerEngine | UnderwayError"]:
        """All hosts at once; a host that cannot be reached has its error as its value.

        Raises ConfigurationError for a URL that means no engine: no host will come back for it.
        """
        if not hosts:
            return {}
        with ThreadPoolExecutor(min(_PARALLEL, len(hosts))) as pool:
            futures = {host.name: pool.submit(self.connect, host) for host in hosts}
        found: dict[HostName, DockerEngine | UnderwayError] = {}
        for name, future in futures.items():
            try:
                found[name] = future.result()
            except ConfigurationError:
                raise
            except UnderwayError as error:
                found[name] = error
        return found

    def close(self) -> None:
        """Close every engine, tunnel and socket of the run; never raises."""
        with self._guard:
            engines, self._engines = list(self._engines.values()), {}
            directory, self._directory = self._directory, None
        for engine in engines:
            engine.close()
        if directory is not None:
            directory.remove()

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        self.close()

    def _open(self, host: HostSpec) -> "DockerEngine":
        from underway.adapters.engine import Connection, DockerEngine  # noqa: PLC0415 - docker-py

        connection = Connection(host.name, self._route(host))
        try:
            connection.open()
        except UnderwayError:
            connection.close()
            raise
        return DockerEngine(connection)

    def _route(self, host: HostSpec) -> "Route":
        named = host.certificates
        certificates = str(self._base / Path(named).expanduser()) if named else ""
        endpoint = endpoint_of(host.url, certificates=certificates)
        match endpoint:
            case UnixEndpoint(path):
                from underway.adapters.engine import UnixRoute  # noqa: PLC0415 - docker-py

                return UnixRoute(host.name, path)
            case SshEndpoint():
                from underway.adapters.ssh import SshRoute  # noqa: PLC0415 - only fleets need it

                return SshRoute(host.name, endpoint, self._tunnels())
            case TcpEndpoint():
                from underway.adapters.tls import TlsRoute  # noqa: PLC0415 - only fleets need it

                return TlsRoute(host.name, endpoint, self._tunnels())

    def _tunnels(self) -> "TunnelDirectory":
        from underway.adapters.tunnel import TunnelDirectory  # noqa: PLC0415 - only fleets need it

        with self._guard:
            if self._directory is None:
                self._directory = TunnelDirectory()
            return self._directory
