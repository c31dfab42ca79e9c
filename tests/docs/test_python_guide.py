"""Every program of the Python guide runs, in its order, beside the quick start's application."""

import subprocess
import sys
from pathlib import Path

import pytest

from lab.engine import init_pid
from tests.docs.pages import ROOT, blocks
from tests.docs.test_quick_start import BASE, PAGE
from tests.laboratories import Fleet, environment

GUIDE = ROOT / "docs" / "guides" / "python.md"
TOLD = {
    "deploy.py": "hello runs release 1 after",
    "careful.py": "",
    "watch.py": "back on release 1",
    "plan.py": "CreateContainer",
    "look.py": "web is at http://hello.localhost:8000",
}
"""What each program prints, among other things."""


@pytest.mark.e2e
@pytest.mark.lab(hosts=1)
def test_the_programs_run_as_written(fleet: Fleet, tmp_path: Path) -> None:
    lab = fleet.laboratory
    fleet.docker("h1", "pull", "-q", lab.images["python"])
    fleet.docker("h1", "tag", lab.images["python"], BASE)
    for page in (PAGE, GUIDE):
        for block in blocks(page):
            if block.title:
                (tmp_path / block.title).write_text(block.text)
    compose = tmp_path / "compose.yaml"
    inside = ["nsenter", f"--net=/proc/{init_pid(lab.host('h1'))}/ns/net", sys.executable]
    titles = [block.title for block in blocks(GUIDE) if block.language == "python"]
    assert titles == list(TOLD)
    try:
        for title in titles:
            done = subprocess.run(
                [*inside, title],
                cwd=tmp_path,
                env={**environment(lab), "DOCKER_HOST": lab.hosts[0].url},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, f"{title}\n{done.stdout}{done.stderr}"
            assert TOLD[title] in done.stdout, f"{title}\n{done.stdout}{done.stderr}"
            # Somebody edits the file between the programs.
            compose.write_text(compose.read_text().replace("Hello, one", "Hello, two"))
        remove = ["-m", "underway.cli.main", "remove", "--yes", "--with-data"]
        subprocess.run(
            [*inside, *remove],
            cwd=tmp_path,
            env={**environment(lab), "DOCKER_HOST": lab.hosts[0].url},
            check=True,
            capture_output=True,
            timeout=300,
        )
        assert fleet.docker("h1", "ps", "-aq") == ""
    finally:
        fleet.docker("h1", "rmi", BASE)
