"""What a backup and a restore of 2 GiB take: Underway against the sidecar with `tar`.

The volume holds 30,000 small files, six large ones and a database file (`bench/fill.py`). The
alternative is what teams write themselves: `docker run --volumes ... tar cvf` into a directory of
the host, and `tar xf` into a new volume. Underway is the whole command, `underway backup create`
with consistency `pause`: plan, lock, sidecar, a pass while the service runs, the frozen pass, the
manifest; `underway backup restore` is the whole rollout onto the new volume. Both write to the
same disk, and what each wrote is flushed before the next is measured.

    make bench        or        python -m bench.backup
"""

import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.commands import run, timed
from lab.laboratory import Laboratory
from lab.surroundings import surroundings

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
IMAGE = "bench-holder"
APP = "bench-data"
SIDECAR = f"underway-backup-{APP}"
MIB = 1024 * 1024
SAMPLE_S = 0.1
SHARED = "/srv/shared"
COMPOSE = f"""\
name: {APP}
services:
  holder:
    image: {IMAGE}
    user: "0"
    volumes: [data:/data]
    stop_grace_period: 5s
volumes:
  data:
    x-underway: {{backup: {{consistency: pause}}}}
x-underway:
  backup:
    repository: ${{REPOSITORY}}
    password: {{variable: BENCH_PASSWORD}}
    freeze: 120s
"""
AIMS: Final[Mapping[str, float]] = {
    "first": 1.5,
    "unchanged": 0.2,
    "1 % changed": 0.35,
    "restore": 1.15,
    "freeze, unchanged": 0.3,
    "freeze, 1 % changed": 0.3,
    "stored": 0.6,
    "added at 1 %": 0.02,
}
"""Ratios to reach: times to the same run's `tar cvf` or `tar xf`, bytes to the volume's."""


@dataclass
class Bench:
    """One host with the volume filled, and the two ways."""

    lab: Laboratory
    directory: Path
    env: dict[str, str]

    def docker(self, *argv: str, given: str = "") -> str:
        """A docker command against the host."""
        return run("docker", *argv, cwd=self.directory, env=self.env, given=given)

    def underway(self, *argv: str) -> str:
        """One command of ours."""
        return run("underway", *argv, cwd=self.directory, env=self.env)

    def change(self, how: str, volume: str) -> None:
        """Fill the volume or change it; flushed."""
        script = (ROOT / "bench" / "fill.py").read_text()
        mounted = ("run", "--rm", "-i", "--user", "0", "-v", f"{volume}:/volume")
        self.docker(*mounted, "--entrypoint", "python3", IMAGE, "-", how, given=script)

    def tar(self, *argv: str, volume: str, mode: str = "") -> float:
        """Seconds of the sidecar with tar."""
        flush()
        volumes = ("-v", f"{volume}:/volume{mode}", "-v", f"{SHARED}/tar:/backup")
        image = self.lab.images["tools-base"]
        return timed(lambda: self.docker("run", "--rm", *volumes, image, "tar", *argv))

    @property
    def shared(self) -> Path:
        """What the host sees as SHARED."""
        return self.lab.layout.shared_dir

    def volume(self) -> str:
        """The volume that serves now."""
        name = self.docker("ps", "-q", "--filter", "label=underway.role=replica").split()[0]
        form = "{{range .Mounts}}{{.Name}} {{end}}"
        return self.docker("inspect", "-f", form, name).split()[0]

    def create(self) -> tuple[float, float]:
        """Seconds of one backup, and how long the service stood still."""
        flush()
        taken = timed(partial(self.underway, "backup", "create", "-q"))
        shown = json.loads(self.underway("backup", "show", "--json"))
        return taken, max(copy["freeze_s"] for copy in shown["volumes"])


def flush() -> None:
    """Nobody pays for what another wrote."""
    run("sync", cwd=ROOT, env={})


def size_mib(directory: Path) -> float:
    """What a directory's files hold."""
    return sum(p.stat().st_size for p in directory.rglob("*") if p.is_file()) / MIB


