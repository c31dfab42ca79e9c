"""What OpenSSH's last words mean, and what to do about it. Pure."""

from typing import Final

from underway.adapters.endpoint import SshEndpoint
from underway.errors import UnreachableError
from underway.model.names import HostName

_RULES: Final[tuple[tuple[tuple[str, ...], str, str, str], ...]] = (
    (
        ("remote host identification has changed",),
        "ssh-host-key",
        "its host key is not the one known",
        "If the server was set up anew: `ssh-keygen -R {host}`, then `ssh {destination}` once.",
    ),
    (
        ("host key verification failed", "no host key is known", "known_hosts"),
        "ssh-host-key",
        "its host key is not known on this machine",
        "Run `ssh {destination}` once, compare the key's fingerprint and accept it.",
    ),
    (
        ("permission denied", "too many authentication failures", "no supported authentication"),
        "ssh-denied",
        "it refused the login",
        "Check that `ssh {destination}` works without a password (key in the agent, user's name).",
    ),
    (
        ("could not resolve hostname", "name or service not known"),
        "ssh-name-unknown",
        "its name is unknown",
        "Check the spelling under `x-underway.hosts`, and this machine's DNS or SSH configuration.",
    ),
    (
        ("timed out", "timeout"),
        "ssh-timeout",
        "it did not answer in time",
        "Check that the host is up, and that a firewall lets this machine reach its SSH port.",
    ),
    (
        ("connection refused", "no route to host", "network is unreachable"),
        "ssh-refused",
        "no SSH server can be reached there",
        "Check the address and port, and that the host's SSH server runs.",
    ),
)


def _at(host: HostName, endpoint: SshEndpoint) -> str:
    """Where ssh was sent, unless that is the host's name already."""
    return "" if endpoint.destination == host else f" ({endpoint.destination})"


def diagnosis(host: HostName, endpoint: SshEndpoint, stderr: str) -> UnreachableError:
    """The error for an ssh that ended, by what it said."""
    lowered = stderr.lower()
    last = next((line for line in reversed(stderr.splitlines()) if line.strip()), "")
    for signs, code, what, hint in _RULES:
        if any(sign in lowered for sign in signs):
            return UnreachableError(
                code,
                f"{host}: {what}{_at(host, endpoint)}",
                cause=last,
                hint=hint.format(host=endpoint.host, destination=endpoint.destination),
            )
    return UnreachableError(
        "ssh-failed",
        f"{host}: ssh ended without a connection{_at(host, endpoint)}",
        cause=last,
        hint=f"Run `ssh -v {endpoint.destination}` and mend what it says.",
        detail=tuple(stderr.splitlines()[-10:]),
    )
