"""Tab knows the file and what hosts told last, prints nothing else, and asks no host."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.test_startup import cpu_seconds
from underway.adapters.known_names import KnownNames
from underway.cli.program import run_program
from underway.model.outline import Outline

FILE = """
name: libra
services:
  web: {image: "${MISSING:?}", environment: !reset {}}
  worker: {image: lab/debian}
x-underway:
  hosts:
    app: [{url: "ssh://me@app1.test", address: 10.0.0.1}]
    data: [{url: "ssh://db1.test", address: 10.0.0.2}]
  aliases: {console: logs web}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "compose.yaml").write_text(FILE)
    (tmp_path / "compose.production.yaml").write_text("services: {extra: {image: x}}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMPOSE_FILE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    KnownNames(tmp_path / "state/underway/names").remember(
        Outline("libra", ("former",), ("old1",), ("12", "11", "v2"))
    )
    return tmp_path


def offers(line: str) -> list[str]:
    """What Tab offers at the end of a command line; nothing may be told on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "underway.cli.main"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "_UNDERWAY_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
        },
    )
    assert done.stderr == ""
    return [answer.partition(",")[2] for answer in done.stdout.split()]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("underway rep", ["repair", "report"]),
        ("underway cons", ["console"]),
        ("underway logs w", ["web", "worker"]),
        ("underway logs web f", ["former"]),
        ("underway -E production logs e", ["extra"]),
        ("underway logs --host ", ["app1.test", "db1.test", "old1"]),
        ("underway deploy --pull wo", ["worker"]),
        ("underway deploy --only we", ["web"]),
        ("underway plan --limit db", ["db1.test"]),
        ("underway restart wo", ["worker"]),
        ("underway exec we", ["web"]),
        ("underway rollback ", ["12", "11", "v2"]),
        ("underway diff 11 v", ["v2"]),
        ("underway show --js", ["--json"]),
        ("underway -E ", ["production"]),
        ("underway console w", ["web", "worker"]),
        ("underway errors alias-t", ["alias-taken"]),
        ("underway no-such-command x", []),
        ("underway -f missing.yaml logs w", []),
    ],
)
def test_tab_offers_what_may_come_next(line: str, offered: list[str]):
    assert offers(line) == offered


def test_a_broken_file_offers_nothing_and_says_nothing(project: Path):
    (project / "compose.yaml").write_text("services: [\n  aliases: {{\n")
    (project / "state/underway/names/libra.json").write_text("{")
    assert offers("underway logs w") == []
    (project / "compose.yaml").unlink()
    assert offers("underway rollback ") == []


@pytest.mark.usefixtures("project")
def test_tab_answers_in_a_small_multiple_of_bare_python(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COMP_WORDS", "underway rollback ")
    monkeypatch.setenv("COMP_CWORD", "2")
    bare = min(cpu_seconds("-c", "pass") for _ in range(5))
    monkeypatch.setenv("_UNDERWAY_COMPLETE", "bash_complete")
    assert min(cpu_seconds("-m", "underway.cli.main") for _ in range(5)) < 25 * bare


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_it_can_read(shell: str, capsys: pytest.CaptureFixture[str]):
    assert run_program(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_UNDERWAY_COMPLETE={shell}_complete" in script
    program = shutil.which(shell)
    if program:
        subprocess.run([program, "-n"], input=script, text=True, check=True, timeout=60)
