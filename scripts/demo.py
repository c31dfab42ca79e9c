"""The main job, for real, on this machine: `make demo`.

A laboratory host is started (a real Docker engine in a network namespace, see lab/), the sample
application Libra is shipped and deployed, replaced by a second version under load, and rolled
back; then it is backed up under load, loses all its files, and gets them back. Every request is
counted and every acknowledged upload is read back. Nothing is left behind.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from lab.errors import LabError
from lab.laboratory import Laboratory, down
from lab.load import Load, Mix, Target, read_back
from lab.load.profile import Profile, libra
from lab.load.result import Acknowledged
from lab.surroundings import surroundings
from scripts.demo_libra import Visitor, grow_lawyers, lose_everything

ROOT = Path(__file__).resolve().parents[1]
NAME = "demo"
HOST = "libra.localhost"
SETTLE_S = 4.0
WARM = 300
MIX = Mix(
    keep_alive_per_s=110, fresh_per_s=35, slow_per_s=3, post_per_s=8, upload_per_s=0.3, websockets=6
)


def say(text: str) -> None:
    """A heading between what the programs show."""
    line = f"\n== {text}"
    print(f"\x1b[1;36m{line}\x1b[0m" if sys.stdout.isatty() else line, flush=True)


class Ended(Exception):  # noqa: N818 -- a wish, not an error
    """Somebody asked to stop."""


def _end(number: int, frame: FrameType | None) -> None:
    del frame
    raise Ended(signal.Signals(number).name)


@contextmanager
def laboratory() -> Iterator[Laboratory]:
    """One host, gone again in the end whatever happens."""
    began = time.monotonic()
    try:
        lab = Laboratory.up(name=NAME, hosts=1)
        print(f"one Docker host at {lab.hosts[0].address}, {time.monotonic() - began:.0f} s")
        yield lab
    finally:
        say("Take the laboratory down")
        down(NAME)


@contextmanager
def project() -> Iterator[Path]:
    """A copy of Libra to work in."""
    with tempfile.TemporaryDirectory(prefix="underway-demo-") as directory:
        copy = Path(directory) / "libra"
        shutil.copytree(ROOT / "examples" / "libra", copy)
        yield copy


def environment(lab: Laboratory, directory: Path) -> dict[str, str]:
    """What a user of that host would have set."""
    return {
        **surroundings(lab),
        "PYTHON_IMAGE": lab.images["python"],
        "POSTGRES_IMAGE": lab.images["postgres"],
        "XDG_STATE_HOME": str(directory.parent / "state"),
        "LIBRA_HOST": HOST,
        "LIBRA_MIGRATE_AT_START": "0",
        "LIBRA_BACKUP_PASSWORD": secrets.token_urlsafe(),
    }


def underway(directory: Path, env: Mapping[str, str], *arguments: str, **values: str) -> None:
    """One command, shown as it is typed, its progress live."""
    given = " ".join(f"{name}={value}" for name, value in values.items())
    say(f"{given} underway {' '.join(arguments)}".replace("==  ", "== ").strip())
    began = time.monotonic()
    subprocess.run(["underway", *arguments], cwd=directory, env={**env, **values}, check=True)
    print(f"({time.monotonic() - began:.1f} s)", flush=True)


@dataclass(frozen=True)
class Users:
    """Those who use Libra meanwhile, and whether they lost anything."""

    lab: Laboratory
    profile: Profile

    @classmethod
    def of(cls, lab: Laboratory) -> "Users":
        """Users with a session and a matter to put files in."""
        visitor = Visitor(lab.hosts[0].address, HOST)
        token = visitor.log_in("portia")
        return cls(lab, libra(visitor.first_matter(token), token))

    @property
    def edge(self) -> Target:
        """Where they send their requests."""
        return Target("edge", self.lab.hosts[0].address, 80)

    def load(self) -> Load:
        """What they ask for."""
        return Load([self.edge], host=HOST, mix=MIX, profile=self.profile)

    def missing(self, uploads: Sequence[Acknowledged]) -> int:
        """How many of the uploads that were acknowledged cannot be read back whole."""
        found = read_back(uploads, [self.edge], host=HOST, profile=self.profile)
        print(f"uploads acknowledged and read back: {found.right} right, {len(found.wrong)} wrong")
        return len(found.wrong)


def replace_under_load(users: Users, directory: Path, env: Mapping[str, str]) -> bool:
    """Replace and roll back under load; whether nothing was lost."""
    say("Load: about 160 requests/s of all kinds (new connections, 3 s, uploads, sockets)")
    with users.load() as load:
        load.wait_until(lambda seen: seen.requests > WARM, timeout_s=60, what="load")
        underway(directory, env, "deploy", "--untested", VERSION="v2")
        time.sleep(SETTLE_S)
        underway(directory, env, "rollback", "--past-migrations")
        time.sleep(SETTLE_S)
        result = load.stop()
    say("What the users saw")
    print(result.table())
    return not (result.lost or result.stale or users.missing(result.journal))


def lose_and_restore(users: Users, directory: Path, env: Mapping[str, str]) -> bool:
    """Back up under load, lose every file, bring them back; whether nothing was lost."""
    underway(directory, env, "backup", "init")
    with users.load() as load:
        load.wait_until(lambda seen: len(seen.journal) > 1, timeout_s=60, what="uploads")
        before = load.snapshot().journal
        underway(directory, env, "backup", "create")
        result = load.stop()
    say("What the users saw while it was backed up")
    print(result.table())
    say("Lose it: every file in /uploads, and every row about them")
    lose_everything(env)
    was_lost = users.missing(before) == len(before)
    underway(directory, env, "backup", "restore", "--yes")
    is_back = not users.missing(before)
    return was_lost and is_back and not (result.lost or result.stale)


def main() -> int:
    """Run the demo; 0 if no request was lost."""
    if os.geteuid() != 0 or sys.platform != "linux":
        print("make demo needs Linux and root: it starts a Docker host of its own", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    say("Start a laboratory host (the first time, base images are built: some minutes)")
    try:
        with laboratory() as lab, project() as directory:
            env = environment(lab, directory)
            underway(directory, env, "deploy", "--untested", VERSION="v1")
            grow_lawyers(env)
            users = Users.of(lab)
            is_sound = replace_under_load(users, directory, env)
            is_sound &= lose_and_restore(users, directory, env)
            underway(directory, env, "status")
            underway(directory, env, "history")
            underway(directory, env, "remove", "--with-data", "--yes")
    except (Ended, KeyboardInterrupt) as error:
        print(f"ended: {error}", file=sys.stderr)
        return 130
    except LabError as error:
        print(f"the laboratory did not come up: {error}", file=sys.stderr)
        return 1
    say("0 failed requests, 0 lost uploads" if is_sound else "REQUESTS WERE LOST: see above")
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
