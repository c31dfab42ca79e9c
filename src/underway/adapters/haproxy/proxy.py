"""HAProxy on one edge, reached by running the edge's scripts in its container."""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from underway.adapters.haproxy.bundle import Bundle, removal_bundle, upstream_bundle
from underway.adapters.haproxy.refusal import ScriptExit, refusal
from underway.adapters.haproxy.sessions_text import sessions_of
from underway.adapters.haproxy.state_text import edge_state
from underway.errors import EngineError
from underway.model.names import (
    EDGE_CONTAINER,
    EDGE_SUCCESSOR,
    AppName,
    ContainerName,
    HostName,
    RunNumber,
    ServiceName,
)
from underway.model.traffic import EdgeState, ServerMode, Sessions, Upstream
from underway.ports import CommandRunner
from underway.ports.output import ExecResult

_QUESTION_TIMEOUT_S: Final = 30.0
# Waiting for the edge's lock, a reload and servers that linger, each with its own bound there.
_CHANGE_TIMEOUT_S: Final = 90.0
# How long changes by other apps may keep the edge's lock: a reload beside a drain takes 40 s.
_BUSY_S: Final = 90.0
_POLL_S: Final = 0.25
# What an engine answers where the container is missing, or is there and does not run.
_GONE: Final = 404
_ABSENT: Final = {_GONE, 409}
# The proxy is in another container: the script says so, or the container ended before (126) or in
# the midst of it (137).
_ELSEWHERE: Final = {ScriptExit.SUCCEEDED, 126, 137}
# Waiting for other apps' changes, the new proxy's start, and the word to the former one.
_READY_S: Final = 60.0
# How long nobody may speak for the edge while its proxy changes hands.
_SUCCESSION_S: Final = 10.0


class HaproxyProxy:
    """The proxy of one edge; see `ports.Proxy`. Holds no state, so threads may share it."""

    def __init__(self, engine: CommandRunner) -> None:
        """Reach the proxy on the host of this engine."""
        self._engine = engine

    @property
    def host(self) -> HostName:
        """The edge."""
        return self._engine.host

    def state(self, *, wait_s: float = 0.0) -> EdgeState | None:
        """What the running proxy serves, all apps; None where none runs for `wait_s` seconds.

        A proxy that has just started or reloaded gets that time to check its servers once.
        """
        deadline = time.monotonic() + wait_s
        while True:
            container, result = self._ask_if_running(["edge-state"])
            state = None if result is None else edge_state(self._text(result), container)
            if (state and not _is_checking(state)) or time.monotonic() >= deadline:
                return state
            time.sleep(_POLL_S)

    def apply(self, upstream: Upstream, run: RunNumber) -> None:
        """Make files and running proxy know exactly these servers of this service.

        Raises RefusedError `newer-run` or `host-taken`, ConfigurationError `edge-config-invalid`,
        EngineError `edge-reload-failed` or `edge-change-refused`.
        """
        self._change(upstream_bundle(upstream, run))

    def remove(self, app: AppName, service: ServiceName | None, run: RunNumber) -> None:
        """Forget a service, or with None the whole app; an unknown one is fine."""
        self._change(removal_bundle(app, service, run))

    def retire(self) -> bool:
        """Whether the proxy may be removed; see `ports.Proxy.retire`."""
        _, result = self._ask_if_running(["edge-retire"])
        if result is None:
            return True
        if result.exit_code == ScriptExit.IN_USE:
            return False
        self._text(result)
        return True

    def sessions(self, app: AppName, service: ServiceName) -> Mapping[str, Sessions]:
        """What each server still has, over all workers; servers with nothing may be absent."""
        result = self._ask(["edge-sessions", app, service])
        return sessions_of(self._text(result), app, service)

    def succeed(self) -> None:
        """Wait until the successor serves; see `ports.Proxy.succeed`."""
        command = ["edge-succeed", f"{_READY_S:g}"]
        deadline = time.monotonic() + _READY_S
        while True:
            try:
                result = self._engine.execute(
                    EDGE_SUCCESSOR, command, timeout_s=_READY_S + _QUESTION_TIMEOUT_S
                )
            except EngineError as error:
                if error.status not in _ABSENT:
                    raise
                _, seen = self._ask_if_running(["edge-succeed", "0"])
                if seen is not None and seen.exit_code == 0:
                    return  # another run gave it its name meanwhile
                if error.status == _GONE or time.monotonic() >= deadline:
                    raise
            else:
                if result.exit_code not in _ELSEWHERE or time.monotonic() >= deadline:
                    break
            time.sleep(_POLL_S)  # it failed, and its engine starts it again
        self._text(result)

    def _execute(
        self, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float
    ) -> tuple[ContainerName, ExecResult]:
        """Run a script where the edge's proxy is; one that changes hands is asked again.

        Raises the engine's error where neither container is there or runs.
        """
        began = time.monotonic()
        was_absent = False
        while True:
            try:
                container, result = self._execute_once(command, stdin, timeout_s)
            except EngineError as error:
                # A successor may get its name between the two questions.
                if error.status not in _ABSENT or was_absent:
                    raise
                was_absent = True
            else:
                is_over = time.monotonic() >= began + _SUCCESSION_S
                if result.exit_code not in _ELSEWHERE or is_over:
                    return container, result
            time.sleep(_POLL_S)

    def _execute_once(
        self, command: Sequence[str], stdin: bytes, timeout_s: float
    ) -> tuple[ContainerName, ExecResult]:
        found: ExecResult | EngineError | None = None
        for container in (EDGE_CONTAINER, EDGE_SUCCESSOR):
            try:
                result = self._engine.execute(container, command, stdin=stdin, timeout_s=timeout_s)
            except EngineError as error:
                if error.status not in _ABSENT:
                    raise
                found = found or error
                continue
            if result.exit_code not in _ELSEWHERE:
                return container, result
            found = result
        if isinstance(found, ExecResult):
            return EDGE_CONTAINER, found
        raise found or AssertionError

    def _ask(self, command: Sequence[str]) -> ExecResult:
        return self._execute(command, timeout_s=_QUESTION_TIMEOUT_S)[1]

    def _ask_if_running(self, command: Sequence[str]) -> tuple[ContainerName, ExecResult | None]:
        """The answer, or None where the container or the proxy in it does not run."""
        try:
            container, result = self._execute(command, timeout_s=_QUESTION_TIMEOUT_S)
        except EngineError as error:
            if error.status in _ABSENT:
                return EDGE_CONTAINER, None
            raise
        is_running = result.exit_code not in {ScriptExit.NOT_RUNNING, *_ELSEWHERE}
        return container, result if is_running else None

    def _change(self, bundle: Bundle) -> None:
        """Make a change; other apps' changes of the same edge are waited for."""
        command = ["edge-apply", bundle.digest]
        deadline = time.monotonic() + _BUSY_S
        while True:
            _, result = self._execute(command, stdin=bundle.content, timeout_s=_CHANGE_TIMEOUT_S)
            if result.exit_code != ScriptExit.BUSY or time.monotonic() >= deadline:
                break
            time.sleep(_POLL_S)
        self._text(result)

    def _text(self, result: ExecResult) -> str:
        if result.exit_code != 0:
            raise refusal(self.host, result)
        return result.stdout.decode()


def _is_checking(state: EdgeState) -> bool:
    """Whether a server takes requests that was never checked: it is neither up nor down yet."""
    return any(
        server.mode is ServerMode.READY and not server.check
        for upstream in state.upstreams
        for server in upstream.servers
    )