@contextmanager
def memory_of_sidecar(client: Any) -> Iterator[list[float]]:
    """The most memory of its own, in MiB, that the sidecar was seen with (no file cache)."""
    most = [0.0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(SAMPLE_S):
            for found in client.containers(filters={"name": SIDECAR}):
                for kind, field in (("memory/*", "total_rss"), ("*", "anon")):
                    pattern = f"{kind}/**/*{found['Id']}*/memory.stat"
                    for path in Path("/sys/fs/cgroup").glob(pattern):
                        most[0] = max(most[0], field_of(path, field) / MIB)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        done.set()
        thread.join()


def field_of(path: Path, field: str) -> float:
    """One number of a cgroup's statistics; 0 where it is gone or knows no such field."""
    try:
        words = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return 0.0
    return next((float(number) for name, number in words if name == field), 0.0)


def one_round(bench: Bench, number: int) -> dict[str, float]:
    """Each way once; times in seconds, sizes in MiB."""
    volume = bench.volume()
    repository = bench.shared / f"repository-{number}"
    bench.env["REPOSITORY"] = f"{SHARED}/{repository.name}"
    found: dict[str, float] = {}
    found["tar cvf"] = bench.tar(
        "cvf", "/backup/data.tar", "-C", "/volume", ".", volume=volume, mode=":ro"
    )
    found["tar"] = size_mib(bench.shared / "tar")
    bench.underway("backup", "init", "-q")
    found["first"], found["freeze, first"] = bench.create()
    found["stored"] = size_mib(repository)
    found["unchanged"], found["freeze, unchanged"] = bench.create()
    for name, how in (("1 % changed", "files"), ("1 % of pages", "pages")):
        bench.change(how, volume)
        before = size_mib(repository)
        found[name], found[f"freeze, {name}"] = bench.create()
        found[f"added at {name.removesuffix(' changed')}"] = size_mib(repository) - before
    flush()
    found["restore"] = timed(partial(bench.underway, "--yes", "backup", "restore", "-q"))
    bench.docker("volume", "create", "bench-tar")
    found["tar xf"] = bench.tar("xf", "/backup/data.tar", "-C", "/volume", volume="bench-tar")
    bench.docker("volume", "rm", "bench-tar", volume)
    shutil.rmtree(repository)
    return found


def measure(lab: Laboratory, directory: Path) -> tuple[list[dict[str, float]], float]:
    """The figures of each round, and the sidecar's memory in MiB."""
    import docker  # noqa: PLC0415 -- only here

    bench = Bench(lab, directory, {**surroundings(lab), "BENCH_PASSWORD": "of a benchmark"})
    (directory / "compose.yaml").write_text(COMPOSE)
    (bench.shared / "tar").mkdir()
    bench.env["REPOSITORY"] = f"{SHARED}/repository-0"
    build = ("buildx", "build", "--load", "-q", "-t", IMAGE, str(ROOT / "lab" / "beacon"))
    bench.docker(*build, "--build-arg", f"PYTHON_IMAGE={lab.images['python']}")
    bench.underway("deploy", "-q")
    bench.change("fill", bench.volume())
    client = docker.APIClient(base_url=lab.hosts[0].url)
    with memory_of_sidecar(client) as most:
        rounds = [one_round(bench, number) for number in range(ROUNDS)]
    client.close()
    return rounds, most[0]


def ratio(name: str, found: Mapping[str, float]) -> float:
    """What a figure is to the alternative of its own round."""
    if name.startswith(("stored", "added")):
        return found[name] / found["tar"]
    return found[name] / found["tar xf" if name == "restore" else "tar cvf"]


def main() -> int:
    """Print medians and ratios."""
    began = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="underway-bench-"))
    lab = Laboratory.up(name="benchb", hosts=1)
    try:
        rounds, memory = measure(lab, directory)
    finally:
        lab.down()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"backup of {rounds[0]['tar']:.0f} MiB, medians of {ROUNDS} rounds, ratio to tar")
    for name in rounds[0]:
        unit = "MiB" if name.startswith(("stored", "added")) or name == "tar" else "s"
        figures = [found[name] for found in rounds]
        ours = statistics.median(ratio(name, found) for found in rounds)
        aim = f"(to reach {AIMS[name]:g})" if name in AIMS else ""
        spread = f"({min(figures):.1f} to {max(figures):.1f})"
        print(f"{name:22} {statistics.median(figures):8.1f} {unit:3} {spread:18} {ours:5.2f} {aim}")
    print(f"memory of the sidecar: {memory:.0f} MiB at most (to reach 200)")
    print(f"measured in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
