"""Commands that print sensitive values: password managers, sops."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from underway.adapters.program import run_program
from underway.errors import ConfigurationError, UnreachableError

_SHOWN_LINES = 10


@dataclass(frozen=True, slots=True)
class CommandOutputs:
    """Runs commands in `environment`. Implements SensitiveCommands."""

    environment: Mapping[str, str] = field(repr=False)

    def output_of(self, command: Sequence[str], *, timeout_s: float) -> bytes:
        """What the command printed; raises ConfigurationError `sensitive-command-failed`.

        Standard output never stands in the error.
        """
        if not command:
            raise _failed("a command for a sensitive value is empty", "", ())
        try:
            result = run_program(command, env=self.environment, timeout_s=timeout_s)
        except UnreachableError as error:
            why = error.cause or "it waits for something, or for somebody: nobody can answer it"
            raise _failed(error.message, why, error.detail) from error
        if result.exit_code != 0:
            lines = tuple(result.stderr_text.splitlines()[-_SHOWN_LINES:])
            why = lines[-1] if lines else "it wrote nothing on standard error"
            raise _failed(f"`{command[0]}` ended with {result.exit_code}", why, lines[:-1])
        return result.stdout


def _failed(message: str, cause: str, detail: tuple[str, ...]) -> ConfigurationError:
    return ConfigurationError(
        "sensitive-command-failed",
        message,
        cause=cause,
        hint="Run the command yourself: it must print the value and end with 0.",
        detail=detail,
    )
