"""The engine's socket over `docker system dial-stdio`, for servers that forbid forwarding.

A local socket is listened on; each connection to it gets an ssh of its own, whose input and output
are the engine's. These end with this process: their input ends.
"""

import socket
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from underway.adapters.endpoint import SshEndpoint
from underway.adapters.program import end_group
from underway.adapters.tunnel import ssh_argv

_CHUNK: Final = 65536
_COMMAND: Final = "docker system dial-stdio"


class DialTunnel:
    """A local socket, each connection of which is one `docker system dial-stdio`."""

    def __init__(self, endpoint: SshEndpoint, socket_path: Path) -> None:
        """Listen; nothing is dialled before the first connection."""
        self.socket_path = socket_path
        self._endpoint = endpoint
        self._guard = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._closed = False
        self.stderr = ""
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(socket_path))
        self._server.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def is_alive(self) -> bool:
        """Whether it still listens."""
        return not self._closed

    def close(self) -> None:
        """End every connection and its ssh; never raises."""
        with self._guard:
            self._closed = True
            processes = list(self._processes)
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for process in processes:
            end_group(process)
        self.socket_path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._dial, args=(connection,), daemon=True).start()

    def _dial(self, connection: socket.socket) -> None:
        with connection:
            process = subprocess.Popen(
                ssh_argv(self._endpoint, ["-T"], _COMMAND),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            with self._guard:
                self._processes.add(process)
            pumps = [
                threading.Thread(target=target, args=(process, connection), daemon=True)
                for target in (_upwards, self._listen)
            ]
            for pump in pumps:
                pump.start()
            _downwards(process, connection)
            end_group(process)
            with self._guard:
                self._processes.discard(process)

    def _listen(self, process: subprocess.Popen[bytes], _: socket.socket) -> None:
        assert process.stderr is not None  # noqa: S101 - made with a pipe above
        with process.stderr as pipe:
            said = pipe.read().decode("utf-8", "replace")
        if said:
            self.stderr = said


def _upwards(process: subprocess.Popen[bytes], connection: socket.socket) -> None:
    """Client to engine; the end of the client's half is passed on."""
    assert process.stdin is not None  # noqa: S101 - made with a pipe
    with suppress(OSError, ValueError):
        while data := connection.recv(_CHUNK):
            process.stdin.write(data)
            process.stdin.flush()
    with suppress(OSError, ValueError):
        process.stdin.close()


def _downwards(process: subprocess.Popen[bytes], connection: socket.socket) -> None:
    """Engine to client, until the engine ends."""
    assert process.stdout is not None  # noqa: S101 - made with a pipe
    with suppress(OSError, ValueError):
        while data := process.stdout.read1(_CHUNK):  # type: ignore[attr-defined]
            connection.sendall(data)
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
