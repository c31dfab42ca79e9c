"""Which engine a host's URL means: `unix://`, `ssh://`, a Docker context, or this machine's own."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from underway.errors import ConfigurationError

_DEFAULT_SOCKET: Final = "unix:///var/run/docker.sock"
_HINT: Final = "Write `ssh://user@host`, `unix:///path/docker.sock` or a Docker context's name."


@dataclass(frozen=True, slots=True)
class UnixEndpoint:
    """An engine at a socket of this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class SshEndpoint:
    """An engine behind SSH. `user` "" and `port` 0 leave the choice to the SSH configuration."""

    host: str
    user: str = ""
    port: int = 0
    socket: str = "/var/run/docker.sock"

    @property
    def destination(self) -> str:
        """`user@host`, as the ssh program takes it."""
        return f"{self.user}@{self.host}" if self.user else self.host


Endpoint = UnixEndpoint | SshEndpoint


def endpoint_of(url: str, environ: Mapping[str, str] | None = None) -> Endpoint:
    """Understand a host's URL; "" and `local` mean what `docker` itself would speak to.

    Raises ConfigurationError for what is no URL of an engine.
    """
    if url in {"", "local"}:
        url = _own_engine(os.environ if environ is None else environ)
    if "://" not in url:
        url = _context_url(url)
    scheme, _, rest = url.partition("://")
    if scheme == "unix":
        return _unix(url, rest)
    if scheme == "ssh":
        return _ssh(url)
    if scheme in {"tcp", "http", "https"}:
        raise ConfigurationError(
            "host-url-unsupported",
            f"`{url}`: engines over TCP are not supported yet",
            hint="Reach the host by `ssh://user@host`.",
        )
    raise ConfigurationError("host-url-invalid", f"`{url}` is no engine's URL", hint=_HINT)


def _unix(url: str, path: str) -> UnixEndpoint:
    if not path.startswith("/"):
        raise ConfigurationError(
            "host-url-invalid", f"`{url}`: the socket needs an absolute path", hint=_HINT
        )
    return UnixEndpoint(Path(path))


def _ssh(url: str) -> SshEndpoint:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 0
    except ValueError as error:
        raise ConfigurationError("host-url-invalid", f"`{url}`: {error}", hint=_HINT) from error
    user = unquote(parts.username or "")
    if not host or parts.password is not None or host.startswith("-") or user.startswith("-"):
        why = "a password has no place in it" if parts.password is not None else "it names no host"
        raise ConfigurationError("host-url-invalid", f"`ssh://...@{host}`: {why}", hint=_HINT)
    socket = parts.path if parts.path not in {"", "/"} else "/var/run/docker.sock"
    return SshEndpoint(host, user, port, socket)


def _own_engine(environ: Mapping[str, str]) -> str:
    """What `docker` speaks to: DOCKER_HOST, else the chosen context, else the usual socket."""
    if environ.get("DOCKER_HOST"):
        return environ["DOCKER_HOST"]
    name = environ.get("DOCKER_CONTEXT") or _current_context()
    return _DEFAULT_SOCKET if name in {"", "default"} else name


def _docker_directory() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _current_context() -> str:
    config = _docker_directory() / "config.json"
    return str(_json(config).get("currentContext", "")) if config.exists() else ""


def _context_url(name: str) -> str:
    """The host of a Docker context; it lies under the SHA-256 of its name."""
    directory = hashlib.sha256(name.encode()).hexdigest()
    meta = _docker_directory() / "contexts" / "meta" / directory / "meta.json"
    if not meta.exists():
        raise ConfigurationError(
            "host-url-invalid",
            f"`{name}` is neither an engine's URL nor a Docker context",
            hint=_HINT,
        )
    endpoint = _json(meta).get("Endpoints", {}).get("docker", {})
    host = str(endpoint.get("Host", ""))
    if "://" not in host:
        raise ConfigurationError(
            "host-url-invalid", f"The Docker context `{name}` names no engine", hint=_HINT
        )
    return host


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "host-url-invalid",
            f"{path} cannot be read",
            cause=str(error),
            hint="Mend the file, or set DOCKER_HOST.",
        ) from error
    return content if isinstance(content, dict) else {}
