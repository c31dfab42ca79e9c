"""A shell on a server, by the user's own OpenSSH client: before there is an engine to speak to."""

import shlex
from typing import Final

from underway.adapters.endpoint import SshEndpoint
from underway.adapters.program import ProgramResult, run_program
from underway.adapters.ssh_diagnosis import diagnosis
from underway.adapters.tunnel import ssh_argv
from underway.model.names import HostName

_SSH_FAILED: Final = 255


class RemoteShell:
    """Runs scripts on one server; each is a login of its own, with the groups of that moment."""

    def __init__(self, host: HostName, endpoint: SshEndpoint) -> None:
        """Nothing is opened yet."""
        self._host = host
        self._endpoint = endpoint

    def run(
        self, script: str, *arguments: str, as_root: bool = False, timeout_s: float = 60
    ) -> ProgramResult:
        """Run a script by `sh` to its end, by `sudo` where it shall be root and is not.

        Raises UnreachableError as ssh tells it, `program-timeout` after `timeout_s` seconds.
        """
        shell = ["sh", "-c", script, "sh", *arguments]
        argv = ["sudo", "-n", *shell] if as_root else shell
        result = run_program(
            ssh_argv(self._endpoint, ["-n", "-T"], shlex.join(argv)), timeout_s=timeout_s
        )
        if result.exit_code == _SSH_FAILED:
            raise diagnosis(self._host, self._endpoint, result.stderr_text)
        return result
