"""Preparing a server that may have no engine yet: looked at, set up, then asked as a host."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from underway.adapters.connector import DockerConnector
from underway.adapters.endpoint import SshEndpoint, endpoint_of
from underway.adapters.remote_shell import RemoteShell
from underway.errors import RefusedError, StepFailedError, UsageError
from underway.model.ground import (
    LOOK,
    Ground,
    GroundCommand,
    can_install,
    ground_of,
    setup_commands,
)
from underway.model.look import Way
from underway.model.names import HostName
from underway.model.snapshot import EngineFacts
from underway.model.spec import HostSpec

COMMAND_S: Final = 900.0
"""How long one command may take: packages come over the network."""
_LAST_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Server:
    """A server by its URL. `user` is who shall deploy, "" for who logs in."""

    url: str
    user: str = ""

    @property
    def endpoint(self) -> SshEndpoint:
        """Where ssh goes; UsageError `setup-host` for what is not reached by SSH."""
        url = self.url if "://" in self.url else f"ssh://{self.url}"
        found = endpoint_of(url)
        if not isinstance(found, SshEndpoint):
            raise UsageError(
                "setup-host",
                f"{self.url} is not reached by SSH",
                hint="Write underway setup ssh://root@HOST.",
            )
        return found

    @property
    def host(self) -> HostName:
        """What it is called."""
        return HostName(self.endpoint.host)

    @property
    def deploys_by(self) -> str:
        """The URL that a file names it by."""
        endpoint = self.endpoint
        who = replace(endpoint, user=self.user or endpoint.user).destination
        return f"ssh://{who}" + (f":{endpoint.port}" if endpoint.port else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine says once the server is set up, and how it is reached."""

    facts: EngineFacts
    way: Way


def look(server: Server) -> Ground:
    """What the server says of itself; nothing is changed. Raises UnreachableError.

    RefusedError (`setup-no-packages`, `setup-no-rights`) where it cannot be set up from here.
    """
    shell = RemoteShell(server.host, server.endpoint)
    result = shell.run(LOOK, server.user)
    ground = ground_of(result.stdout.decode("utf-8", "replace"), server.user)
    if not can_install(ground):
        raise RefusedError(
            "setup-no-packages",
            f"{server.host} ({ground.system or 'of an unknown kind'}) has neither apt-get nor dnf",
            hint="install Docker as its distribution says, then run this again",
        )
    if setup_commands(ground) and not ground.may_change:
        raise RefusedError(
            "setup-no-rights",
            f"{ground.login} on {server.host} may not become root without a password",
            hint="log in as root for this, or let `sudo -n true` work there",
            detail=tuple(command.text for command in setup_commands(ground)),
        )
    return ground


def prepare(server: Server, ground: Ground, tell: Callable[[GroundCommand], None]) -> None:
    """Run what is missing, one after another; StepFailedError `setup-failed` where one fails."""
    shell = RemoteShell(server.host, server.endpoint)
    for command in setup_commands(ground):
        tell(command)
        result = shell.run(command.text, as_root=not ground.is_root, timeout_s=COMMAND_S)
        if result.exit_code:
            said = (result.stdout + result.stderr).decode("utf-8", "replace").splitlines()
            raise StepFailedError(
                "setup-failed",
                f"on {server.host}, `{command.text}` ended with exit code {result.exit_code}",
                hint="mend what it says there, and run this again: it goes on where it stopped",
                detail=tuple(said[-_LAST_LINES:]),
            )


def ask(server: Server) -> Answer:
    """Speak to the engine as a deploy will; raises UnreachableError with what is missing."""
    with DockerConnector() as connector:
        engine = connector.connect(HostSpec(server.host, server.deploys_by))
        return Answer(engine.facts(), engine.connection.way)
