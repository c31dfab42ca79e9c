"""The anchor: the tiny running container through which an app's records on a host are reached."""

from typing import Final

from underway.adapters.engine.border import refusal
from underway.errors import EngineError
from underway.model.names import AppName, HostName
from underway.ports import CommandRunner
from underway.ports.output import ExecResult

_EXEC_S: Final = 60.0
_NO_ANCHOR: Final = {"container-missing"}


class Anchor:
    """Runs small shell scripts in an app's anchor on one host; data goes by standard input only."""

    def __init__(self, engine: CommandRunner, app: AppName) -> None:
        """The anchor of `app` on the host of `engine`; whether it is there shows at the first use.

        The planner makes it, under the same name.
        """
        self._engine = engine
        self._name = f"underway-anchor-{app}"

    @property
    def host(self) -> HostName:
        """The host."""
        return self._engine.host

    def run(self, script: str, *arguments: str, stdin: bytes = b"") -> ExecResult:
        """Run a script; EngineError if there is no anchor, or it does not run."""
        command = ["sh", "-c", script, "sh", *arguments]
        return self._engine.execute(self._name, command, stdin=stdin, timeout_s=_EXEC_S)

    def ask(self, script: str, *arguments: str) -> ExecResult | None:
        """Run a script that only reads; None where there is no anchor."""
        try:
            return self.run(script, *arguments)
        except EngineError as error:
            if error.code in _NO_ANCHOR:
                return None
            raise

    def failure(self, what: str, result: ExecResult) -> EngineError:
        """The error for a script that failed."""
        text = result.stderr.decode("utf-8", "replace").strip()
        return refusal(self.host, what, 0, text or f"exit status {result.exit_code}")
