"""One SSH tunnel to a host's engine, as a process that cannot outlive its client.

The tunnel is the user's own OpenSSH client. A small shell stands between: it waits for the end of
its standard input, which comes however this process ends (`kill -9` too), and then ends ssh and
removes the socket. (The kernel's parent-death signal would not do: it is bound to the thread that
started the child, and tunnels are opened by pool threads that end before them.)
"""

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from underway.adapters.endpoint import SshEndpoint
from underway.adapters.program import end_group
from underway.errors import UnreachableError

CONNECT_S: Final = 20
"""A login takes up to 8 s over a line with 400 ms and 10 % loss there and back (measured)."""
RECONNECT_S: Final = 10
"""For a host that answered in this run already: its name is known and its way is short."""
_READY_S: Final = 30.0
_PING_S: Final = 10.0
_LISTENS_S: Final = 1.0
_POLL_S: Final = 0.01
_STDERR_LINES: Final = 50
_PREFIX: Final = "underway-t-"
_YOUNG_S: Final = 60.0
_PING: Final = b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"

_WATCH: Final = """
socket=$1; shift
exec 3<&0
"$@" </dev/null 3<&- & tunnel=$!
{ read -r _ <&3; rm -f -- "$socket"; rmdir -- "${socket%/*}" 2>/dev/null; kill "$tunnel"; } &
watch=$!
exec 3<&-
wait "$tunnel"; status=$?
kill "$watch" 2>/dev/null
exit "$status"
"""


class TunnelDirectory:
    """A directory of mode 0700 for the run's sockets, under names nobody can guess."""

    def __init__(self) -> None:
        """Make it; short, because a socket's path may have 100 bytes only.

        It is held while its process lives; what killed ones left is removed.
        """
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        parent = Path(runtime if runtime and Path(runtime).is_dir() else tempfile.gettempdir())
        _remove_stale(parent)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._held = _hold(self.path)

    def new_socket(self) -> Path:
        """A path for one more socket."""
        return self.path / f"{secrets.token_hex(8)}.sock"

    def remove(self) -> None:
        """Remove it with all in it; never raises."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _remove_stale(parent: Path) -> None:
    """Remove directories of our user that nobody holds and that are not just being made."""
    for path in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            state = path.lstat()
            if state.st_uid != os.getuid() or time.time() - state.st_mtime < _YOUNG_S:
                continue
            held = _hold(path)
            if held is not None:
                shutil.rmtree(path, ignore_errors=True)
                os.close(held)


def _hold(path: Path) -> int | None:
    """A descriptor that locks a directory until this process ends; None if another holds it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


class Tunnel:
    """`ssh -L`: a local socket that leads to the engine's."""

    def __init__(
        self, endpoint: SshEndpoint, socket_path: Path, *, connect_s: int = CONNECT_S
    ) -> None:
        """Start ssh; UnreachableError `program-missing` where there is none."""
        self.socket_path = socket_path
        forward = f"{socket_path}:{endpoint.socket}"
        options = ["-nNT", "-o", "ExitOnForwardFailure=yes", "-L", forward]
        # The first value of an option counts.
        options[:0] = ["-o", f"ConnectTimeout={connect_s}"]
        argv = ["sh", "-c", _WATCH, "sh", str(socket_path), *ssh_argv(endpoint, options)]
        if shutil.which("ssh") is None:
            raise UnreachableError(
                "program-missing",
                "`ssh` cannot be run on this machine",
                hint="Install the OpenSSH client.",
            )
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._said: deque[str] = deque(maxlen=_STDERR_LINES)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def stderr(self) -> str:
        """What ssh said last."""
        return "\n".join(self._said)

    @property
    def is_alive(self) -> bool:
        """Whether ssh still runs and its socket is there."""
        return self._process.poll() is None and self.socket_path.exists()

    def await_socket(self) -> bool:
        """Wait until ssh has logged in and listens; False if it ended or took too long."""
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._listener.join(1)
                return False
            if self.socket_path.exists():
                return True
            time.sleep(_POLL_S)
        return False

    def close(self) -> None:
        """End ssh and remove the socket; never raises.

        The shell goes before its input ends: it would remove the directory too, which other
        tunnels of this run need.
        """
        end_group(self._process)
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        self._listener.join(1)
        self.socket_path.unlink(missing_ok=True)

    def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - made with a pipe above
        with self._process.stderr as pipe:
            for line in pipe:
                self._said.append(line.decode("utf-8", "replace").rstrip())


def ssh_argv(endpoint: SshEndpoint, options: Sequence[str], command: str = "") -> list[str]:
    """The ssh program's arguments: never asks, notices a dead peer, uses the user's configuration.

    A peer that is silent for nine seconds is dead: every call to it waits for that.
    `UNDERWAY_SSH_CONFIG` names another configuration file.
    """
    settings = {
        "BatchMode": "yes",
        "ConnectTimeout": str(CONNECT_S),
        "ControlMaster": "no",
        "ControlPath": "none",
        "LogLevel": "INFO",
        "RemoteCommand": "none",
        "RequestTTY": "no",
        "ServerAliveCountMax": "3",
        "ServerAliveInterval": "3",
    }
    config = os.environ.get("UNDERWAY_SSH_CONFIG", "")
    return [
        "ssh",
        *(["-F", config] if config else []),
        "-a",
        "-x",
        *options,
        *(part for key, value in settings.items() for part in ("-o", f"{key}={value}")),
        *(["-p", str(endpoint.port)] if endpoint.port else []),
        "--",
        endpoint.destination,
        *([command] if command else []),
    ]


def answers(path: Path, *, login_s: float = 0) -> bool:
    """Whether an engine answers behind a local socket, after a login of up to `login_s` seconds.

    A socket that was just made is refused until its program listens.
    """
    deadline = time.monotonic() + _LISTENS_S
    while True:
        try:
            return _pinged(path, _PING_S + login_s)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        except OSError:
            return False


def _pinged(path: Path, timeout_s: float) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(timeout_s)
        probe.connect(str(path))
        probe.sendall(_PING)
        return probe.recv(5) == b"HTTP/"
