"""Exit statuses of the edge's scripts, translated into the error tree."""

from enum import IntEnum
from typing import Final

from underway.errors import (
    ConfigurationError,
    EngineError,
    IntegrityError,
    LockedError,
    RefusedError,
    StepFailedError,
    UnderwayError,
)
from underway.model.names import HostName
from underway.ports.output import ExecResult


class ScriptExit(IntEnum):
    """The exit statuses, as `tools-image/scripts/edge-common.bash` sets them."""

    BUNDLE = 20
    NEWER_RUN = 21
    HOST_TAKEN = 22
    INVALID = 23
    RELOAD = 24
    RUNTIME = 25
    BUSY = 26
    NOT_RUNNING = 27
    IN_USE = 28
    SUCCEEDED = 29
    STAYED = 30


_ENGINE_CODES: Final[dict[int, str]] = {
    ScriptExit.RELOAD: "edge-reload-failed",
    ScriptExit.RUNTIME: "edge-change-refused",
    ScriptExit.NOT_RUNNING: "edge-not-running",
    ScriptExit.SUCCEEDED: "edge-not-running",
}


def refusal(host: HostName, result: ExecResult) -> UnderwayError:
    """The error that a script's exit status and message mean."""
    lines = tuple(result.stderr.decode(errors="replace").strip().splitlines())
    said = lines[0] if lines else f"exit status {result.exit_code}"
    match result.exit_code:
        case ScriptExit.BUNDLE:
            return IntegrityError(
                "edge-change-incomplete",
                f"the change did not reach the proxy of {host} whole; nothing changed",
                cause=said,
                hint="Run the command again.",
            )
        case ScriptExit.NEWER_RUN:
            return RefusedError(
                "newer-run",
                f"{host}: {said}",
                hint="Look with `underway status` at what the newer run did, then plan again.",
            )
        case ScriptExit.HOST_TAKEN:
            return _taken(host, said, lines[1] if len(lines) > 1 else "another app")
        case ScriptExit.INVALID:
            return ConfigurationError(
                "edge-config-invalid",
                f"the proxy of {host} refuses the configuration; nothing changed",
                hint="Change what it names under x-underway.proxy.",
                detail=lines,
            )
        case ScriptExit.BUSY:
            return LockedError(
                "edge-busy", f"{host}: {said}", hint="Run the command again in a moment."
            )
        case _:
            return _failure(host, result.exit_code, lines or (said,))


def _taken(host: HostName, what: str, owner: str) -> RefusedError:
    """A host name, or the address and port of a listener, that another app has."""
    if ":" in what:
        return RefusedError(
            "listener-taken",
            f"{what} on edge {host} is held by {owner}",
            hint=f"Let the service use another port, or remove it from {owner} first.",
        )
    return RefusedError(
        "host-taken",
        f"{what} belongs to {owner} on edge {host}",
        hint=f"Take another host name, or remove it from {owner} first.",
    )


def _failure(host: HostName, exit_code: int, lines: tuple[str, ...]) -> UnderwayError:
    said = lines[0]
    if exit_code == ScriptExit.STAYED:
        return StepFailedError(
            "edge-renewal-failed",
            f"{host}: the new proxy does not take over; the one before serves on",
            cause=said,
            hint="Look at `docker logs underway-edge-next` there; `--keep-proxy` leaves the "
            "proxy as it is for now.",
            detail=lines[1:],
        )
    return EngineError(
        _ENGINE_CODES.get(exit_code, "edge-script-failed"),
        f"{host}: {said}",
        hint="Look at the logs of the container underway-edge, then run it again.",
    )
