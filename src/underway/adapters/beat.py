"""Attached containers that live as long as their client: kept alive by a beat, and echoing it.

The lock of an app on one host is one; the leash that a one-off command runs on is another.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from underway.adapters.engine import DockerEngine
from underway.adapters.engine.connection import Call
from underway.adapters.engine.containers import send_creation
from underway.adapters.engine.streams import FrameParser, RawStream
from underway.errors import EngineError, LockLostError, UnderwayError, UnreachableError
from underway.model.names import ContainerName, HostName

BEAT_S: Final = 2.0
CONFIRMED_WITHIN_S: Final = 8.0
"""Less than the container's own patience (10 s): we stop before anybody else can start."""
_FIRST_ECHO_S: Final = 15.0
_SEND_S: Final = 5.0
_CREATE_S: Final = 60.0
_GONE_S: Final = 10.0
_POLL_S: Final = 0.05
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
LOCK_SCRIPT: Final = (
    "while IFS= read -r -t ${UNDERWAY_LOCK_SILENCE_S:-10} line; do "
    "printf '%s\\n' \"$line\" || break; done"
)
"""Lives as long as its client: echoes each beat, ends with its input, or when it stays silent."""
LEASH_GRACE_S: Final = 10
_LEASH_END: Final = f"""
kill -TERM -1 2>/dev/null
for _ in $(seq {LEASH_GRACE_S * 5}); do
  set -- /proc/[0-9]*
  [ $# -gt 1 ] || exit 0
  sleep 0.2
done
"""
"""Whoever shares its processes is told to end, and given time: the kernel kills them with it."""


@dataclass(frozen=True, slots=True)
class Attached:
    """What an attached container does besides living: its script, and what that may."""

    what: str
    script: str
    capabilities: tuple[str, ...] = ()


LOCK: Final = Attached("take the lock", LOCK_SCRIPT)
LEASH: Final = Attached("make a leash", f"{LOCK_SCRIPT}\n{_LEASH_END}", ("KILL",))


