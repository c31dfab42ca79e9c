"""A route to an engine over TCP with TLS: a local socket, each connection of which is one TLS.

Everything else of Underway speaks to a local socket, as over SSH: streams that are taken over by
an exec end their own half while the other half goes on, which TLS says by its closing alert.
"""

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from underway.adapters.certificates import client_context
from underway.adapters.endpoint import TcpEndpoint
from underway.adapters.tls_diagnosis import denial, diagnosis
from underway.adapters.tunnel import TunnelDirectory
from underway.model.look import Way
from underway.model.names import HostName

_CONNECT_S: Final = 20.0
_CHUNK: Final = 65536
_PING: Final = b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"


class TlsRoute:
    """`Route` over TLS. Safe to use from several threads at once."""

    def __init__(self, host: HostName, endpoint: TcpEndpoint, directory: TunnelDirectory) -> None:
        """Nothing is opened yet; the socket will lie in `directory`."""
        self._host = host
        self._endpoint = endpoint
        self._directory = directory
        self._guard = threading.Lock()
        self._tunnel: TlsTunnel | None = None

    @property
    def way(self) -> Way:
        """TLS."""
        return Way.TLS

    def socket_path(self) -> Path:
        """A socket that leads to the engine; ConfigurationError, UnreachableError."""
        with self._guard:
            if self._tunnel is None:
                context = client_context(self._endpoint.certificates)
                self._try(context)
                path = self._directory.new_socket()
                self._tunnel = TlsTunnel(self._endpoint, context, path)
            return self._tunnel.path

    def close(self) -> None:
        """End the tunnel; never raises."""
        with self._guard:
            if self._tunnel is not None:
                self._tunnel.close()
            self._tunnel = None

    def _try(self, context: ssl.SSLContext) -> None:
        """Ask the engine once, so that what is wrong with the way is told as such.

        With TLS 1.3 an engine looks at our certificate when our side has shaken hands already: one
        that refuses it ends the connection instead of answering, with an alert that may be lost.
        """
        try:
            with (
                _dialled(self._endpoint) as raw,
                context.wrap_socket(raw, server_hostname=self._endpoint.host) as tls,
            ):
                try:
                    tls.sendall(_PING)
                    is_answered = bool(tls.recv(1))
                except (ssl.SSLError, ConnectionError) as error:
                    raise denial(self._host, self._endpoint, error) from error
        except OSError as error:
            raise diagnosis(self._host, self._endpoint, error) from error
        if not is_answered:
            raise denial(self._host, self._endpoint, EOFError("it ends the connection"))


class TlsTunnel:
    """A local socket; each connection to it is one of TLS to the engine."""

    def __init__(self, endpoint: TcpEndpoint, context: ssl.SSLContext, path: Path) -> None:
        """Listen; nothing is dialled before the first connection."""
        self.path = path
        self._endpoint = endpoint
        self._context = context
        self._closed = False
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """End every connection; never raises."""
        with self._guard:
            self._closed = True
            connections = [self._server, *self._open]
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while True:
            try:
                local, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(local,), daemon=True).start()

    def _carry(self, local: socket.socket) -> None:
        """One connection from its beginning to its end; a way that is broken ends it at once."""
        with local, suppress(OSError), _dialled(self._endpoint) as raw:
            with self._guard:
                if self._closed:
                    return
                self._open |= {local, raw}
            try:
                _Exchange(local, raw, self._context, self._endpoint.host).run()
            finally:
                with self._guard:
                    self._open -= {local, raw}


class _Exchange:
    """Both directions of one connection, each in a thread of its own.

    One thread may wait in a send while the other must go on reading, so that TLS works on memory
    here and neither holds its state while it waits for a socket. What TLS wrote leaves in the order
    in which it was written, and what came reaches the client so: `_leaving` and `_arriving` are
    held until it is sent.
    """

    def __init__(
        self, local: socket.socket, raw: socket.socket, context: ssl.SSLContext, name: str
    ) -> None:
        self._local = local
        self._raw = raw
        self._came = ssl.MemoryBIO()
        self._goes = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._goes, server_hostname=name)
        self._state = threading.Lock()
        self._leaving = threading.Lock()
        self._arriving = threading.Lock()

    def run(self) -> None:
        """Shake hands, then carry until the engine ends; raises OSError if the way breaks."""
        self._raw.settimeout(_CONNECT_S)
        self._shake_hands()
        self._raw.settimeout(None)
        upwards = threading.Thread(target=self._upwards, daemon=True)
        upwards.start()
        try:
            self._downwards()
        finally:
            for end in (self._local, self._raw):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            upwards.join()

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._take(self._raw.recv(_CHUNK))
            else:
                self._flush()
                return

    def _upwards(self) -> None:
        """Client to engine; the end of the client's half is passed on, and the rest goes on."""
        with suppress(OSError):
            while data := self._local.recv(_CHUNK):
                with self._leaving:
                    with self._state:
                        self._tls.write(data)
                    self._flush()
            self._end_half()

    def _end_half(self) -> None:
        """Send the closing alert, and go on reading.

        Python looks for the engine's own alert at once, and takes data that is there instead for
        an error that ends both directions: what has come is read before.
        """
        came = []
        with self._arriving, self._leaving:
            with self._state:
                with suppress(ssl.SSLError):
                    while data := self._tls.read(_CHUNK):
                        came.append(data)
                with suppress(ssl.SSLError):
                    self._tls.unwrap()
            self._flush()
            self._local.sendall(b"".join(came))

    def _downwards(self) -> None:
        """Engine to client, until the engine ends."""
        while True:
            with self._arriving:
                data, is_over = self._read()
                self._local.sendall(data)
            if is_over:
                return
            if not data:
                self._take(self._raw.recv(_CHUNK))

    def _read(self) -> tuple[bytes, bool]:
        """What TLS has for the client, and whether the engine has ended."""
        try:
            with self._state:
                data = self._tls.read(_CHUNK)
        except ssl.SSLWantReadError:
            return b"", False
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b"", True
        return data, not data

    def _take(self, data: bytes) -> None:
        with self._state:
            if data:
                self._came.write(data)
            else:
                self._came.write_eof()

    def _flush(self) -> None:
        with self._state:
            data = self._goes.read()
        if data:
            self._raw.sendall(data)


def _dialled(endpoint: TcpEndpoint) -> socket.socket:
    raw = socket.create_connection((endpoint.host, endpoint.port), timeout=_CONNECT_S)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 3), ("TCP_KEEPINTVL", 3), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):  # The names are Linux's.
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw
