"""A route to an engine over SSH: one tunnel per host, opened again if it broke, bounded."""

import shlex
import threading
import time
from pathlib import Path
from typing import Final

from underway.adapters.dial import DialTunnel
from underway.adapters.endpoint import SshEndpoint
from underway.adapters.program import run_program
from underway.adapters.ssh_diagnosis import diagnosis
from underway.adapters.tunnel import (
    CONNECT_S,
    RECONNECT_S,
    Tunnel,
    TunnelDirectory,
    answers,
    ssh_argv,
)
from underway.errors import UnreachableError
from underway.model.look import Way
from underway.model.names import HostName

_REOPENINGS: Final = 20
_QUIET_S: Final = 5.0
_SILENT_S: Final = 30.0
"""A host that let a login run into its deadline costs each try as much; a refusal costs nothing."""
_DIAGNOSE_S: Final = 20.0
_NO_SOCKET: Final = 91
_NO_RIGHT: Final = 92


class SshRoute:
    """`Route` over SSH. Safe to use from several threads at once."""

    def __init__(self, host: HostName, endpoint: SshEndpoint, directory: TunnelDirectory) -> None:
        """Nothing is opened yet; sockets will lie in `directory`."""
        self._host = host
        self._endpoint = endpoint
        self._directory = directory
        self._guard = threading.Lock()
        self._tunnel: Tunnel | DialTunnel | None = None
        self._openings = 0
        self._was_open = False
        self._failure: UnreachableError | None = None
        self._failed_at = 0.0

    @property
    def way(self) -> Way:
        """Forwarding, or `dial-stdio` where the server forbids it."""
        with self._guard:
            return Way.DIAL if isinstance(self._tunnel, DialTunnel) else Way.SSH

    def socket_path(self) -> Path:
        """A socket that leads to the engine; UnreachableError.

        A host that just failed is not asked again for a while (5 s after a refusal, 30 s after a
        silence), so that many calls to a dead host fail at once instead of one after the other.
        """
        with self._guard:
            if self._tunnel is not None and self._tunnel.is_alive:
                return self._tunnel.socket_path
            if self._failure is not None and self._is_quiet(self._failure):
                raise self._failure
            try:
                self._open()
            except UnreachableError as error:
                self._failure, self._failed_at = error, time.monotonic()
                raise
            self._failure, self._was_open = None, True
            assert self._tunnel is not None  # noqa: S101 - opened above
            return self._tunnel.socket_path

    def close(self) -> None:
        """End the tunnel; never raises."""
        with self._guard:
            self._drop()

    def _is_quiet(self, failure: UnreachableError) -> bool:
        quiet_s = _SILENT_S if failure.code == "ssh-timeout" else _QUIET_S
        return time.monotonic() - self._failed_at < quiet_s

    def _drop(self) -> None:
        if self._tunnel is not None:
            self._tunnel.close()
        self._tunnel = None

    def _open(self) -> None:
        self._drop()
        self._openings += 1
        if self._openings > _REOPENINGS:
            raise UnreachableError(
                "ssh-failed",
                f"{self._host}: the SSH connection broke {_REOPENINGS} times in this run",
                hint="Mend the network between this machine and the host, then run again.",
            )
        connect_s = RECONNECT_S if self._was_open else CONNECT_S
        tunnel = Tunnel(self._endpoint, self._directory.new_socket(), connect_s=connect_s)
        if not tunnel.await_socket():
            tunnel.close()
            raise diagnosis(self._host, self._endpoint, tunnel.stderr or "timed out")
        if answers(tunnel.socket_path):
            self._tunnel = tunnel
            return
        tunnel.close()
        self._look_at_socket()
        self._tunnel = self._dialled()

    def _dialled(self) -> DialTunnel:
        """The second way: the socket is there, so the server may forbid forwarding to it."""
        dial = DialTunnel(self._endpoint, self._directory.new_socket())
        if answers(dial.socket_path, login_s=CONNECT_S):
            return dial
        dial.close()
        if "not found" in dial.stderr:
            raise UnreachableError(
                "ssh-forwarding",
                f"{self._host}: the engine's socket is there, but SSH does not forward to it",
                cause=f"and `docker system dial-stdio` there says: {dial.stderr.strip()}",
                hint="Allow `AllowStreamLocalForwarding` in sshd_config, or install the Docker CLI"
                " on the host.",
            )
        raise UnreachableError(
            "host-unreachable",
            f"{self._host}: SSH works, but the Docker engine does not answer",
            cause=dial.stderr.strip(),
            hint="Look at the engine on the host (`systemctl status docker`).",
        )

    def _look_at_socket(self) -> None:
        """Logged in, but no engine answers: ask the host whether it can."""
        path = self._endpoint.socket
        quoted = shlex.quote(path)
        script = (
            f"[ -S {quoted} ] || exit {_NO_SOCKET};"
            f" [ -r {quoted} ] && [ -w {quoted} ] || exit {_NO_RIGHT}"
        )
        argv = ssh_argv(self._endpoint, ["-n", "-T"], f"sh -c {shlex.quote(script)}")
        result = run_program(argv, timeout_s=_DIAGNOSE_S)
        if result.exit_code == _NO_SOCKET:
            raise UnreachableError(
                "engine-missing",
                f"{self._host}: there is no socket {path} on the host",
                hint="Install or start Docker on the host.",
            )
        if result.exit_code == _NO_RIGHT:
            user = self._endpoint.user or "the user"
            raise UnreachableError(
                "engine-denied",
                f"{self._host}: {self._endpoint.destination} may not use the Docker engine",
                cause=f"no permission for {path}",
                hint=f"Add {user} to the `docker` group on the host, then log in anew.",
            )
