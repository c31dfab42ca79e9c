"""What is wrong with the way to an engine over TLS, from what Python's TLS and sockets say."""

import ssl

from underway.adapters.endpoint import TcpEndpoint
from underway.errors import UnreachableError
from underway.model.names import HostName


def diagnosis(host: HostName, endpoint: TcpEndpoint, error: OSError) -> UnreachableError:
    """The error to raise for what went wrong until both sides had shaken hands."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return UnreachableError(
            "tls-untrusted",
            f"{host}: the certificate of {endpoint} is not one to trust",
            cause=error.verify_message,
            hint=f"Compare its names and dates with the URL and {endpoint.certificates}/ca.pem.",
        )
    if isinstance(error, ssl.SSLError):
        reason = error.reason or str(error)
        if "ALERT" in reason.upper():
            return denial(host, endpoint, error)
        return UnreachableError(
            "tls-failed",
            f"{host}: {endpoint} does not speak TLS as an engine does",
            cause=_words(reason),
            hint="Start its dockerd with `--tlsverify`: without it everybody rules the host.",
        )
    return UnreachableError(
        "host-unreachable",
        f"{host}: {endpoint} does not answer",
        cause=error.strerror or str(error) or "it took too long",
        hint="Look at the host, its firewall, and whether its dockerd listens there (`-H`).",
    )


def denial(host: HostName, endpoint: TcpEndpoint, error: Exception) -> UnreachableError:
    """The error to raise where the engine ends what it has begun: it does not know us."""
    return UnreachableError(
        "tls-denied",
        f"{host}: {endpoint} does not take our certificate",
        cause=_words(getattr(error, "reason", "") or str(error)),
        hint=f"Look whether {endpoint.certificates}/cert.pem is signed by the engine's "
        "`tlscacert`, meant for clients, and not expired.",
    )


def _words(reason: str) -> str:
    return reason.replace("_", " ").lower()
