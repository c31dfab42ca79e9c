"""The ground everything stands on: Docker and HAProxy alone, driven by hand, without Underway.

Stopping the old before starting the new loses requests; adding, draining, waiting and only then
stopping loses none. Both under the same load, so that the count is known to see a loss.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.load import Kind, Load, Outcome, Result, Target
from tests.e2e.client import eventually
from tests.e2e.course import FULL, WARM
from tests.laboratories import Fleet

BEACON = Path(__file__).parents[2] / "lab" / "beacon"
CONFIGURATION = """
global
    stats socket /tmp/admin.sock mode 600 level admin expose-fd listeners
defaults
    mode http
    option idle-close-on-response
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 10s
    timeout tunnel 1h
frontend all
    bind :80
    http-request disable-l7-retry if METH_POST
    default_backend web
backend web
    balance leastconn
    option httpchk GET /up
"""
DRAIN_S = 30


@dataclass
class Ground:
    """One host: containers of beacon by name, and a HAProxy on the host's network."""

    fleet: Fleet

    def docker(self, *arguments: str) -> str:
        return self.fleet.docker("h1", *arguments, timeout_s=180)

    def build(self, version: str) -> None:
        python = self.fleet.laboratory.images["python"]
        arguments = ("--build-arg", f"PYTHON_IMAGE={python}", "--build-arg", f"VERSION={version}")
        self.docker("build", "-q", "-t", f"ground:{version}", *arguments, str(BEACON))

    def proxy(self) -> None:
        begin = f"printf '%s' '{CONFIGURATION}' > /tmp/c && exec haproxy -W -db -f /tmp/c"
        image = self.fleet.laboratory.images["tools-base"]
        made = ("create", "--name", "proxy", "--network", "host", "--user", "root")
        self.docker(*made, image, "sh", "-c", begin)
        self.docker("start", "proxy")
        eventually(lambda: "web" in self.ask("show backend"), "the proxy answers")

    def ask(self, *commands: str) -> str:
        """What HAProxy's runtime API answers."""
        asked = f"echo '{';'.join(commands)}' | socat -t 10 stdio /tmp/admin.sock 2>&1 || true"
        return self.docker("exec", "proxy", "sh", "-c", asked)

    def run(self, name: str, version: str) -> None:
        self.docker("run", "-d", "--name", name, "--stop-timeout", "3", f"ground:{version}")

    def add(self, name: str) -> None:
        """A server in drain: checked, without requests; then, once it is up, ready."""
        form = "{{.NetworkSettings.IPAddress}}"
        address = self.docker("inspect", "-f", form, name)
        server = f"web/{name}"
        self.ask(
            f"add server {server} {address}:8080 check inter 500 fall 2 rise 1",
            f"enable health {server}",
            f"set server {server} state drain",
        )
        eventually(lambda: self.status(name) == ("DRAIN", "L7OK"), f"{name} passed its check")
        self.ask(f"set server {server} state ready")

    def status(self, name: str) -> tuple[str, str]:
        rows = [row.split(",") for row in self.ask("show stat").splitlines()]
        head = [field.lstrip("# ") for field in rows[0]]
        found = [dict(zip(head, row, strict=False)) for row in rows if row[1:2] == [name]]
        return (found[0]["status"], found[0]["check_status"]) if found else ("", "")

    def has_requests(self, name: str) -> bool:
        """Whether sessions on a server are more than tunnels, which have no analysers left."""
        lines = self.ask("show sess").splitlines()
        of_it = [line for line in lines if f"srv={name} " in line]
        return any("an=00h" not in line or line.count("an=00h") < 2 for line in of_it)

    def stop_then_start(self, old: str, new: str) -> None:
        """What everybody writes first."""
        self.docker("rm", "-f", old)
        self.ask(f"set server web/{old} state maint", f"del server web/{old}")
        self.run(new, "v2")
        self.add(new)

    def drain(self, old: str, new: str) -> None:
        """Add, probe, make ready, drain, wait, stop, delete."""
        self.run(new, "v2")
        self.add(new)
        self.ask(f"set server web/{old} state drain")
        eventually(lambda: not self.has_requests(old), f"{old} has only tunnels left", DRAIN_S)
        self.docker("stop", old)
        self.ask(f"set server web/{old} state maint")
        eventually(
            lambda: (
                "not found" in self.ask(f"del server web/{old}", "show stat").lower()
                or self.status(old) == ("", "")
            ),
            f"{old} is deleted",
        )


def replaced(fleet: Fleet, replace: Callable[[Ground, str, str], None]) -> Result:
    """Replace two replicas one by one under load."""
    ground = Ground(fleet)
    for version in ("v1", "v2"):
        ground.build(version)
    ground.proxy()
    for number in (1, 2):
        ground.run(f"old{number}", "v1")
        ground.add(f"old{number}")
    target = Target("proxy", fleet.laboratory.hosts[0].address, 80)
    with Load([target], host="ground.test", mix=FULL) as load:
        load.wait_until(lambda seen: seen.requests > WARM, what="traffic flows")
        for number in (1, 2):
            replace(ground, f"old{number}", f"new{number}")
        load.expect("v2")
        seen = load.snapshot().requests
        load.wait_until(lambda now: now.requests > seen + WARM, what="traffic afterwards")
        return load.stop()


@pytest.mark.lab(hosts=1)
def test_stop_then_start_loses_requests(fleet: Fleet) -> None:
    result = replaced(fleet, Ground.stop_then_start)
    assert result.lost > 0, "a count that sees no loss here sees none anywhere"
    assert result.count(Outcome.CUT, Kind.WEBSOCKET) > 0, "its sockets are cut"


@pytest.mark.lab(hosts=1)
def test_drain_then_stop_loses_nothing(fleet: Fleet) -> None:
    result = replaced(fleet, Ground.drain)
    result.check()
    assert result.versions["v1"], result.table()
    assert result.versions["v2"], result.table()
    assert result.count(Outcome.GOODBYE, Kind.WEBSOCKET), "its sockets got their goodbye"
