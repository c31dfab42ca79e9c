"""Records what a user sees: real commands on a real engine, as pictures of the terminal.

    make screens        or        python -m scripts.screens

The application is the one of `docs/quick-start.md`. Each command runs on a terminal of its own (a
pty of fixed size, read by a terminal emulator) in the laboratory host's network, and what stands on
the screen is written to `docs/screens/NAME.svg`.
"""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyte

from lab.engine import init_pid
from lab.laboratory import Laboratory
from lab.surroundings import surroundings
from scripts.screen_svg import svg_of

ROOT: Final = Path(__file__).resolve().parent.parent
SCREENS: Final = ROOT / "docs" / "screens"
PAGE: Final = ROOT / "docs" / "quick-start.md"
BASE: Final = "python:3.13-slim"
COLUMNS: Final = 110
ROWS: Final = 60
LONGEST_S: Final = 300.0
RUNNING: Final = "[\u2800-\u28ff] "
"""What stands before a stage that is under way: a wheel of dots."""
_FILE: Final = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Moment:
    """A picture to take as soon as a pattern is on the screen, while the command still runs."""

    name: str
    pattern: str


@dataclass(frozen=True)
class Stage:
    """Where commands are typed: a directory, in a host's own network and under its name."""

    directory: Path
    environment: dict[str, str]
    init: int

    def type(
        self,
        command: str,
        name: str = "",
        *,
        code: int = 0,
        answers: Sequence[tuple[str, str]] = (),
        moment: Moment | None = None,
    ) -> None:
        """Run a command on a terminal; `name` keeps the last screen as a picture.

        `answers` are what to type once a text is asked. RuntimeError if it ends with another code.
        """
        screen = pyte.Screen(COLUMNS, ROWS)
        stream = pyte.ByteStream(screen)
        stream.feed(f"\x1b[1m$ {command}\x1b[0m\r\n".encode())
        pid, terminal = pty.fork()
        if pid == 0:
            self._become(command)
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
        waiting = list(answers)
        deadline = time.monotonic() + LONGEST_S
        while data := _read(terminal, deadline):
            stream.feed(data)
            shown = "\n".join(screen.display)
            if waiting and waiting[0][0] in shown:
                os.write(terminal, waiting.pop(0)[1].encode())
            if moment and re.search(moment.pattern, shown):
                save(moment.name, screen)
                moment = None
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        found = os.waitstatus_to_exitcode(status)
        if found != code:
            raise RuntimeError(f"{command}: {found}\n" + "\n".join(screen.display))
        if moment:
            raise RuntimeError(f"{command} never showed {moment.pattern!r}")
        if name:
            save(name, screen)

    def _become(self, command: str) -> None:
        """Turn this process into the command, as the user of the host."""
        os.chdir(self.directory)
        inside = ("nsenter", f"--net=/proc/{self.init}/ns/net", f"--uts=/proc/{self.init}/ns/uts")
        os.execvpe("nsenter", [*inside, "bash", "-c", command], self.environment)  # noqa: S606


def _read(terminal: int, deadline: float) -> bytes:
    """What the command wrote; nothing once it has ended. TimeoutError if that takes too long."""
    ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
    if not ready:
        raise TimeoutError(f"a command took longer than {LONGEST_S:g} s")
    with suppress(OSError):
        return os.read(terminal, 65536)
    return b""


def save(name: str, screen: pyte.Screen) -> None:
    """Write a picture of a screen."""
    (SCREENS / f"{name}.svg").write_text(svg_of(screen), encoding="utf-8")
    sys.stdout.write(f"docs/screens/{name}.svg\n")


def play(stage: Stage, compose: Path) -> None:
    """Every command, as the quick start goes, with a bad change that is taken back."""
    complete = compose.read_text()
    plain = complete[: complete.index("x-underway:\n  edge")]
    compose.write_text(re.sub(r"    x-underway:\n.*\n", "", plain))
    stage.type(
        "underway init --proxy hello.localhost --http-port 8000 --health / --no-schema",
        "init",
        answers=[("Which server", "\n")],
    )
    compose.write_text(complete)
    stage.type("underway plan")  # makes what only the first run on a host makes
    stage.type("underway plan", "plan")
    stage.type("underway deploy")
    compose.write_text(complete.replace("Hello, one", "Hello, two"))
    stage.type(
        "underway deploy", "deploy", moment=Moment("deploy-progress", RUNNING + "Watch web 2")
    )
    compose.write_text(complete.replace("GREETING:", "GRETING:"))
    stage.type("underway deploy", "failed-deploy", code=10)
    stage.type("underway status", "status")
    stage.type("underway history", "history")
    stage.type("underway remove --yes --with-data")


def main() -> int:
    """Make all pictures anew."""
    SCREENS.mkdir(exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="underway-screens-"))
    lab = Laboratory.up(name="screens", hosts=1)
    try:
        play(*prepared(lab, root))
    finally:
        lab.down()
        shutil.rmtree(root, ignore_errors=True)
    for picture in SCREENS.glob("*.svg"):
        if str(root) in picture.read_text():
            raise RuntimeError(f"{picture.name} shows the directory in which it was made")
    return 0


def prepared(lab: Laboratory, root: Path) -> tuple[Stage, Path]:
    """The application's files, its base image on the host, and where to type."""
    directory = root / "hello"
    directory.mkdir()
    for name, text in _FILE.findall(PAGE.read_text(encoding="utf-8")):
        (directory / name).write_text(text)
    environment = {
        **surroundings(lab),
        "HOME": str(root),
        "XDG_STATE_HOME": str(root / "state"),
        **dict.fromkeys(("USER", "LOGNAME"), "sam"),
        "TERM": "xterm-256color",
        "COLUMNS": str(COLUMNS),
        "LINES": str(ROWS),
    }
    image = lab.images["python"]
    for words in (("pull", "-q", image), ("tag", image, BASE)):
        subprocess.run(["docker", *words], env=environment, check=True, capture_output=True)
    init = init_pid(lab.host("h1"))
    if init is None:
        raise RuntimeError("the laboratory's host does not run")
    return Stage(directory, environment, init), directory / "compose.yaml"


if __name__ == "__main__":
    sys.exit(main())