def awake_time() -> float:
    """Seconds that grow while the machine sleeps too, where the system can tell."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class HostLock:
    """Made means that nobody else gets it; it is held once it is confirmed.

    Ends with its process, its connection, or `release`.
    """

    def __init__(
        self,
        engine: DockerEngine,
        name: ContainerName,
        image: str,
        labels: Mapping[str, str],
        kind: Attached = LOCK,
    ) -> None:
        """Create it; attach and start it aside.

        Raises EngineError `name-taken` where somebody holds it.
        """
        self._engine = engine
        self._id = _create(engine, name, image, labels, kind)
        self._stream: RawStream | None = None
        self._confirmed_at = 0.0
        self._ended = ""
        self._failure: UnderwayError | None = None
        self._released = threading.Event()
        self._confirmed = threading.Event()
        self._started = threading.Event()
        threading.Thread(target=self._live, daemon=True).start()

    @property
    def host(self) -> HostName:
        """The host."""
        return self._engine.host

    def fence(self, check: Callable[[], None] | None) -> None:
        """See `Connection.fence`."""
        self._engine.connection.fence(check)

    def doubt(self) -> str:
        """Why the lock may be lost, or "" while it is confirmed."""
        if self._ended:
            return self._ended
        if self._released.is_set():
            return "it was given back"
        age_s = awake_time() - self._confirmed_at
        if age_s > CONFIRMED_WITHIN_S:
            return f"the host has not confirmed it for {age_s:.0f} s"
        return ""

    def release(self) -> None:
        """Give it back and see the container gone; never raises. Again changes nothing."""
        if self._released.is_set():
            return
        self._released.set()
        if self._stream is not None:
            self._stream.close()
        with suppress(UnderwayError):
            self._engine.remove(self._id)
            deadline = time.monotonic() + _GONE_S
            while self._engine.container(self._id) and time.monotonic() < deadline:
                time.sleep(_POLL_S)

    def confirm(self) -> None:
        """Wait until it has echoed once.

        Raises what kept it from starting, or UnreachableError `host-unreachable`.
        """
        self._started.wait()
        if self._failure is not None:
            raise self._failure
        if not self._confirmed.wait(_FIRST_ECHO_S) or self._ended:
            raise UnreachableError(
                "host-unreachable",
                f"{self.host}: the lock could not be confirmed",
                cause=self._ended or "no echo",
                hint="Look at the host's load and its engine, then run again.",
            )

    def _live(self) -> None:
        """Attach, start, and beat until the stream ends."""
        try:
            stream = self._start()
        except UnderwayError as error:
            self._failure = self._taken_by_another(error)
            self._ended = f"it could not be started: {error}"
            if self._stream is not None:
                self._stream.close()
            return
        finally:
            self._started.set()
        try:
            self._exchange(stream)
        except (OSError, UnderwayError) as error:
            self._ended = f"the connection to it broke: {error}"
        self._ended = self._ended or "its container ended"
        self._confirmed.set()

    def _start(self) -> RawStream:
        path = f"/containers/{self._id}/attach?stream=1&stdin=1&stdout=1"
        stream = self._stream = RawStream(self._engine.connection, path, "attach to the lock")
        self._engine.start(self._id)
        if self._released.is_set():
            stream.close()
        return stream

    def _taken_by_another(self, error: UnderwayError) -> UnderwayError:
        """A claim that is gone before it started waited so long that it was taken for dead."""
        if not isinstance(error, EngineError) or error.status != _NOT_FOUND:
            return error
        return LockLostError(
            "lock-lost",
            f"{self.host}: somebody else took the lock before it could start here",
            cause="the engine took too long to start it",
            hint="Nothing was changed. Run the command again.",
        )

    def _exchange(self, stream: RawStream) -> None:
        """Send a beat, listen for echoes until the next is due."""
        parser, rest, number = FrameParser(), b"", 0
        sent: dict[bytes, float] = {}
        while not self._released.is_set():
            number += 1
            sent[str(number).encode()] = awake_time()
            stream.send(b"%d\n" % number, timeout_s=_SEND_S)
            due = time.monotonic() + BEAT_S
            while True:
                try:
                    data = stream.receive(deadline=due)
                except TimeoutError:
                    break
                if not data:
                    return
                rest += b"".join(frame.payload for frame in parser.feed(data))
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    if line in sent:
                        self._confirmed_at = sent.pop(line)
                        self._confirmed.set()


def age_s(engine: DockerEngine, container_id: str) -> float:
    """How long ago a container was created, by the host's own clock; 0 if it is gone."""
    body: dict[str, Any] | None = engine.connection.find(
        f"/containers/{container_id}/json", "inspect the lock"
    )
    if body is None:
        return 0.0
    now = datetime.fromisoformat(_microseconds(engine.facts().clock))
    return (now - datetime.fromisoformat(_microseconds(body["Created"]))).total_seconds()


def _create(
    engine: DockerEngine,
    name: ContainerName,
    image: str,
    labels: Mapping[str, str],
    kind: Attached,
) -> str:
    body = {
        "Image": image,
        "Entrypoint": ["bash", "-c", kind.script],
        "Cmd": [],
        "Labels": dict(labels),
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": {
            "AutoRemove": True,
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "CapAdd": list(kind.capabilities),
            "SecurityOpt": ["no-new-privileges"],
            "LogConfig": {"Type": "none"},
        },
    }
    call = Call("POST", "/containers/create", kind.what, {"name": name}, body, timeout_s=_CREATE_S)
    try:
        return str(send_creation(engine.connection, call)["Id"])
    except EngineError as error:
        if error.status == _CONFLICT:
            raise EngineError("name-taken", error.message, status=error.status) from error
        raise


def _microseconds(moment: str) -> str:
    """RFC 3339 with nanoseconds, as `datetime` can read it."""
    head, dot, tail = moment.partition(".")
    digits = tail.rstrip("Z").partition("+")[0][:6]
    zone = "+" + tail.partition("+")[2] if "+" in tail else "Z"
    return f"{head}.{digits}{zone}" if dot else moment
