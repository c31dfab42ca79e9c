"""Tests in the image, on a real engine: verdicts, what is pushed, and that nothing is left.

One image plays every part: a service that serves, a database that is healthy or not, and suites
that pass, fail, hang, or tell of success in the middle.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.e2e.client import Client, Done, Running, eventually
from tests.laboratories import Fleet

SECRET: Final = "correct horse battery"  # noqa: S105
DONE: Final = "Result: SUCCESS!"
DOCKERFILE: Final = """\
ARG BASE
FROM ${BASE}
COPY suite.sh /suite.sh
ENTRYPOINT ["sh", "/suite.sh"]
CMD ["serve"]
"""
SUITE: Final = f"""\
case "$1" in
serve) touch /tmp/ready; exec sleep 900 ;;
passes) getent hosts db || exit 9; touch /data/fresh; cat /run/secrets/key; echo '{DONE}' ;;
fails) echo "the token is $TOKEN"; echo '{DONE}'; exit 3 ;;
middle) echo '{DONE}'; echo '1 of 9 failed' ;;
hangs) echo hanging; exec sleep 900 ;;
esac
"""
NOTHING: Final = ("bridge", "host", "none")


def suite(name: str, **more: object) -> dict[str, object]:
    anchored = {"result": {"last_line": DONE}}
    return {"service": "web", "command": name, "needs": ["db"], **anchored, **more}


@dataclass
class Workplace:
    """A project with tests, on one host."""

    fleet: Fleet
    root: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def registry(self) -> str:
        return str(self.fleet.laboratory.describe()["registry"]["address"])

    def write(self, suites: Mapping[str, object], text: str = SUITE) -> None:
        said: dict[str, Any] = {
            "name": "tested",
            "services": {
                "web": {
                    "build": {"context": ".", "args": {"BASE": "${BASE}"}},
                    "image": f"{self.registry}/tested-{self.root.name}",
                    "environment": {"TOKEN": "${TOKEN}"},
                    "secrets": ["key"],
                    "volumes": ["data:/data"],
                    "stop_grace_period": "1s",
                },
                "db": self._database("test -e /tmp/ready"),
                "sick": {**self._database("echo no disk; exit 1"), "profiles": ["sick"]},
            },
            "secrets": {"key": {"file": "./key"}},
            "volumes": {"data": {}},
            "x-underway": {"test": dict(suites)},
        }
        self.root.mkdir(exist_ok=True)
        (self.root / "compose.yaml").write_text(yaml.safe_dump(said))
        (self.root / "Dockerfile").write_text(DOCKERFILE)
        (self.root / "suite.sh").write_text(text)
        (self.root / "key").write_text(f"{SECRET} key\n")

    def _database(self, check: str) -> dict[str, object]:
        health = {"test": ["CMD-SHELL", check], "interval": "1s", "retries": 2}
        return {
            "image": self.fleet.laboratory.images["debian"],
            "command": ["sh", "-c", "touch /tmp/ready; exec sleep 900"],
            "healthcheck": health,
            "stop_grace_period": "0s",
        }

    @property
    def client(self) -> Client:
        laboratory = self.fleet.laboratory
        environment = {
            **self.fleet.environment,
            "DOCKER_HOST": laboratory.hosts[0].url,
            "BASE": laboratory.images["debian"],
            "TOKEN": SECRET,
            "XDG_STATE_HOME": str(self.root / "state"),
        }
        return Client(self.root, self.root / "home", environment)

    def docker(self, *arguments: str) -> list[str]:
        return self.fleet.docker("h1", *arguments).split()

    def of_tests(self) -> list[str]:
        """What stands on the host for tests: containers, networks, volumes."""
        label = ("--filter", "label=underway.test=tested")
        return [
            *self.docker("ps", "-a", "--format", "{{.Names}}", *label),
            *self.docker("network", "ls", "--format", "{{.Name}}", *label),
            *self.docker("volume", "ls", "-q", *label),
        ]

    def expect_nothing_anywhere(self) -> None:
        assert self.docker("ps", "-aq") == []
        assert sorted(self.docker("network", "ls", "--format", "{{.Name}}")) == [*NOTHING]
        assert self.docker("volume", "ls", "-q") == []

    def kept(self) -> str:
        """All that was kept of what containers wrote."""
        return "\n".join(path.read_text() for path in (self.root / "state").rglob("*.log"))


@pytest.fixture
def tested(fleet: Fleet, tmp_path: Path) -> Workplace:
    return Workplace(fleet, tmp_path / "app")


def outcomes(done: Done) -> dict[str, str]:
    return {one["name"]: one["outcome"] for one in done.document()["suites"]}


@pytest.mark.lab(hosts=1)
def test_every_verdict_is_right_and_nothing_is_left_or_leaks(tested: Workplace) -> None:
    tested.write(
        {
            "passes": suite("passes"),
            "fails": suite("fails"),
            "middle": suite("middle"),
            "hangs": suite("hangs", timeout="3s"),
            "sick": suite("passes", needs=["sick"], needs_timeout="5s"),
        }
    )
    done = tested.client.run("--profile", "sick", "test", "--json", "--junit", "report.xml")
    done.expect(4)
    assert outcomes(done) == {
        "passes": "passed",
        "fails": "failed",
        "middle": "no-last-line",
        "hangs": "timeout",
        "sick": "need-failed",
    }
    errors = {one["name"]: one["error"] for one in done.document()["suites"] if one["error"]}
    assert any("no disk" in line for line in errors["sick"]["detail"]), "the health log is told"
    assert "1 of 9 failed" in errors["middle"]["cause"]
    root = ET.fromstring((tested.root / "report.xml").read_text())  # noqa: S314
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "3", "1")
    assert "the token is ***" in tested.kept()
    for text in (done.out, done.err, tested.kept()):
        assert SECRET not in text
    tested.expect_nothing_anywhere()


@pytest.mark.lab(hosts=1)
def test_what_did_not_pass_is_neither_pushed_nor_deployed(tested: Workplace) -> None:
    client = tested.client
    tested.write({"all": suite("fails")})
    refused = client.run("ship").expect(4)
    assert "test-failed" in refused.err
    assert "pushing" not in refused.err
    tested.expect_nothing_anywhere()
    tested.write({"all": suite("passes")})
    first = client.run("deploy").expect(0)
    assert "pushing" in first.err
    assert "test all" in first.err
    again = client.run("deploy").expect(0)
    assert "passed before" in again.err
    assert "test all" not in again.err, "what passed is not tested again"
    tested.write({"all": suite("fails")}, SUITE + "# another image\n")
    assert "pushing" not in client.run("deploy").expect(4).err
    client.run("deploy", "--untested").expect(0)
    known = client.run("history", "--releases", "--json").expect(0).document()["releases"]
    assert [one["tests"] for one in known] == ["untested", "passed"]
    assert tested.of_tests() == []


def begun(running: Running) -> None:
    running.await_told("| hanging", timeout_s=120)


@pytest.mark.lab(hosts=1)
def test_an_interrupted_run_leaves_nothing_and_a_killed_one_goes_with_the_next(
    tested: Workplace,
) -> None:
    tested.write({"hangs": suite("hangs"), "passes": suite("passes")})
    with tested.client.running("test", "hangs") as running:
        begun(running)
        running.interrupt()
        running.wait().expect(130)
    tested.expect_nothing_anywhere()
    with tested.client.running("test", "hangs") as running:
        begun(running)
        running.kill()
        running.wait()
    left = tested.of_tests()
    assert any(name.endswith("-hangs-db") for name in left), "a killed client removes nothing"
    marks = ("ps", "-aq", "--filter", "label=underway.test=tested", "--filter")
    eventually(
        lambda: not tested.docker(*marks, "label=underway.since"), "the mark of the dead run goes"
    )
    done = tested.client.run("test", "passes").expect(0)
    assert "its client had died" in done.err
    tested.expect_nothing_anywhere()
    shutil.rmtree(tested.root / "state")
