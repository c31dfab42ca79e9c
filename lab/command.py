"""Running programs: short ones that die with their caller, and daemons that outlive it."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError

MARKER = "UWLAB_LABORATORY"
ROLE = "UWLAB_ROLE"
_DIES_WITH_CALLER = ("setpriv", "--pdeathsig", "KILL", "--")
_TAIL_LINES = 12


def run(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    timeout_s: float = 120.0,
    log: Path | None = None,
) -> str:
    """Run a program to its end and return its standard output.

    The kernel kills the program when the calling process dies, so that a killed `up` leaves no
    half-done work running. Raises LabError with the program's last lines when it fails.
    """
    done = attempt(argv, stdin=stdin, timeout_s=timeout_s)
    if log is not None:
        log.write_text(done.stdout + done.stderr)
    if done.returncode == 0:
        return done.stdout
    tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_TAIL_LINES:])
    shown = " ".join(str(part) for part in argv).partition("\n")[0]
    raise LabError(f"`{shown}` failed with status {done.returncode}:\n{tail}")


def attempt(
    argv: Sequence[str | Path], *, stdin: str | None = None, timeout_s: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """Run a program whose failure is an answer, and return the outcome.

    Raises LabError when the program is missing or exceeds its time.
    """
    try:
        return subprocess.run(
            [*_DIES_WITH_CALLER, *argv],
            input="" if stdin is None else stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise LabError(
            f"program not found: {error.filename}", "install the package util-linux"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{argv[0]}` took longer than {timeout_s:.0f} s") from error


def spawn(
    argv: Sequence[str | Path],
    *,
    laboratory: str,
    role: str,
    log: Path,
    settings: dict[str, str] | None = None,
) -> None:
    """Start a daemon that outlives the caller.

    The daemon's environment names its laboratory and role: that is how it is found again, also
    when whoever started it was killed before writing anything down.
    """
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/root",
        **(settings or {}),
        MARKER: laboratory,
        ROLE: role,
    }
    with log.open("ab") as output:
        subprocess.run(
            ["setsid", "--fork", *(str(part) for part in argv)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd="/",
            check=True,
        )


def require_root() -> None:
    """Raise LabError unless the process may create namespaces and network devices."""
    if os.geteuid() != 0:
        raise LabError("the laboratory needs root", "run it as root, or with sudo")
