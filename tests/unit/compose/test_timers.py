"""What calls `backup run`: units that systemd takes, a line that a shell runs as meant."""

import shutil
import subprocess
from pathlib import Path

import pytest

from underway.cli.program import run_program
from underway.compose.timers import Timer, TimerKind, timer_text


def split(text: str) -> dict[str, str]:
    parts = text.split("# /etc/systemd/system/")[1:]
    return {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in parts}


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd")
    directory = tmp_path / "a 50% place"
    directory.mkdir()
    command = (shutil.which("true") or "true", "backup", "run", "-E", 'o"dd $HOME \\x')
    for name, text in split(
        timer_text(TimerKind.SYSTEMD, Timer("my shop", str(directory), command))
    ).items():
        assert name.startswith("underway-backup-my-shop.")
        (tmp_path / name).write_text(text)
    units = [str(path) for path in sorted(tmp_path.glob("underway-*"))]
    assert len(units) == 2
    done = subprocess.run([program, "verify", *units], capture_output=True, text=True, check=False)
    complaints = [one for one in done.stderr.splitlines() if "underway-backup" in one]
    assert (done.returncode, complaints) == (0, [])


def test_cron_runs_the_command_where_the_project_is_and_prints_failures_only(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "a 50% place"
    directory.mkdir()
    program = tmp_path / "under way"
    program.write_text('#!/bin/sh\npwd; echo "$@"; [ -z "$FAILS" ]\n')
    program.chmod(0o755)
    text = timer_text(
        TimerKind.CRON, Timer("shop", str(directory), (str(program), "backup", "run"))
    )
    when, line = text.splitlines()[1].split(" * * * * ")
    assert when == "*/15"
    # As cron does: a bare % would end the command.
    assert "%" not in line.replace("\\%", "")
    shell = line.replace("\\%", "%")

    def run(fails: str) -> str:
        environ = {"FAILS": fails, "PATH": "/usr/bin:/bin"}
        return subprocess.run(
            ["/bin/sh", "-c", shell], capture_output=True, text=True, check=True, env=environ
        ).stdout

    assert run("") == ""
    assert run("yes") == f"{directory}\nbackup run\n"


def test_the_command_names_the_same_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "compose.yaml").write_text("name: shop\nservices: {web: {image: app}}\n")
    assert run_program(["backup", "timer", "systemd", "-E", "production"]) == 0
    out = capsys.readouterr().out
    assert "backup run --plain --wait 10m -E production\n" in out
    assert f"WorkingDirectory={tmp_path}\n" in out
