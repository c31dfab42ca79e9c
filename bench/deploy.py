"""What replacing four replicas takes: Underway against the floor and against Compose.

The floor is the same four containers created, started and answering, in parallel through the raw
Engine API, with nothing replaced and nothing drained. `floor, replacing` is the least that a
replacement owes, through the same API: a fifth container that would be the lock, the four new
ones answering, and only then the four old ones stopped and removed. `docker compose up -d`
replaces without a drain and loses requests meanwhile. Underway replaces four replicas behind
HAProxy; its drain ends at once, as nothing is in flight here, and stands apart. The whole command
is quoted, and below it what it is made of: no floor knows a Compose file, an observation, a proxy.
`underway again` deploys what runs already. Each round measures all ways one after another, and
its ratios are to its own floors, so that a machine that is busy meanwhile bends them less.

    make bench        or        python -m bench.deploy
"""

import http.client
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bench.commands import run, timed
from bench.phases import phases_of
from lab.laboratory import Laboratory
from lab.surroundings import surroundings

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5
REPLICAS = 4
READY_S = 30.0
POLL_S = 0.005
LOCK = "bench-floor-lock"
GRACE_S = 5

COMPOSE = """\
name: {name}
services:
  web:
    image: bench-beacon:${{VERSION}}
    environment: {{BEACON_ROUND: "${{VERSION}}"}}
    stop_grace_period: 5s
    deploy: {{replicas: {replicas}}}
"""
UNDERWAY = (
    COMPOSE
    + """\
    x-underway:
      proxy: {{host: bench.test, port: 8080, health: /up, drain: 10s}}
      strategy: blue-green
"""
)


def await_answer(address: str, port: int = 8080) -> None:
    """Until `/up` answers 200."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(address, port, timeout=1)
        try:
            connection.request("GET", "/up")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            time.sleep(POLL_S)
        finally:
            connection.close()
    raise RuntimeError(f"{address}:{port} did not answer in {READY_S:g} s")


class Floor:
    """The raw Engine API, seen from inside the host's network namespace by a route to it."""

    def __init__(self, client: Any, host: str) -> None:
        self._client = client
        self._host = host
        self._names = [f"bench-floor-{number}" for number in range(REPLICAS)]

    def start(self) -> None:
        """Create, start and await all four, in parallel."""
        with ThreadPoolExecutor(REPLICAS) as pool:
            list(pool.map(self._one, range(REPLICAS)))

    def replace(self) -> None:
        """What replacing them owes: a lock, new ones beside them, then the old ones' end."""
        lock = self._client.create_container(
            "bench-beacon:floor", name=LOCK, command=["sleep", "60"]
        )
        self._client.start(lock["Id"])
        with ThreadPoolExecutor(REPLICAS) as pool:
            list(pool.map(partial(self._one, suffix="-new", first_port=22000), range(REPLICAS)))
            list(pool.map(self._end, self._names))
        self._client.remove_container(LOCK, force=True)

    def _one(self, number: int, suffix: str = "", first_port: int = 21000) -> None:
        port = first_port + number
        config = self._client.create_host_config(port_bindings={8080: (self._host, port)})
        made = self._client.create_container(
            "bench-beacon:floor",
            name=self._names[number] + suffix,
            host_config=config,
            ports=[8080],
        )
        self._client.start(made["Id"])
        await_answer(self._host, port)

    def _end(self, name: str) -> None:
        self._client.stop(name, timeout=GRACE_S)
        self._client.remove_container(name, force=True)

    def clear(self) -> None:
        """Remove what replaced them."""
        for name in self._names:
            self._client.remove_container(f"{name}-new", force=True)


def build(lab: Laboratory, env: Mapping[str, str], versions: list[str]) -> None:
    """The images of all rounds, so that nobody's time holds a build."""
    for version in versions:
        run(
            *("docker", "buildx", "build", "--load", "-q", "-t", f"bench-beacon:{version}"),
            *("--build-arg", f"PYTHON_IMAGE={lab.images['python']}"),
            *("--build-arg", f"VERSION={version}", "."),
            cwd=ROOT / "lab" / "beacon",
            env=env,
        )


def deploy(directory: Path, env: Mapping[str, str]) -> dict[str, float]:
    """Seconds of one deploy and of its parts, and of the same deploy again."""
    began = time.time()
    told = run("underway", "deploy", "--json", cwd=directory, env=env)
    ended = time.time()
    phases = phases_of(told.splitlines(), began=began, ended=ended)
    again = timed(lambda: run("underway", "deploy", "-q", cwd=directory, env=env))
    return {
        "underway": ended - began,
        "  preparing": phases.preparing,
        "  replacing": phases.replacing,
        "  draining": phases.draining,
        "  ending": phases.ending,
        "  closing": phases.closing,
        "  replacing + ending": phases.applying,
        "underway again": again,
    }


def measure(lab: Laboratory, directory: Path) -> list[dict[str, float]]:
    """Seconds of each way, for each round."""
    import docker  # noqa: PLC0415 -- only here

    env = surroundings(lab)
    versions = [f"r{number}" for number in range(ROUNDS + 1)]
    build(lab, env, [*versions, "floor"])
    for name, text in {"compose": COMPOSE, "underway": UNDERWAY}.items():
        (directory / name).mkdir()
        content = text.format(name=f"bench-{name}", replicas=REPLICAS)
        (directory / name / "compose.yaml").write_text(content)
    client = docker.APIClient(base_url=lab.hosts[0].url)
    floor = Floor(client, lab.hosts[0].address)
    compose = ("docker", "compose", "up", "-d", "--wait")
    rounds: list[dict[str, float]] = []
    for version in versions:
        given = {**env, "VERSION": version}
        found = {"floor": timed(floor.start), "floor, replacing": timed(floor.replace)}
        floor.clear()
        up = partial(run, *compose, cwd=directory / "compose", env=given)
        found["compose"] = timed(up)
        if version == versions[0]:  # nothing is there to be replaced yet
            run("underway", "deploy", "-q", cwd=directory / "underway", env=given)
        else:
            rounds.append({**found, **deploy(directory / "underway", given)})
    client.close()
    return rounds


def main() -> int:
    """Print medians and ratios."""
    directory = Path(tempfile.mkdtemp(prefix="underway-bench-"))
    lab = Laboratory.up(name="bench", hosts=1)
    try:
        rounds = measure(lab, directory)
    finally:
        lab.down()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"replacing {REPLICAS} replicas, median (min to max) of {ROUNDS} rounds, ratio to floor")
    for name in rounds[0]:
        seconds = [found[name] for found in rounds]
        ratio = statistics.median(found[name] / found["floor"] for found in rounds)
        spread = f"({min(seconds):.2f} to {max(seconds):.2f})"
        print(f"{name:20} {statistics.median(seconds):6.2f} s  {spread:16}  {ratio:5.2f}")
    for other in ("floor, replacing", "compose"):
        over = statistics.median(found["underway"] / found[other] for found in rounds)
        print(f"underway / {other}: {over:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
