"""The border: what the Engine API and its transport say, told as errors of `underway.errors`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from underway.errors import EngineError, UnderwayError, UnreachableError
from underway.model.names import HostName

_REGISTRY_SILENT: Final = (
    "connection refused",
    "connection reset",
    "no such host",
    "no route to host",
    "network is unreachable",
    "i/o timeout",
    "tls handshake timeout",
    "client.timeout exceeded",
    "context deadline exceeded",
    "server misbehaving",
    "gave http response to https client",
    "x509:",
    "unexpected eof",
    ": eof",
)
_REGISTRY_DENIES: Final = (
    "unauthorized",
    "access denied",
    "denied:",
    "no basic auth credentials",
    "authentication required",
)
_IMAGE_MISSING: Final = (
    "no such image",
    "manifest unknown",
    "manifest for",
    "name unknown",
    "does not exist locally",
)
_IN_USE: Final = ("volume is in use", "has active endpoints", "is being used by")

_RULES: Final[tuple[tuple[str, tuple[str, ...], str], ...]] = (
    (
        "no-space",
        ("no space left on device", "disk quota exceeded"),
        "Free space on the host (`docker system df` there shows what takes it).",
    ),
    (
        "port-taken",
        ("port is already allocated", "failed to bind host port", "bind: address already in use"),
        "Stop what listens there, or publish another port.",
    ),
    (
        "subnet-taken",
        (
            "pool overlaps",
            "conflicts with network",
            "overlaps with other",
            "failed to allocate gateway",
        ),
        "Give the network another subnet, or remove the network that holds this one.",
    ),
    (
        "address-taken",
        ("address already in use", "address is already in use"),
        "Another container holds the address; run the command again to plan another one.",
    ),
    ("image-missing", _IMAGE_MISSING, "Build and push the image, or check its name."),
    ("container-missing", ("no such container",), "Run the command again: it looks anew."),
    ("container-not-running", ("is not running",), "Look at its logs for why it ended."),
    ("still-in-use", _IN_USE, "Stop what uses it first."),
    (
        "image-lacks-program",
        ("executable file not found",),
        "Correct `command` or `entrypoint`, or put the program into the image.",
    ),
    (
        "image-lacks-user",
        ("unable to find user", "unable to find group"),
        "Correct `user`, or make the user in the Dockerfile.",
    ),
    (
        "engine-lacks",
        (
            "logging plugin",
            "could not select device driver",
            "unknown or invalid runtime",
            "volume plugin",
            "unknown runtime",
        ),
        "Install it on the host, or change the key in the file.",
    ),
    (
        "engine-takes-not",
        ("minimum memory limit", "not in a separate kernel namespace", "range of cpus is from"),
        "Give the key in the file a value that the engine takes.",
    ),
)
_WRAPPINGS: Final = (
    "failed to create task for container: ",
    "failed to create shim task: ",
    "OCI runtime create failed: ",
    "runc create failed: ",
    "unable to start container process: ",
    "Error response from daemon: ",
)


def refusal(host: HostName, what: str, status: int, message: str) -> EngineError:
    """The error for an answer of the engine; `what` says what was tried."""
    text = _plain(message) or f"status {status}"
    lowered = text.lower()
    for code, signs, hint in _RULES:
        if any(sign in lowered for sign in signs):
            return EngineError(code, f"{host}: {what}: {text}", status=status, hint=hint)
    return EngineError(
        "engine-refused",
        f"{host}: {what}: {text}",
        status=status,
        hint="The engine's log on the host tells more (`journalctl -u docker`).",
    )


def _plain(message: str) -> str:
    """What an engine says, without the names of the programs that it passed it on for."""
    text = message.strip()
    for wrapping in _WRAPPINGS:
        text = text.replace(wrapping, "")
    text = text.removesuffix(": unknown")
    first, _, rest = text.partition(": ")
    return first if rest == first else text


def registry_refusal(host: HostName, what: str, status: int, message: str) -> UnderwayError:
    """The error for an answer that the engine passes on from a registry."""
    lowered = message.lower()
    if any(sign in lowered for sign in _IMAGE_MISSING):
        return refusal(host, what, status, message)
    if any(sign in lowered for sign in _REGISTRY_DENIES):
        return EngineError(
            "registry-denied",
            f"{host}: {what}: {message.strip()}",
            status=status,
            hint="Run `docker login` for this registry on the machine that runs Underway.",
        )
    if is_registry_silence(lowered):
        return UnreachableError(
            "registry-unreachable",
            f"{host}: {what}: the registry does not answer",
            cause=message.strip(),
            hint="Check from the host that the registry's name and port can be reached.",
        )
    return refusal(host, what, status, message)


def is_registry_silence(lowered: str) -> bool:
    """Whether a message, in lower case, says that a registry could not be reached."""
    return any(sign in lowered for sign in _REGISTRY_SILENT)


def silence(host: HostName, what: str, error: BaseException) -> UnreachableError:
    """The error for an engine that did not answer, or whose connection broke."""
    reason = _reason(error)
    lowered = f"{error} {reason}".lower()
    if "permission denied" in lowered:
        return UnreachableError(
            "engine-denied",
            f"{host}: this user may not use the Docker engine's socket",
            cause=reason,
            hint="Add the user to the `docker` group and log in anew, or run it as one who may.",
        )
    if "connection refused" in lowered:
        return UnreachableError(
            "host-unreachable",
            f"{host}: nothing listens on the Docker engine's socket",
            cause=reason,
            hint=f"Start the engine of {host} (`systemctl start docker`), or correct its URL.",
        )
    late = "timed out" in lowered or isinstance(error, TimeoutError)
    return UnreachableError(
        "host-unreachable",
        f"{host}: {what}: the engine " + ("did not answer in time" if late else "does not answer"),
        cause=reason,
        hint=f"Check that the host is up and its Docker engine runs, then run again ({host}).",
    )


@contextmanager
def border(host: HostName, what: str) -> Iterator[None]:
    """Translate what the transport raises inside the block."""
    import requests  # noqa: PLC0415 - heavy, and loaded with the first connection anyway
    import urllib3  # noqa: PLC0415 - as above

    try:
        yield
    except (
        requests.exceptions.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
    ) as error:
        raise silence(host, what, error) from error


def _reason(error: BaseException) -> str:
    """The innermost message of a chain of wrapped transport errors."""
    inner = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__ or inner
    return str(inner) or type(inner).__name__
