"""What calls `backup run` on a machine of the team's: systemd's units, a line for cron. Pure text.

Both call often: what is due is decided by the file, and what is not due costs one look.
"""

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_UNNAMED: Final = re.compile(r"[^A-Za-z0-9_-]+")
"""What does not stand in the name of a unit."""


class TimerKind(StrEnum):
    """What a timer can be written for."""

    SYSTEMD = "systemd"
    CRON = "cron"


@dataclass(frozen=True, slots=True)
class Timer:
    """Whose backups are run, where the project stands, and the command as a list of words."""

    app: str
    directory: str
    command: tuple[str, ...]


def timer_text(kind: TimerKind, timer: Timer) -> str:
    """The units or the line, ended by a newline."""
    match kind:
        case TimerKind.SYSTEMD:
            return _SYSTEMD.format(
                app=_UNNAMED.sub("-", timer.app),
                directory=timer.directory.replace("%", "%%"),
                command=" ".join(map(_unit_word, timer.command)),
            )
        case TimerKind.CRON:
            call = f"cd {shlex.quote(timer.directory)} && {shlex.join(timer.command)}"
            # Cron mails what is printed: only what failed is. It takes a bare % for a newline.
            told = f'told=$({{ {call}; }} 2>&1) || printf "%s\\n" "$told"'
            escaped = told.replace("%", "\\%")
            return (
                f"# Backups of {timer.app}: `crontab -e` takes this line.\n*/15 * * * * {escaped}\n"
            )


def _unit_word(word: str) -> str:
    text = word.replace("%", "%%").replace("$", "$$")
    if not set(text) & set(" \t\"'\\;"):
        return text
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


_SYSTEMD: Final = """\
# /etc/systemd/system/underway-backup-{app}.service
[Unit]
Description=Backups of {app} that are due
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory={directory}
# Variables that the file takes from outside, NAME=VALUE, in a file that only root reads:
EnvironmentFile=-/etc/underway/{app}.env
ExecStart={command}

# /etc/systemd/system/underway-backup-{app}.timer
[Unit]
Description=Look every quarter of an hour whether a backup of {app} is due

[Timer]
OnBootSec=2min
OnCalendar=*:0/15
RandomizedDelaySec=60

[Install]
WantedBy=timers.target
"""
