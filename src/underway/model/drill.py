"""What is needed to come back, and what trying it came to. No value, only where each is."""

from collections.abc import Iterable
from dataclasses import dataclass

from underway.model.names import AppName, HostName


@dataclass(frozen=True, slots=True)
class Kit:
    """One page for the day on which the hosts are gone.

    `password` and `credentials` say where each comes from. `files` are those that hold secrets, by
    the paths of the Compose file. `hosts` are those of today: each gets a new one.
    """

    app: AppName
    repository: str
    is_on_host: bool
    password: str
    credentials: tuple[tuple[str, str], ...]
    variables: tuple[str, ...]
    files: tuple[str, ...]
    hosts: tuple[HostName, ...]

    @property
    def command(self) -> str:
        """The command that brings the app back, with its blanks."""
        if len(self.hosts) == 1:
            targets = ["--to ssh://USER@NEW"]
        else:
            targets = [f"--to {host}=ssh://USER@NEW,ADDRESS" for host in self.hosts]
        return " ".join(["underway recover -p", self.app, "--from", self.repository, *targets])


@dataclass(frozen=True, slots=True)
class Drill:
    """One app's newest point, restored for a trial.

    `took_s` is the recovery time that was measured, `age_s` how old the data was then. `code` and
    `why` say what failed, "" where nothing did; `exit_code` is that of the failure.
    """

    app: AppName
    point: str = ""
    moment: str = ""
    took_s: float = 0.0
    age_s: float = 0.0
    code: str = ""
    why: str = ""
    exit_code: int = 0

    @property
    def has_passed(self) -> bool:
        """Whether the point came back whole."""
        return not self.code


def exit_code_of(drills: Iterable[Drill]) -> int:
    """That of the first failure, 0 where all came back."""
    return next((one.exit_code for one in drills if one.exit_code), 0)
