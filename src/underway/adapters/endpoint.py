"""Which engine a URL means: `unix://`, `ssh://`, `tcp://`, a context, or this machine's own."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from underway.adapters.certificates import (
    certificates_of_context,
    certificates_of_user,
    docker_directory,
)
from underway.errors import ConfigurationError
from underway.errors.suggestion import meant_hint

_DEFAULT_SOCKET: Final = "unix:///var/run/docker.sock"
DEFAULT_PORT: Final = 2376
"""Where an engine listens for TLS."""

_HINT: Final = (
    "Write `ssh://user@host`, `tcp://host:2376`, `unix:///path/docker.sock` or a Docker context's "
    "name."
)


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


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """An engine behind TLS. `certificates` is the directory of our own and of the authority's."""

    host: str
    port: int
    certificates: Path

    def __str__(self) -> str:
        """The URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


Endpoint = UnixEndpoint | SshEndpoint | TcpEndpoint


def endpoint_of(
    url: str, environ: Mapping[str, str] | None = None, *, certificates: str = ""
) -> Endpoint:
    """Understand a host's URL; "" and `local` mean what `docker` itself would speak to.

    `certificates` is the directory that the file names for a `tcp://` host. Raises
    ConfigurationError for what is no URL of an engine.
    """
    environ = os.environ if environ is None else environ
    directory = Path(certificates) if certificates else certificates_of_user(environ)
    if url in {"", "local"}:
        url = _own_engine(environ)
    if "://" not in url:
        own = certificates_of_context(url, environ)
        directory = own if own.is_dir() and not certificates else directory
        url = _context_url(url, environ)
    scheme, _, rest = url.partition("://")
    if scheme == "unix":
        return _unix(url, rest)
    if scheme == "ssh":
        return _ssh(url)
    if scheme in {"tcp", "https"}:
        return _tcp(url, directory)
    if scheme == "http":
        raise ConfigurationError(
            "host-url-unsupported",
            f"`{url}`: an engine without TLS gives its host to everybody who reaches it",
            hint="Reach the host by `ssh://user@host`, or by `tcp://` with client certificates.",
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


def _tcp(url: str, certificates: Path) -> TcpEndpoint:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORT
    except ValueError as error:
        raise ConfigurationError("host-url-invalid", f"`{url}`: {error}", hint=_HINT) from error
    if not host or parts.username or parts.path not in {"", "/"}:
        raise ConfigurationError(
            "host-url-invalid", f"`tcp://{host}`: it is a host and a port, no more", hint=_HINT
        )
    return TcpEndpoint(host, port, certificates)


def _own_engine(environ: Mapping[str, str]) -> str:
    """What `docker` speaks to: DOCKER_HOST, else the chosen context, else the usual socket."""
    if environ.get("DOCKER_HOST"):
        return environ["DOCKER_HOST"]
    name = environ.get("DOCKER_CONTEXT") or _current_context(environ)
    return _DEFAULT_SOCKET if name in {"", "default"} else name


def _current_context(environ: Mapping[str, str]) -> str:
    config = docker_directory(environ) / "config.json"
    return str(_json(config).get("currentContext", "")) if config.exists() else ""


def _context_url(name: str, environ: Mapping[str, str]) -> str:
    """The host of a Docker context; it lies under the SHA-256 of its name."""
    directory = hashlib.sha256(name.encode()).hexdigest()
    meta = docker_directory(environ) / "contexts" / "meta" / directory / "meta.json"
    if not meta.exists():
        raise ConfigurationError(
            "host-url-invalid",
            f"`{name}` is neither an engine's URL nor a Docker context",
            cause="`docker context ls` lists those of this machine",
            hint=meant_hint(name, _contexts(environ), _HINT),
        )
    endpoint = _json(meta).get("Endpoints", {}).get("docker", {})
    host = str(endpoint.get("Host", ""))
    if "://" not in host:
        raise ConfigurationError(
            "host-url-invalid", f"The Docker context `{name}` names no engine", hint=_HINT
        )
    if endpoint.get("SkipTLSVerify"):
        raise ConfigurationError(
            "host-url-unsupported",
            f"The Docker context `{name}` does not verify its engine, so that anybody could be it",
            hint="Give the context the authority's certificate: `docker context update --docker "
            "host=...,ca=...,cert=...,key=...`.",
        )
    return host


def _contexts(environ: Mapping[str, str]) -> list[str]:
    """The names of this user's Docker contexts."""
    metas = (docker_directory(environ) / "contexts" / "meta").glob("*/meta.json")
    return [str(_json(meta).get("Name", "")) for meta in metas]


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
