"""Every command of the quick start runs, and prints what the page shows."""

import re
import subprocess
from pathlib import Path

import pytest

from lab.engine import init_pid
from tests.docs.pages import ROOT, blocks, console
from tests.laboratories import Fleet, environment

PAGE = ROOT / "docs" / "quick-start.md"
BASE = "python:3.13-slim"


@pytest.mark.e2e
@pytest.mark.lab(hosts=1)
def test_the_quick_start_runs_as_written(fleet: Fleet, tmp_path: Path) -> None:
    """In the host's own network, so that the page's localhost is the host."""
    lab = fleet.laboratory
    host = lab.hosts[0]
    fleet.docker("h1", "pull", "-q", lab.images["python"])
    fleet.docker("h1", "tag", lab.images["python"], BASE)
    files = {block.title: block.text for block in blocks(PAGE) if block.title}
    assert set(files) == {"app.py", "Dockerfile", "compose.yaml"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    init = init_pid(lab.host("h1"))
    inside = ["nsenter", f"--net=/proc/{init}/ns/net", "bash", "-c"]
    commands = console(PAGE)
    assert len(commands) > 10
    try:
        for command in commands:
            done = subprocess.run(
                [*inside, command.line],
                cwd=tmp_path,
                env={**environment(lab), "DOCKER_HOST": host.url},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, f"{command.place}: {command.line}\n{done.stdout}"
            assert shows(done.stdout, command.shown), (
                f"{command.place}: {command.line} must print\n"
                + "\n".join(command.shown)
                + f"\nand printed\n{done.stdout}"
            )
        assert fleet.docker("h1", "ps", "-aq") == ""
    finally:
        fleet.docker("h1", "rmi", BASE)


def shows(output: str, shown: tuple[str, ...]) -> bool:
    """Whether the lines occur in this order, `…` standing for anything within a line."""
    rest = [line.rstrip() for line in output.splitlines()]
    for line in shown:
        pattern = re.compile(".*".join(re.escape(part) for part in line.rstrip().split("…")))
        found = next((n for n, text in enumerate(rest) if pattern.fullmatch(text)), None)
        if found is None:
            return False
        rest = rest[found + 1 :]
    return True


def test_a_missing_line_would_be_seen() -> None:
    assert shows("one\ntwo three\nfour\n", ("one", "two …"))
    assert not shows("one\ntwo three\n", ("two …", "one"))
    assert not shows("one two\n", ("one",))
