"""`init --hook` with a real repository and pushes; `init --ci` as far as no service is needed."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from underway.cli.program import run_program

Capture = pytest.CaptureFixture[str]
FILE = """\
name: shop
services:
  web: {image: "shop:${VERSION:-1}", environment: {PASSWORD: "${PASSWORD:?}", KEY: "${KEY}"}}
"""
PATHS = {"github": ".github/workflows/deploy.yaml", "gitlab": ".gitlab-ci.yml"}
STAND_IN = """\
#!/bin/sh
printf '%s\\n' "$@" "$(pwd)" "$PASSWORD" "$(cat compose.yaml | head -1)" > "$TOLD"
git rev-parse HEAD >> "$TOLD"
echo "deploying"
exit "${ENDS_WITH:-0}"
"""
"""Stands in for `underway`: what it is called with is what this test is about."""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "checkout"
    directory.mkdir()
    (directory / "compose.yaml").write_text(FILE)
    for name, value in {
        "HOME": str(tmp_path),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PASSWORD", raising=False)
    monkeypatch.chdir(directory)
    return directory


def git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "underway").write_text(STAND_IN)
    (programs / "underway").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    return tmp_path / "told"


def test_a_push_is_deployed_from_a_checkout_of_its_commit_that_goes_afterwards(
    checkout: Path, tmp_path: Path, told: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "shop.git"
    assert run_program(["init", "--hook", str(bare)]) == 2
    assert "hook-repository" in capsys.readouterr().err
    git("init", "-q", "--bare", str(bare))
    assert run_program(["-E", "production", "init", "--hook", str(bare)]) == 3
    (checkout / "compose.production.yaml").write_text("services: {web: {restart: always}}\n")
    assert run_program(["-E", "production", "init", "--hook", str(bare)]) == 0
    assert "KEY, PASSWORD" in capsys.readouterr().out
    assert stat.S_IMODE((bare / "hooks" / "post-receive").stat().st_mode) == 0o755
    assert run_program(["init", "--hook", str(bare)]) == 4
    assert "init-file-there" in capsys.readouterr().err
    (bare / "underway.env").write_text("PASSWORD='from the file'\n")
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "first")
    git("push", "-q", str(bare), "main:other")
    assert not told.exists()
    assert "deploying" in git("push", str(bare), "main")
    *line, where, password, first, commit = told.read_text().splitlines()
    assert line == ["deploy", "-E", "production", "--plain", "--wait", "10m"]
    assert (password, first) == ("from the file", "name: shop")
    assert commit == git("rev-parse", "HEAD").strip()
    assert not Path(where).exists()
    assert len(git("-C", str(bare), "worktree", "list").splitlines()) == 1
    monkeypatch.setenv("ENDS_WITH", "10")
    git("commit", "-q", "--allow-empty", "-m", "second")
    assert "ended with exit code 10" in git("push", str(bare), "main")
    assert len(git("-C", str(bare), "worktree", "list").splitlines()) == 1
    told.unlink()
    git("push", "-q", str(bare), "--delete", "main")
    assert not told.exists()


@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_a_job_is_yaml_that_its_service_reads_and_its_shell_runs(
    service: str, checkout: Path, tmp_path: Path, told: Path, capsys: Capture
) -> None:
    assert run_program(["init", "--ci", service, "--branch", "live"]) == 0
    assert "KEY, PASSWORD" in capsys.readouterr().out
    document = yaml.safe_load((checkout / PATHS[service]).read_text())
    job = document["jobs"]["deploy"] if service == "github" else document["deploy"]
    if service == "github":
        assert document[True]["push"]["branches"] == ["live"]
        assert "${{ secrets.PASSWORD }}" in job["env"].values()
        scripts = [step["run"] for step in job["steps"] if "run" in step]
    else:
        assert job["rules"] == [{"if": "$CI_COMMIT_BRANCH == 'live'"}]
        scripts = job["script"]
    reach, install, deploy = scripts
    assert install.startswith("pip install")
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    run_shell(f"{reach}\n{deploy}", tmp_path)
    assert told.read_text().splitlines()[:4] == ["deploy", "--plain", "--wait", "10m"]
    assert run_program(["init", "--ci", service]) == 4
    assert run_program(["init", "--ci", service, "--print", "--json"]) == 0
    printed = capsys.readouterr().out
    assert "underway deploy" in json.loads(printed[printed.index("{") :])["text"]


def run_shell(script: str, home: Path) -> None:
    variables = {"UNDERWAY_SSH_KEY": "a key", "UNDERWAY_KNOWN_HOSTS": "host ssh-ed25519 AAAA"}
    for _ in range(2):
        subprocess.run(
            ["sh", "-eu", "-c", script], env={**os.environ, **variables}, check=True, timeout=60
        )
    ssh = home / ".ssh"
    assert (ssh / "underway").read_text() == "a key\n"
    assert stat.S_IMODE((ssh / "underway").stat().st_mode) == 0o600
    assert "IdentityFile ~/.ssh/underway" in (ssh / "config").read_text()


def test_the_shell_of_a_jenkinsfile_is_shell(checkout: Path, tmp_path: Path, told: Path) -> None:
    assert run_program(["init", "--ci", "jenkins"]) == 0
    text = (checkout / "Jenkinsfile").read_text()
    assert "PASSWORD = credentials('PASSWORD')" in text
    assert text.count("{") == text.count("}")
    script = text.split("'''")[1]
    subprocess.run(["sh", "-n", "-c", script], check=True, timeout=60)
    lines = [line for line in script.splitlines() if ".underway/bin" not in line]
    run_shell("\n".join(line for line in lines if "venv" not in line), tmp_path)
    assert "underway deploy --plain --wait 10m" in script
    assert not told.exists()


def test_a_hook_and_a_job_are_asked_for_one_at_a_time(checkout: Path, capsys: Capture) -> None:
    assert run_program(["init", "--ci", "github", "--hook", str(checkout)]) == 2
    assert "two things" in capsys.readouterr().err
