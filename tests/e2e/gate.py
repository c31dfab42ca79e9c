"""Gates that a test opens by hand: a beacon with `gate:/tmp/ready` serves once the file exists."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.e2e.project import Project
from tests.e2e.sight import Container

GATE: Final = "/tmp/ready"  # noqa: S108 - a path inside the container
LOOK_EVERY_S: Final = 0.3


def open_gate(project: Project, replica: Container) -> None:
    """Let one replica get ready."""
    project.fleet.docker(replica.host, "exec", replica.name, "touch", GATE)


@contextmanager
def opened_gates(project: Project, version: str, *, hosts: tuple[str, ...]) -> Iterator[None]:
    """While the block runs, open the gate of every replica of `version` that starts on `hosts`."""
    over = threading.Event()

    def watch() -> None:
        opened: set[str] = set()
        while not over.wait(LOOK_EVERY_S):
            for replica in project.sight.replicas():
                if replica.id in opened or (replica.host, replica.version) not in wanted:
                    continue
                if replica.status == "running":
                    open_gate(project, replica)
                    opened.add(replica.id)

    wanted = {(host, version) for host in hosts}
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
