"""Client certificates for engines over TLS: where they lie, as the Docker program looks for them.

A directory holds `ca.pem` (who vouches for the engine), `cert.pem` and `key.pem` (who we are).
"""

import hashlib
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from underway.errors import ConfigurationError

AUTHORITY: Final = "ca.pem"
CERTIFICATE: Final = "cert.pem"
KEY: Final = "key.pem"


def docker_directory(environ: Mapping[str, str]) -> Path:
    """Where the Docker program keeps its configuration."""
    return Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def certificates_of_user(environ: Mapping[str, str]) -> Path:
    """`DOCKER_CERT_PATH`, or the Docker program's own directory."""
    named = environ.get("DOCKER_CERT_PATH", "")
    return Path(named).expanduser() if named else docker_directory(environ)


def certificates_of_context(name: str, environ: Mapping[str, str]) -> Path:
    """Where a Docker context keeps its own: below the SHA-256 of its name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return docker_directory(environ) / "contexts" / "tls" / digest / "docker"


def client_context(directory: Path) -> ssl.SSLContext:
    """What TLS to an engine is made with: the engine is verified, and we show who we are.

    Raises ConfigurationError `tls-files` for what is missing or no certificate.
    """
    for name in (AUTHORITY, CERTIFICATE, KEY):
        if not os.access(directory / name, os.R_OK):
            raise _unfit(f"{directory / name} is not there, or cannot be read")
    try:
        context = ssl.create_default_context(cafile=str(directory / AUTHORITY))
        # Authorities made as Docker's own guide tells lack extensions that RFC 5280 asks for.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        # A key with a passphrase would be asked for on the terminal.
        context.load_cert_chain(directory / CERTIFICATE, directory / KEY, password=_no_passphrase)
    except (OSError, ValueError) as error:
        raise _unfit(f"the files in {directory} do not fit: {error}") from error
    return context


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase")


def _unfit(message: str) -> ConfigurationError:
    return ConfigurationError(
        "tls-files",
        message,
        cause="an engine over TCP is reached with a client certificate",
        hint=f"Put {AUTHORITY}, {CERTIFICATE} and {KEY} into one directory and name it by the "
        "host's `certificates:`, or by DOCKER_CERT_PATH.",
    )
